"""A real server, `transformers serve`, with a tiny vision model: pictures and a schema go over the wire, and what
random weights write comes back as what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.service.servers import free_port
from docpipe.components import hosted_backend
from docpipe.config import load_settings
from docpipe.errors import AnswerError, DocpipeError
from docpipe.extractors.generative.backend import BackendReply, OutputSlot, Prompt
from docpipe.extractors.hosted.backend import HostedBackend
from tests.support.hosted_server import TEXT
from tests.support.tiny_models import save_tiny_model

START_SECONDS = 120  # transformers and torch are loaded; on a busy machine that takes a while

# `transformers serve` as it is, but for one thing: it would hand the device to `accelerate`, which is not installed.
PROGRAM = """
import sys
from transformers.cli.serving.model_manager import ModelManager
made = ModelManager.__init__
def without_accelerate(self, *given, **named):
    made(self, *given, **named)
    self.device = None
ModelManager.__init__ = without_accelerate
from transformers.cli.transformers import main
sys.argv[0] = "transformers"
main()
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model("idefics3", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_PROXY": "127.0.0.1"}
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with opener.open(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def backend(url: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedBackend]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings: dict[str, Any] = {
        "DOCPIPE_OPENAI_URL": url,
        "DOCPIPE_HOSTED_THINKING_TOKENS": "0",
        "DOCPIPE_HOSTED_ATTEMPTS": "1",
    }
    backend = hosted_backend("openai", str(model), load_settings(settings))
    yield backend
    backend.close()


def _ask(backend: HostedBackend, *pictures: Image.Image) -> BackendReply | DocpipeError:
    parts = ("Find the invoice number.", *pictures, "Answer with one JSON object and nothing else.")
    (reply,) = backend.complete([Prompt(parts, (OutputSlot("invoice_number", TEXT, 12),))])
    return reply


def test_what_random_weights_write_is_an_honest_failure_and_is_counted(backend: HostedBackend):
    reply = _ask(backend, Image.new("RGB", (224, 168), "white"))
    if isinstance(reply, BackendReply):
        (completion,) = reply.completions
        assert completion.finish == "length"
        assert (reply.tokens_in > 20, reply.tokens_out > 0) == (True, True)
    else:
        assert isinstance(reply, AnswerError)
        assert "no JSON object" in reply.message
        assert reply.cost["tokens_in"] > 20


def test_a_picture_is_seen_by_the_model(backend: HostedBackend):
    """It costs tokens, and a second one costs them again."""
    white = Image.new("RGB", (224, 168), "white")
    counts = []
    for pictures in ((), (white,), (white, white)):
        reply = _ask(backend, *pictures)
        counts.append(reply.tokens_in if isinstance(reply, BackendReply) else reply.cost["tokens_in"] / 2)
    assert counts[1] - counts[0] == counts[2] - counts[1] > 10


def test_a_model_that_the_server_does_not_have_is_named(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = {"DOCPIPE_OPENAI_URL": url, "DOCPIPE_HOSTED_ATTEMPTS": "1"}
    with closing(hosted_backend("openai", str(tmp_path / "nothing"), load_settings(settings))) as backend:
        (reply,) = backend.complete([Prompt(("Hello",), (OutputSlot("invoice_number", TEXT, 12),))])
    assert isinstance(reply, DocpipeError)
    assert "nothing" in reply.message
