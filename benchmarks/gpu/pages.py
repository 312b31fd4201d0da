"""Pages to measure on, with what is printed there as the answer that every way of writing has to come to.

In: a number of pages, a backend's picture size. Out: a `Task` for each page: docpipe's own question, and its answer.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from docpipe.data import Page
from docpipe.extractors.generative.backend import Question, Reply, Slot, object_of
from docpipe.extractors.generative.extractor import GenerativeExtractor
from docpipe.ingest import ingest
from docpipe.paths import FieldPath
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.samples import SampleDocument, draw
from docpipe.schema import load_schema

SEED = 9_500_000  # far from training and from the other benchmarks
SCHEMA = "invoice"
WHOLE = "invoice"  # the slot of an answer in one object


@dataclass(frozen=True)
class Task:
    """`values` by slot, as they are printed; null and empty lists too."""

    question: Question
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The answer as one object, as a model without a grammar writes it."""
        return written(dict(self.values))

    @property
    def singles(self) -> Task:
        """The same page, asked for its single fields alone."""
        slots = tuple(slot for slot in self.question.slots if not _is_list(slot))
        return Task(replace(self.question, slots=slots), {slot.name: self.values[slot.name] for slot in slots})

    @property
    def in_one(self) -> Task:
        """The same, asked in one slot: one field after the other."""
        slots = self.question.slots
        value = object_of({slot.name: slot.value for slot in slots})
        whole = Slot(WHOLE, value, sum(slot.tokens for slot in slots))
        return Task(replace(self.question, slots=(whole,)), {WHOLE: dict(self.values)})


def written(value: Any) -> str:
    """As docpipe's grammar spells it."""
    return json.dumps(value, ensure_ascii=False)


def tasks(count: int, max_side: int) -> list[Task]:
    """Drawn invoices of one page each, the same on every machine."""
    schema, recorder = load_schema(SCHEMA), _Recorder(max_side)
    found: list[Task] = []
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as folder, Renderer() as renderer:
        for drawn in _single_pages():
            page = _page(drawn, Path(folder) / "page.pdf", renderer)
            GenerativeExtractor(recorder).extract_many([[page]], schema)
            question = recorder.asked.pop()
            found.append(Task(question, _values(question.slots, drawn)))
            if len(found) == count:
                break
    return found


@dataclass
class _Recorder:
    max_side: int
    name: str = "recorder:1"
    asked: list[Question] = field(default_factory=list)

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        self.asked += questions
        return [Reply(()) for _ in questions]


def _single_pages() -> Iterator[SampleDocument]:
    seed = SEED
    while True:
        drawn = draw(SCHEMA, seed, fonts="standard")
        seed += 1
        if drawn.page_count == 1:
            yield drawn


def _page(drawn: SampleDocument, path: Path, renderer: Renderer) -> Page:
    path.write_bytes(drawn.pdf)
    document = ingest(path, renderer=renderer)
    return PageReader(renderer).read(document, next(PageRasteriser(renderer).pages(document)))


def _values(slots: Sequence[Slot], drawn: SampleDocument) -> dict[str, Any]:
    printed: dict[str, str] = {}
    for placed in drawn.printed_values:
        printed.setdefault(placed.path, placed.text)
    return {slot.name: _rows(slot, printed) if _is_list(slot) else _fitting(slot.value, printed.get(slot.name))
            for slot in slots}  # fmt: skip


def _is_list(slot: Slot) -> bool:
    return slot.value["type"] == "array"


def _rows(slot: Slot, printed: Mapping[str, str]) -> list[dict[str, str | None]]:
    cells: Mapping[str, Any] = slot.value["items"]["properties"]
    paths = map(FieldPath.parse, printed)
    numbers = {path.row_number for path in paths if path.list_path == slot.name and path.row_number is not None}
    return [
        {name: _fitting(cell, printed.get(f"{slot.name}[{number}].{name}")) for name, cell in cells.items()}
        for number in sorted(numbers)
    ]


def _fitting(cell: Mapping[str, Any], text: str | None) -> str | None:
    """None where it may not be written: `net 30 days, see back` is no number."""
    if text is None or not re.fullmatch(str(cell.get("pattern", "(?s).*")).strip("^$"), text):
        return None
    return text if len(text) <= int(cell.get("maxLength", len(text))) else None
