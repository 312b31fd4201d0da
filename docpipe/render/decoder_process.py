"""The decoder process as this process sees it. In: requests. Out: responses, or why the decoder process was lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import DecoderResponse, Request, receive, send

STARTUP_SECONDS = 60.0  # Python and PDFium load in 0.2 s; a computer under heavy load may need a hundred times as long
EXIT_SECONDS = 5.0  # a process that leaves by itself closes its pipe some milliseconds before it has ended
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
INHERITED = ("PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OMP_NUM_THREADS")


class DecoderLost(Exception):  # noqa: N818 (an event the Renderer turns into an InputError, never shown)
    """The decoder process is gone: `timeout`, or `crash` with what ended it."""

    def __init__(self, kind: Literal["timeout", "crash"], detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class DecoderProcess:
    """A running `python -m docpipe.render.decoder_server`. POSIX only: it inherits its end of a socket pair.

    It ends by itself: on end-of-file when this process is gone, and by SIGALRM when a request overruns.
    """

    def __init__(self, limits: Limits) -> None:
        self._seconds = limits.seconds
        our_end, its_end = socket.socketpair()
        with its_end:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
                [
                    sys.executable,
                    "-m",
                    "docpipe.render.decoder_server",
                    str(its_end.fileno()),
                    json.dumps(asdict(limits)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # decoders complain there about every odd file
                pass_fds=(its_end.fileno(),),
                env=_environment(),
                start_new_session=True,  # Ctrl-C is this process's business; and kill() takes Poppler with it
            )
        self.owner = os.getpid()
        self._pipe = Connection(our_end.detach())
        self._await(time.monotonic() + STARTUP_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    def exchange(self, request: Request) -> DecoderResponse:
        """The response to one request. Raises DecoderLost when there is none in time or ever."""
        deadline = time.monotonic() + self._seconds
        try:
            send(self._pipe, asdict(request))
        except OSError as error:
            raise self._lost() from error
        return self._await(deadline)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._pipe.close()

    def forget(self) -> None:
        """After a fork: drop our copy of the pipe; the decoder process belongs to the other process."""
        self._pipe.close()
        self._process.returncode = 0  # or Popen warns that it is still running

    def _await(self, deadline: float) -> DecoderResponse:
        try:
            if not self._pipe.poll(max(0.0, deadline - time.monotonic())):
                self.kill()
                raise DecoderLost("timeout", f"took longer than {self._seconds:g} seconds")
            return receive(self._pipe)
        except (EOFError, OSError, ValueError) as error:
            raise self._lost() from error

    def _lost(self) -> DecoderLost:
        """The pipe broke: the process has ended or is about to. What ended it stays its exit code, even where the
        system takes long to end it and it is killed meanwhile."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=EXIT_SECONDS)
        self.kill()
        code = self._process.returncode
        if code == -signal.SIGALRM:
            return DecoderLost("timeout", f"took longer than {self._seconds:g} seconds")
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return DecoderLost("crash", f"made the decoder crash ({name})")


def _environment() -> dict[str, str]:
    """What Python and the decoders need. Passwords and keys of ours are not for whoever takes a decoder over."""
    inherited = {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("LC_")}
    return {**inherited, "PYTHONPATH": _search_path()}


def _search_path() -> str:
    """The decoder process must find this very docpipe, also when it runs from a checkout that is not installed."""
    return os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]))
