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

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from docpipe.batch.outcome import Outcome
from docpipe.data import Status
from docpipe.schema import Schema
from docpipe.text_normalisation import squeeze

MAX_ROWS = 30  # a screen; the rest is in the database
KEY_VALUES = 4
COLOURS: Mapping[Status, str] = {"complete": "green", "needs_review": "yellow", "failed": "red"}
URGENCY: Mapping[Status, int] = {"failed": 0, "needs_review": 1, "complete": 2}
WORDS: Mapping[Status, str] = {"complete": "complete", "needs_review": "to review", "failed": "failed"}
PLAIN_WIDTH = 160  # of the table where standard error is a file or a pipe


@dataclass(slots=True)
class Pace:
    """How far a file is, or all the files that are done."""

    pages: int
    read: int


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Outcomes are not kept: those of ten thousand documents would fill the memory."""

    file: Path
    status: Status
    word: str
    values: str
    look_at: str


class RunView:
    """Follows a run of `total` files. On a terminal a live bar; elsewhere one plain line for each document."""

    def __init__(self, schema: Schema, total: int) -> None:
        self._console = Console(stderr=True, emoji=False)
        if not self._console.is_terminal:
            self._console = Console(stderr=True, width=PLAIN_WIDTH, emoji=False)
        self._schema = schema
        self._total = total
        self._in_work: dict[Path, Pace] = {}
        self._finished = Pace(0, 0)  # of all files that are done; one that was refused counts as a page
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
        self._rows: list[Row] = []
        self._unchanged = 0

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task("loading", total=None, documents=f"0/{self._total}", pages=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def opened(self, file: Path, pages: int) -> None:
        """A file was taken in; it has so many pages."""
        self._in_work[file] = Pace(pages, 0)
        self._draw()

    def page_read(self, file: Path) -> None:
        self._in_work[file].read += 1
        self._draw()

    def done(self, outcome: Outcome) -> None:
        word = f"{outcome.status}, unchanged" if outcome.unchanged else outcome.status
        row = Row(outcome.path, outcome.status, word, key_values(outcome, self._schema), look_at(outcome))
        self._rows.append(row)
        self._unchanged += outcome.unchanged
        pace = self._in_work.pop(outcome.path, Pace(1, 0))
        self._finished.pages += pace.pages
        self._finished.read += pace.read
        self._draw()
        if not self._console.is_terminal:
            head = f"[{len(self._rows)}/{self._total}] {row.file}: {row.word}"
            self._console.print(": ".join(filter(None, (head, row.look_at))), markup=False, soft_wrap=True)

    def summary(self) -> None:
        """The table with what needs a person first, and the counts."""
        if not self._rows:
            return
        self._console.print(self._table())
        hidden = len(self._rows) - MAX_ROWS
        if hidden > 0:
            self._console.print(f"… and {hidden} more, all of them in the database.")
        self._console.print(self._counts(), markup=False, soft_wrap=True)

    def go_on(self, commands: Sequence[str]) -> None:
        self._console.print("Go on with:", *commands, sep="\n  ", markup=False, soft_wrap=True, highlight=False)

    def _draw(self) -> None:
        """Time left goes by pages; a file that is not open yet counts as many as the average so far."""
        if self._task is None:
            return
        met = len(self._rows) + len(self._in_work)
        pages = self._finished.pages + sum(pace.pages for pace in self._in_work.values())
        read = sum(pace.read for pace in self._in_work.values())
        self._bar.update(
            self._task,
            description="reading",
            total=pages + (self._total - met) * pages / max(1, met),
            completed=self._finished.pages + read,
            documents=f"{len(self._rows)}/{self._total}",
            pages=self._finished.read + read,
        )

    def _table(self) -> Table:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("file", overflow="fold", ratio=3)
        table.add_column("status", no_wrap=True)
        table.add_column("values", overflow="fold", ratio=4)
        table.add_column("look at", overflow="fold", ratio=5)
        for row in sorted(self._rows, key=lambda row: (URGENCY[row.status], str(row.file)))[:MAX_ROWS]:
            status = f"[{COLOURS[row.status]}]{row.word}[/]"
            table.add_row(escape(row.file.name), status, escape(row.values), escape(row.look_at))
        return table

    def _counts(self) -> str:
        """`76 of 76 files: 40 complete, 6 to review, 30 failed (12 unchanged since an earlier run)`."""
        by_status = Counter(row.status for row in self._rows)
        parts = [f"{by_status[status]} {word}" for status, word in WORDS.items() if by_status[status]]
        unchanged = f" ({self._unchanged} unchanged since an earlier run)" if self._unchanged else ""
        open_files = self._total - len(self._rows)
        missing = f"; {open_files} not begun or not finished" if open_files else ""
        return f"{len(self._rows)} of {self._total} files: {', '.join(parts)}{unchanged}{missing}"


def key_values(outcome: Outcome, schema: Schema) -> str:
    """The values by which a person knows the document: those that the schema requires, else its first ones."""
    if outcome.extraction is None:
        return ""
    schema = schema.chosen(outcome.extraction.schema)
    single = [spec.path for spec in schema.fields if spec.list_path is None]
    required = [spec.path for spec in schema.fields if spec.required and spec.list_path is None]
    found = {item.path: item.value for item in outcome.extraction.fields if item.value is not None}
    chosen = [path for path in required or single if path in found][:KEY_VALUES]
    return " · ".join(" ".join(str(found[path]).split()) for path in chosen)


def look_at(outcome: Outcome) -> str:
    """What a person should look at first: the error, or the worst doubt."""
    if outcome.error is not None:
        return " ".join(filter(None, (_sentence(outcome.error.message), outcome.error.hint)))
    doubts = outcome.doubts()
    if not doubts:
        return ""
    first = doubts[0]
    named = first.field is None or squeeze(first.field) in squeeze(first.message)
    more = f" (+{len(doubts) - 1} more)" if len(doubts) > 1 else ""
    return (first.message if named else f"{first.field}: {first.message}") + more


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else text + "."
