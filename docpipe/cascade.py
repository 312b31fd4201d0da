"""What is asked a second time: which fields are not sure, the places where they are thought to stand, and how two
answers become one.

In: decided fields, answers, pages. Out: paths, crops of pages, an Answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from docpipe.data import Answer, Box, Candidate, Field, Page, PageImage
from docpipe.paths import FieldPath
from docpipe.schema import Schema

if TYPE_CHECKING:
    from PIL.Image import Image

# Being absent is a claim as well: at less than this probability a field is asked for again.
# `python -m benchmarks.accuracy.cascade` counts what is asked and what is missed: of 82 errors in drawn documents 72
# are asked about, at .95 it would be 75, for 14 of 2,040 fields more (decision 14).
ABSENT_SURE = 0.9
REREADS_MOST = 6  # crops of one document: the least sure values first
REREAD_BELOW = 0.75  # confidence; an uncalibrated model accepts nothing, and not everything is to be read twice
MARGIN_LINES = 2.0  # around a value, in heights of its line: its label may stand above it
MARGIN_WIDTH = 0.2  # of the page to the left and to the right: or beside it


@dataclass(frozen=True, slots=True)
class CroppedImage:
    """A PageImage of a part of a page, in the page's own resolution."""

    whole: PageImage
    box: Box

    def open(self, *, max_side: int | None = None) -> Image:
        picture = self.whole.open()
        wide, high = picture.size
        corners = (self.box.left * wide, self.box.top * high, self.box.right * wide, self.box.bottom * high)
        left, top, right, bottom = (round(corner) for corner in corners)
        crop = picture.crop((left, top, max(left + 1, right), max(top + 1, bottom)))
        if max_side is not None and max(crop.size) > max_side:
            crop.thumbnail((max_side, max_side))
        return crop

    def turned(self, degrees: int) -> PageImage:
        box = self.box
        for _ in range(degrees // 90 % 4):
            box = Box(1 - box.bottom, box.left, 1 - box.top, box.right)
        return CroppedImage(self.whole.turned(degrees), box)


def uncertain_paths(fields: Sequence[Field], schema: Schema, absent_sure: float = ABSENT_SURE) -> tuple[str, ...]:
    """Templates of single fields and paths of lists that are not sure: a value that is not accepted, a list with such a
    cell or without rows, a field whose absence is not sure or that has to be there. In schema order."""
    by_path = {field.path: field for field in fields}
    lists = schema.lists()
    found: dict[str, None] = {}
    for spec in schema.fields:
        if spec.list_path is None:
            field = by_path.get(spec.path)
            if field is None or _is_unsure(field, spec.required, absent_sure):
                found[spec.path] = None
        elif spec.list_path not in found:
            cells = [field for field in fields if field.path.startswith(f"{spec.list_path}[") and field.raw is not None]
            required = {cell.path for cell in lists[spec.list_path] if cell.required}
            if not cells or any(_is_unsure(cell, cell.path in required, absent_sure) for cell in cells):
                found[spec.list_path] = None
    return tuple(found)


def merge_answers(first: Answer, second: Answer, asked: Collection[str]) -> Answer:
    """One answer of two: for single fields that both were asked about, a mixture in which both weigh the same; of a
    list the second's rows, if it found any; of one in which it broke off, if these are more than the first's."""
    theirs = {path for path in asked if _has_better_rows(second, first, path)}
    kept = [one for one in first.candidates if _list(one.path) not in theirs]
    shared = {path for path in asked if path in second.absent or any(one.path == path for one in second.candidates)}
    absent = {path: said for path, said in first.absent.items() if _list(path) not in theirs}
    absent |= {path: said for path, said in second.absent.items() if _list(path) in theirs}
    for path in shared:
        absent[path] = _absence(first, second, path)
    candidates = [
        *(_halved(one) if one.path in shared else one for one in kept),
        *(_halved(one) if one.path in shared else one for one in second.candidates if one.path in asked),
        *(one for one in second.candidates if _list(one.path) in theirs),
    ]
    both = replace(
        first,
        candidates=tuple(candidates),
        absent=absent,
        finish=first.finish if first.finish != "complete" else second.finish,
        issues=(*first.issues, *second.issues),
    )
    return with_cost(both, second.cost)


def _has_better_rows(second: Answer, first: Answer, path: str) -> bool:
    """Any at all; where the second's list broke off, more than the first has."""
    is_partial = any(issue.code == "partial" and issue.field == path for issue in second.issues)
    return _rows(second, path) > (_rows(first, path) if is_partial else 0)


def _rows(answer: Answer, path: str) -> int:
    cells = (FieldPath.parse(candidate.path) for candidate in answer.candidates)
    return len({cell.row_number for cell in cells if cell.list_path == path})


def with_cost(answer: Answer, cost: Mapping[str, float]) -> Answer:
    """The answer, with what another one cost."""
    return replace(
        answer,
        tokens_in=answer.tokens_in + int(cost.get("tokens_in", 0)),
        image_tokens=answer.image_tokens + int(cost.get("image_tokens", 0)),
        tokens_out=answer.tokens_out + int(cost.get("tokens_out", 0)),
        money=answer.money + cost.get("money", 0.0),
    )


def added(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Costs, summed up."""
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


def doubtful_regions(fields: Iterable[Field], pages: Sequence[Page]) -> dict[str, Page]:
    """Path of a doubtful single field -> the part of the page around its evidence, the least sure first."""
    by_number = {page.number: page for page in pages if page.image is not None}
    doubtful = sorted((one for one in fields if _is_to_reread(one)), key=lambda one: one.confidence)
    places = [(field, by_number.get(field.evidence[0].page)) for field in doubtful]
    return {field.path: _crop(field, page) for field, page in places[:REREADS_MOST] if page is not None}


def _crop(field: Field, page: Page) -> Page:
    quotes = [quote for quote in field.evidence if quote.page == page.number]
    box = quotes[0].box
    for quote in quotes[1:]:
        box = box.union(quote.box)
    high = MARGIN_LINES * (quotes[0].box.bottom - quotes[0].box.top)
    around = Box(
        max(0.0, box.left - MARGIN_WIDTH), max(0.0, box.top - high),
        min(1.0, box.right + MARGIN_WIDTH), min(1.0, box.bottom + high),
    )  # fmt: skip
    size = round(page.width * (around.right - around.left)), round(page.height * (around.bottom - around.top))
    assert page.image is not None  # noqa: S101 - `crops` chose it for that
    image = CroppedImage(page.image, around)
    return Page(page.number, max(1, size[0]), max(1, size[1]), page.dpi, image)


def _is_to_reread(field: Field) -> bool:
    is_single = not FieldPath.parse(field.path).is_cell
    return is_single and bool(field.evidence) and not field.accepted and field.confidence < REREAD_BELOW


def _is_unsure(field: Field, required: bool, absent_sure: float) -> bool:
    if field.raw is not None:
        return not field.accepted
    return required or field.confidence < absent_sure


def _list(path: str) -> str | None:
    """`line_items[2].amount` -> `line_items`; None for a single field."""
    return FieldPath.parse(path).list_path


def _halved(candidate: Candidate) -> Candidate:
    return replace(candidate, score=candidate.score / 2)


def _absence(first: Answer, second: Answer, path: str) -> float:
    """The mean of those who say how likely a field is absent; where nobody does, what the second's candidates leave."""
    said = [answer.absent[path] for answer in (first, second) if path in answer.absent]
    if said:
        return sum(said) / len(said)
    return max(0.0, 1.0 - sum(one.score for one in second.candidates if one.path == path))
