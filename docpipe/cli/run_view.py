"""How a run looks: a progress bar while it works, then a table and the commands to go on with.

In: outcomes as they come. Out: text on standard error; standard output is for results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from docpipe.batch.outcome import Outcome
from docpipe.cli.document_table import DocumentRow, document_table
from docpipe.cli.terminal import is_quiet, is_verbose, open_console
from docpipe.cli.time_left import TimeLeft
from docpipe.cli.wording import counted, duration, explained
from docpipe.data import Status
from docpipe.schema import Schema
from docpipe.text_normalisation import squeeze

MAX_ROWS = 30  # a screen; the rest is in the database
KEY_VALUES = 4
MAX_NAMED = 5  # files that were passed over
URGENCY: Mapping[Status, int] = {"failed": 0, "needs_review": 1, "complete": 2}
WORDS: Mapping[Status, str] = {"complete": "complete", "needs_review": "to review", "failed": "failed"}


@dataclass(slots=True)
class PageProgress:
    """Of one file, or of all files that are done."""

    pages: int
    read: int


class RunView:
    """Follows a run of `total` files. On a terminal a live bar; elsewhere one plain line for each document."""

    def __init__(self, schema: Schema, total: int) -> None:
        self._console = open_console(stderr=True)
        self.schema = schema
        self._total = total
        self._in_progress: dict[Path, PageProgress] = {}
        self._finished = PageProgress(0, 0)  # of all files that are done; one that was refused counts as a page
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[documents]} documents · {task.fields[pages]} pages"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._rows: list[DocumentRow] = []
        self._unchanged = 0
        self._time_left = TimeLeft(total)

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("loading", total=None, documents=f"0/{self._total}", pages=0, left="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def opened(self, file: Path, pages: int) -> None:
        """A file was taken in; it has so many pages."""
        self._in_progress[file] = PageProgress(pages, 0)
        self._time_left.opened(pages)
        self._draw()

    def page_read(self, file: Path) -> None:
        self._in_progress[file].read += 1
        self._draw()

    def done(self, outcome: Outcome) -> None:
        word = WORDS[outcome.status]
        status_text = f"{word}, unchanged" if outcome.unchanged else word
        values, issue_text = key_values(outcome, self.schema), first_issue_text(outcome)
        row = DocumentRow(outcome.path.name, outcome.document_id or "", outcome.status, status_text, values, issue_text)
        self._rows.append(row)
        self._unchanged += outcome.unchanged
        progress = self._in_progress.pop(outcome.path, None)
        if progress is None:  # it was refused before it was open
            self._time_left.opened(1)
            progress = PageProgress(1, 0)
        self._finished.pages += progress.pages
        self._finished.read += progress.read
        self._draw()
        if not self._console.is_terminal:
            head = f"[{len(self._rows)}/{self._total}] {outcome.path}: {row.status_text}"
            self._console.print(": ".join(filter(None, (head, row.issue_text))), markup=False, soft_wrap=True)
        if is_quiet() and outcome.error is not None:
            click.echo(f"{outcome.path}: failed: {row.issue_text}", err=True)
        if is_verbose() and outcome.extraction is not None:
            steps = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in outcome.extraction.timings.items())
            pages, extractor = counted(outcome.pages, "page"), outcome.extraction.extractor
            self._console.print(f"{outcome.path}: {pages}, {steps}; {extractor}", markup=False, soft_wrap=True)

    def summary(self) -> None:
        """The table with what needs a person first, and the counts."""
        if not self._rows:
            return
        rows = sorted(self._rows, key=lambda row: (URGENCY[row.status], row.name))[:MAX_ROWS]
        self._console.print(document_table(rows, self._console.width))
        hidden = len(self._rows) - MAX_ROWS
        if hidden > 0:
            self._console.print(f"… and {hidden} more, all of them in the database.")
        self._console.print(self._counts(), markup=False, soft_wrap=True)

    def pass_over(self, own: Sequence[Path], excluded: Sequence[Path] = ()) -> None:
        """Files that docpipe made itself, which lay among the documents, and those that a pattern leaves out."""
        for files, what in ((own, "of docpipe's own passed over"), (excluded, "left out by a pattern")):
            if files:
                names = ", ".join(str(file) for file in files[:MAX_NAMED])
                more = f" and {len(files) - MAX_NAMED} more" if len(files) > MAX_NAMED else ""
                text = f"{counted(len(files), 'file')} {what}: {names}{more}"
                self._console.print(text, markup=False, soft_wrap=True, highlight=False)

    def suggest(self, commands: Sequence[str]) -> None:
        self._console.print("Go on with:", *commands, sep="\n  ", markup=False, soft_wrap=True, highlight=False)

    def _draw(self) -> None:
        if self._task is None:
            return
        read = sum(progress.read for progress in self._in_progress.values())
        done = self._finished.pages + read
        seconds = self._time_left.seconds(done)
        self._bar.update(
            self._task,
            description="reading",
            total=self._time_left.expected_pages,
            completed=done,
            left="" if seconds is None else f"about {duration(timedelta(seconds=seconds))} left",
            documents=f"{len(self._rows)}/{self._total}",
            pages=self._finished.read + read,
        )

    def _counts(self) -> str:
        """`76 of 76 files: 40 complete, 6 to review, 30 failed (12 unchanged since an earlier run)`."""
        by_status = Counter(row.status for row in self._rows)
        parts = [f"{by_status[status]} {word}" for status, word in WORDS.items() if by_status[status]]
        unchanged = f" ({self._unchanged} unchanged since an earlier run)" if self._unchanged else ""
        unfinished = self._total - len(self._rows)
        missing = f"; {unfinished} not begun or not finished" if unfinished else ""
        return f"{len(self._rows)} of {self._total} files: {', '.join(parts)}{unchanged}{missing}"


def key_values(outcome: Outcome, schema: Schema) -> tuple[str, ...]:
    """The values by which a person knows the document: those that the schema requires, else its first ones."""
    if outcome.extraction is None:
        return ()
    schema = schema.chosen(outcome.extraction.schema)
    single = [spec.path for spec in schema.fields if spec.list_path is None]
    required = [spec.path for spec in schema.fields if spec.required and spec.list_path is None]
    values = {field.path: field.value for field in outcome.extraction.fields if field.value is not None}
    paths = [path for path in required or single if path in values][:KEY_VALUES]
    return tuple(" ".join(str(values[path]).split()) for path in paths)


def first_issue_text(outcome: Outcome) -> str:
    """What a person should look at first: the error, or the most severe issue."""
    if outcome.error is not None:
        return explained(outcome.error.message, outcome.error.hint)
    issues = outcome.issues_to_review()
    if not issues:
        return ""
    first = issues[0]
    named = first.field is None or squeeze(first.field) in squeeze(first.message)
    more = f" (+{len(issues) - 1} more)" if len(issues) > 1 else ""
    return (first.message if named else f"{first.field}: {first.message}") + more
