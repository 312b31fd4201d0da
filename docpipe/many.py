"""Many files, from Python: each gives a result as it comes, read by worker processes on all cores.

In: paths, as many as one likes. Out: `FileResult`s. Nothing is stored, and memory does not grow with the number of
files: paths are taken from the iterable as workers need them, and a result is forgotten when it was handed out.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from pydantic import BaseModel

from docpipe.api import DocumentSource, Result, checked_accept_error, extract
from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.messages import Failed, FileTask, Finished, Opened, PageRead
from docpipe.batch.parent_process import check_may_start_workers
from docpipe.batch.worker_pool import WorkerPool
from docpipe.components import ModelName, worker_limits
from docpipe.config import load_settings
from docpipe.data import Document
from docpipe.errors import DocpipeError
from docpipe.kept_work import KeptEntries
from docpipe.schema import Schema, load_schema

T = TypeVar("T", bound=BaseModel)
FilePath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class FileResult(Generic[T]):
    """What became of one file: a result, or the error that it has instead."""

    path: Path
    result: Result[T] | None = None
    error: DocpipeError | None = None

    def get(self) -> Result[T]:
        """The result. Raises the error."""
        if self.result is None:
            assert self.error is not None  # noqa: S101 - it has one of the two
            raise self.error
        return self.result


@dataclass(slots=True)
class Progress:
    """So far: files that are done, those of them that failed, and pages read, also of files that are not done yet."""

    files: int = 0
    failed: int = 0
    pages: int = 0


class ManyResults(Generic[T]):
    """An iterator over results, in the order in which they come. Leaving it early, with `close`, `with` or `break`,
    ends the workers at once; a worker that dies costs one file."""

    def __init__(self, paths: Iterable[FilePath], plan: BatchPlan, jobs: int | None) -> None:
        limits = worker_limits(plan.model, plan.settings, jobs)
        self.progress = Progress()
        self._pool = WorkerPool(plan, limits.jobs, limits.deadlines)
        self._results = _run(paths, plan.schema, self._pool, self.progress)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> FileResult[T]:
        return next(self._results)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._results.close()

    def abort(self) -> None:
        """As `close`, from another thread than the one that waits for the next result."""
        self._pool.abort()


def _run(
    paths: Iterable[FilePath], schema: Schema, pool: WorkerPool, progress: Progress
) -> Generator[FileResult[Any], None, None]:
    """Knows nothing of `ManyResults`: who lets go of that ends the workers."""
    documents: dict[Path, Document] = {}

    def opened(task: FileTask, message: Opened) -> KeptEntries:
        documents[task.path] = message.document
        return {}

    tasks = (FileTask(Path(path), is_asked=False) for path in paths)
    with pool:
        for task, message in pool.process(tasks, opened):
            match message:
                case PageRead():
                    progress.pages += 1
                case Finished(extraction) if extraction is not None:
                    progress.files += 1
                    result: Result[Any] = Result(documents.pop(task.path), extraction, schema.chosen(extraction.schema))
                    yield FileResult(task.path, result)
                case Failed(error):
                    documents.pop(task.path, None)
                    progress.files += 1
                    progress.failed += 1
                    yield FileResult(task.path, error=error)


@overload
def extract_many(
    paths: Iterable[FilePath],
    schema: type[T],
    *,
    model: str | None = None,
    passwords: Sequence[str] = (),
    accept_error: float | None = None,
    jobs: int | None = None,
) -> ManyResults[T]: ...
@overload
def extract_many(
    paths: Iterable[FilePath],
    schema: str | Mapping[str, Any] = "invoice",
    *,
    model: str | None = None,
    passwords: Sequence[str] = (),
    accept_error: float | None = None,
    jobs: int | None = None,
) -> ManyResults[Any]: ...
def extract_many(
    paths: Iterable[FilePath],
    schema: str | type[BaseModel] | Mapping[str, Any] = "invoice",
    *,
    model: str | None = None,
    passwords: Sequence[str] = (),
    accept_error: float | None = None,
    jobs: int | None = None,
) -> ManyResults[Any]:
    """Read many documents. Arguments are those of `extract`; `passwords` are tried in turn, `jobs` is the number of
    worker processes (default: as many as this machine can run).

    Each path gives one `FileResult`, as it comes: a file that cannot be read has an error in the place of a result.
    `progress` of what is returned says how far it is. Raises ModelError where no worker can work, with the first
    result, and UsageError where this process may not start others.
    """
    requested, settings = load_schema(schema), load_settings()
    check_may_start_workers(requested)
    rate = checked_accept_error(settings.accept_error if accept_error is None else accept_error)
    chosen = settings.model_copy(update={"accept_error": rate})
    name = ModelName.parse(model or settings.model)
    threads = worker_limits(name, settings, jobs).threads
    return ManyResults(paths, BatchPlan(requested, name, chosen, tuple(passwords), threads=threads), jobs)


async def extract_many_async(
    paths: Iterable[FilePath], schema: str | type[BaseModel] | Mapping[str, Any] = "invoice", **options: Any
) -> AsyncIterator[FileResult[Any]]:
    """`extract_many` for `async for`, with the same options. The event loop is never blocked: a thread waits for the
    results. Leaving the loop, or cancelling the task, ends the workers."""
    results = extract_many(paths, schema, **options)
    loop = asyncio.get_running_loop()
    end = object()
    thread = ThreadPoolExecutor(1, "docpipe")
    try:
        while True:
            item = await loop.run_in_executor(thread, next, results, end)
            if item is end:
                return
            yield item  # type: ignore[misc]
    finally:
        results.abort()  # so that the thread comes back from its wait
        await loop.run_in_executor(thread, results.close)
        thread.shutdown(wait=False)


async def extract_async(
    source: DocumentSource, schema: str | type[BaseModel] | Mapping[str, Any] = "invoice", **options: Any
) -> Result[Any]:
    """`extract`, with the same options, in a thread: the event loop goes on. When the task is cancelled the document is
    still read to its end."""
    result: Result[Any] = await asyncio.to_thread(lambda: extract(source, schema, **options))
    return result
