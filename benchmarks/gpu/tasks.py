"""Pages to measure on, with what is printed there as the answer that every method of decoding has to come to.

In: a number of pages, a backend's image size. Out: a `PageTask` for each page: docpipe's own prompt, and its answer.
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
from docpipe.extractors.generative.backend import BackendReply, OutputSlot, Prompt, slots_schema
from docpipe.extractors.generative.picture_extractor import PictureExtractor
from docpipe.ingest import ingest
from docpipe.paths import FieldPath
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.samples import SampleDocument, draw
from docpipe.schema import load_schema

SEED = 9_500_000  # far from training and from the other benchmarks
SCHEMA = "invoice"
SINGLE_SLOT = "invoice"  # of an answer in one object


@dataclass(frozen=True)
class PageTask:
    """`values` by the names of the slots, as they are printed; null and empty lists too."""

    prompt: Prompt
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The answer as one object, as a model without a grammar writes it."""
        return as_json(dict(self.values))

    @property
    def singles(self) -> PageTask:
        """The same page, asked for its single fields alone."""
        slots = tuple(slot for slot in self.prompt.slots if not slot.is_list)
        return PageTask(replace(self.prompt, slots=slots), {slot.name: self.values[slot.name] for slot in slots})

    @property
    def in_one_slot(self) -> PageTask:
        """The same, asked in one slot: one field after the other."""
        slots = self.prompt.slots
        slot = OutputSlot(SINGLE_SLOT, slots_schema(slots), sum(slot.max_tokens for slot in slots))
        return PageTask(replace(self.prompt, slots=(slot,)), {SINGLE_SLOT: dict(self.values)})


def as_json(value: Any) -> str:
    """As docpipe's grammar writes it."""
    return json.dumps(value, ensure_ascii=False)


def draw_tasks(count: int, max_side: int) -> list[PageTask]:
    """Drawn invoices of one page each, the same on every machine."""
    schema, recorder = load_schema(SCHEMA), _Recorder(max_side)
    tasks: list[PageTask] = []
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as folder, Renderer() as renderer:
        for sample in _single_page_samples():
            page = _page(sample, Path(folder) / "page.pdf", renderer)
            PictureExtractor(recorder).extract_many([[page]], schema)
            prompt = recorder.prompts.pop()
            tasks.append(PageTask(prompt, _values(prompt.slots, sample)))
            if len(tasks) == count:
                break
    return tasks


@dataclass
class _Recorder:
    """A backend that keeps the prompts and writes nothing."""

    max_side: int
    name: str = "recorder:1"
    prompts: list[Prompt] = field(default_factory=list)

    def complete(self, prompts: Sequence[Prompt]) -> list[BackendReply]:
        self.prompts += prompts
        return [BackendReply(()) for _ in prompts]


def _single_page_samples() -> Iterator[SampleDocument]:
    seed = SEED
    while True:
        sample = draw(SCHEMA, seed, fonts="standard")
        seed += 1
        if sample.page_count == 1:
            yield sample


def _page(sample: SampleDocument, path: Path, renderer: Renderer) -> Page:
    path.write_bytes(sample.pdf)
    document = ingest(path, renderer=renderer)
    return PageReader(renderer).read(document, next(PageRasteriser(renderer).pages(document)))


def _values(slots: Sequence[OutputSlot], sample: SampleDocument) -> dict[str, Any]:
    printed: dict[str, str] = {}
    for value in sample.printed_values:
        printed.setdefault(value.path, value.text)
    return {
        slot.name: _rows(slot, printed) if slot.is_list else _fitting(slot.value_schema, printed.get(slot.name))
        for slot in slots
    }


def _rows(slot: OutputSlot, printed: Mapping[str, str]) -> list[dict[str, str | None]]:
    cells: Mapping[str, Any] = slot.value_schema["items"]["properties"]
    paths = map(FieldPath.parse, printed)
    numbers = {path.row_number for path in paths if path.list_path == slot.name and path.row_number is not None}
    return [
        {name: _fitting(cell, printed.get(f"{slot.name}[{number}].{name}")) for name, cell in cells.items()}
        for number in sorted(numbers)
    ]


def _fitting(value_schema: Mapping[str, Any], text: str | None) -> str | None:
    """None where it may not be written: `net 30 days, see back` is no number."""
    if text is None or not re.fullmatch(str(value_schema.get("pattern", "(?s).*")).strip("^$"), text):
        return None
    return text if len(text) <= int(value_schema.get("maxLength", len(text))) else None
