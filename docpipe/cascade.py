"""A second extractor for what the first is not sure of: which fields that are, and the regions in which their values
stand. docpipe/mixture.py makes one answer of two.

In: decided fields, pages. Out: paths, regions of pages. docpipe/understanding.py asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from docpipe.data import Answer, Box, Field, Page
from docpipe.errors import DocpipeError
from docpipe.page_images import CroppedImage
from docpipe.paths import FieldPath
from docpipe.ports import Extractor
from docpipe.rule_check import lists_that_add_up
from docpipe.rule_scope import cell_of
from docpipe.schema import Schema

# Being absent is a claim as well: at less than this probability a field is asked for again.
# `python -m benchmarks.accuracy.cascade` counts what is asked and what is missed: of 82 errors in drawn documents 72
# are asked about, at .95 it would be 75, for 14 of 2,040 fields more (decision 14).
ABSENT_SURE = 0.9
MAX_REGIONS = 6  # of one document: those of the least sure values
REGION_CONFIDENCE = 0.75  # confidence; an uncalibrated model accepts nothing, and not everything is to be read twice
MARGIN_LINES = 2.0  # around a value, in heights of its line: its label may stand above it
MARGIN_WIDTH = 0.2  # of the page to the left and to the right: or beside it


@dataclass(frozen=True, slots=True)
class Cascade:
    """Two extractors, of which the second is asked about the fields that the first is not sure of."""

    first: Extractor
    second: Extractor

    @property
    def name(self) -> str:
        return f"{self.first.name},{self.second.name}"

    @property
    def batch_size(self) -> int:
        return max(self.first.batch_size, self.second.batch_size)

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """The first one's answer: what is sure is known when the values are decided, and the second is asked then."""
        return self.first.extract(pages, schema)

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> Sequence[Answer | DocpipeError]:
        return self.first.extract_many(batch, schema)


def uncertain_paths(fields: Sequence[Field], schema: Schema, absent_sure: float = ABSENT_SURE) -> tuple[str, ...]:
    """Templates of single fields and paths of lists that are not sure: a value that is not accepted, a field whose
    absence is not sure or that has to be there, a list without rows or without a cell that has to be there. A list with
    a cell that is not accepted is sure all the same where it adds up to the document's totals. In schema order."""
    by_path = {field.path: field for field in fields}
    proven = lists_that_add_up(fields, schema)
    columns = schema.lists()
    uncertain: dict[str, None] = {}
    for spec in schema.fields:
        if spec.list_path is None:
            field = by_path.get(spec.path)
            if field is None or _is_uncertain(field, spec.required, absent_sure):
                uncertain[spec.path] = None
        elif spec.list_path not in uncertain:
            cells = [field for field in fields if field.path.startswith(f"{spec.list_path}[") and field.raw is not None]
            required = [column.path for column in columns[spec.list_path] if column.required]
            is_whole = all(_is_in_each_row(column, cells) for column in required)
            is_sure = spec.list_path in proven or all(cell.accepted for cell in cells)
            if not cells or not is_whole or not is_sure:
                uncertain[spec.list_path] = None
    return tuple(uncertain)


def _is_in_each_row(column: str, cells: Sequence[Field]) -> bool:
    paths = {cell.path for cell in cells}
    return all(cell_of(column, row) in paths for row in {FieldPath.parse(path).row for path in paths})


def _is_uncertain(field: Field, required: bool, absent_sure: float) -> bool:
    if field.raw is not None:
        return not field.accepted
    return required or field.confidence < absent_sure


def doubtful_regions(fields: Iterable[Field], pages: Sequence[Page]) -> dict[str, Page]:
    """Path of a doubtful single field -> the region of the page around its evidence, the least sure first."""
    by_number = {page.number: page for page in pages if page.image is not None}
    doubtful = sorted((field for field in fields if _is_doubtful(field)), key=lambda field: field.confidence)
    on_pages = [(field, by_number.get(field.evidence[0].page)) for field in doubtful]
    return {field.path: _region(field, page) for field, page in on_pages[:MAX_REGIONS] if page is not None}


def _is_doubtful(field: Field) -> bool:
    is_single = not FieldPath.parse(field.path).is_cell
    return is_single and bool(field.evidence) and not field.accepted and field.confidence < REGION_CONFIDENCE


def _region(field: Field, page: Page) -> Page:
    """A page whose picture is the surroundings of the field's evidence."""
    quotes = [quote for quote in field.evidence if quote.page == page.number]
    box = quotes[0].box
    for quote in quotes[1:]:
        box = box.union(quote.box)
    margin = MARGIN_LINES * (quotes[0].box.bottom - quotes[0].box.top)
    around = Box(
        max(0.0, box.left - MARGIN_WIDTH), max(0.0, box.top - margin),
        min(1.0, box.right + MARGIN_WIDTH), min(1.0, box.bottom + margin),
    )  # fmt: skip
    width, height = round(page.width * (around.right - around.left)), round(page.height * (around.bottom - around.top))
    assert page.image is not None  # noqa: S101 - `doubtful_regions` chose it for that
    return Page(page.number, max(1, width), max(1, height), page.dpi, CroppedImage(page.image, around))
