"""How a run looks: a progress bar while it works, then a table and the commands to go on with.

In: outcomes as they come. Out: text on standard error; standard output is for results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from docpipe.batch.outcome import Outcome
from docpipe.cli.terminal import COLOURS, open_console, plain_table
from docpipe.cli.wording import counted, explained
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


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A line of the table. Outcomes are not kept: those of ten thousand documents would fill the memory."""

    file: Path
    status: Status
    status_text: str
    values: str
    issue_text: str


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
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._rows: list[SummaryRow] = []
        self._unchanged = 0

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("loading", total=None, documents=f"0/{self._total}", pages=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def opened(self, file: Path, pages: int) -> None:
        """A file was taken in; it has so many pages."""
        self._in_progress[file] = PageProgress(pages, 0)
        self._draw()

    def page_read(self, file: Path) -> None:
        self._in_progress[file].read += 1
        self._draw()

    def done(self, outcome: Outcome) -> None:
        status_text = f"{outcome.status}, unchanged" if outcome.unchanged else outcome.status
        values = key_values(outcome, self.schema)
        row = SummaryRow(outcome.path, outcome.status, status_text, values, first_issue_text(outcome))
        self._rows.append(row)
        self._unchanged += outcome.unchanged
        progress = self._in_progress.pop(outcome.path, PageProgress(1, 0))
        self._finished.pages += progress.pages
        self._finished.read += progress.read
        self._draw()
        if not self._console.is_terminal:
            head = f"[{len(self._rows)}/{self._total}] {row.file}: {row.status_text}"
            self._console.print(": ".join(filter(None, (head, row.issue_text))), markup=False, soft_wrap=True)

    def summary(self) -> None:
        """The table with what needs a person first, and the counts."""
        if not self._rows:
            return
        self._console.print(self._table())
        hidden = len(self._rows) - MAX_ROWS
        if hidden > 0:
            self._console.print(f"… and {hidden} more, all of them in the database.")
        self._console.print(self._counts(), markup=False, soft_wrap=True)

    def pass_over(self, files: Sequence[Path]) -> None:
        """Files that docpipe made itself, which lay among the documents."""
        if not files:
            return
        names = ", ".join(str(file) for file in files[:MAX_NAMED])
        more = f" and {len(files) - MAX_NAMED} more" if len(files) > MAX_NAMED else ""
        text = f"{counted(len(files), 'file')} of docpipe's own passed over: {names}{more}"
        self._console.print(text, markup=False, soft_wrap=True, highlight=False)

    def suggest(self, commands: Sequence[str]) -> None:
        self._console.print("Go on with:", *commands, sep="\n  ", markup=False, soft_wrap=True, highlight=False)

    def _draw(self) -> None:
        """Time left goes by pages; a file that is not open yet counts as many as the average so far."""
        if self._task is None:
            return
        opened = len(self._rows) + len(self._in_progress)
        pages = self._finished.pages + sum(progress.pages for progress in self._in_progress.values())
        read = sum(progress.read for progress in self._in_progress.values())
        self._bar.update(
            self._task,
            description="reading",
            total=pages + (self._total - opened) * pages / max(1, opened),
            completed=self._finished.pages + read,
            documents=f"{len(self._rows)}/{self._total}",
            pages=self._finished.read + read,
        )

    def _table(self) -> Table:
        table = plain_table()
        table.add_column("file", overflow="fold", ratio=3)
        table.add_column("status", no_wrap=True)
        table.add_column("values", overflow="fold", ratio=4)
        table.add_column("look at", overflow="fold", ratio=5)
        for row in sorted(self._rows, key=lambda row: (URGENCY[row.status], str(row.file)))[:MAX_ROWS]:
            status = f"[{COLOURS[row.status]}]{row.status_text}[/]"
            table.add_row(escape(row.file.name), status, escape(row.values), escape(row.issue_text))
        return table

    def _counts(self) -> str:
        """`76 of 76 files: 40 complete, 6 to review, 30 failed (12 unchanged since an earlier run)`."""
        by_status = Counter(row.status for row in self._rows)
        parts = [f"{by_status[status]} {word}" for status, word in WORDS.items() if by_status[status]]
        unchanged = f" ({self._unchanged} unchanged since an earlier run)" if self._unchanged else ""
        unfinished = self._total - len(self._rows)
        missing = f"; {unfinished} not begun or not finished" if unfinished else ""
        return f"{len(self._rows)} of {self._total} files: {', '.join(parts)}{unchanged}{missing}"


def key_values(outcome: Outcome, schema: Schema) -> str:
    """The values by which a person knows the document: those that the schema requires, else its first ones."""
    if outcome.extraction is None:
        return ""
    schema = schema.chosen(outcome.extraction.schema)
    single = [spec.path for spec in schema.fields if spec.list_path is None]
    required = [spec.path for spec in schema.fields if spec.required and spec.list_path is None]
    values = {field.path: field.value for field in outcome.extraction.fields if field.value is not None}
    paths = [path for path in required or single if path in values][:KEY_VALUES]
    return " · ".join(" ".join(str(values[path]).split()) for path in paths)


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
