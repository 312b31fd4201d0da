"""Batch workers that break as the names of their documents say, in a module that worker processes can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from docpipe.batch.messages import FileTask, Finished, Opened, PageRead, ReportProgress
from docpipe.data import Document, Extraction
from docpipe.errors import CorruptError, ModelError
from docpipe.kept_work import KeptEntries


def extraction(document_id: str) -> Extraction:
    return Extraction(document_id, "invoice", "v", "misbehaving", f"key {document_id}", "complete", 1, ())


@dataclass
class Misbehaving:
    """A worker whose documents say in their name what happens to them."""

    extractor_name: str = "misbehaving:1"

    def process(self, task: FileTask, report: ReportProgress) -> Finished:
        match task.path.name:
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exits":
                os._exit(7)
            case "hangs":
                time.sleep(600)
            case "refused":
                raise CorruptError("No page in it.")
            case "bug":
                raise ValueError("broken")
            case "long":
                report(Opened(Document("d", "long", task.path, "application/pdf", 1, page_count=4), "key"))
                while not task.path.exists():
                    time.sleep(0.01)
                for number in range(4):
                    report(PageRead(number + 1))
            case "prints":
                os.write(1, b"from a C library\n")
        return Finished(extraction(task.path.name))

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Misbehave:
    def __call__(self) -> Misbehaving:
        return Misbehaving()


@dataclass(frozen=True)
class NoModel:
    def __call__(self) -> Misbehaving:
        raise ModelError("weights.onnx is missing")


@dataclass(frozen=True)
class DiesAtStart:
    def __call__(self) -> Misbehaving:
        os._exit(3)


def process_all(task: FileTask, opened: Opened) -> KeptEntries:
    return {}
