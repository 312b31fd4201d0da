"""Drawn documents become examples: the truth and its boxes come from the drawing, the words from the pipeline's reader.

In: a `samples.SampleDocument` and its pages as read. Out: one `Example` per page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Box, Page
from docpipe.paths import FieldPath
from docpipe.samples import PrintedValue, SampleDocument
from docpipe.vlm.encode import canvas_picture
from docpipe.vlm.training.data.align_labels import span_in_boxes
from docpipe.vlm.training.data.examples import Example, PicturedExample, Span

PICTURE_SIDE = 1280  # pixels the page is drawn at before it is fitted to the canvas
Warp = NDArray[np.float64]  # [3, 3] homography in fractions of the page


@dataclass(frozen=True, slots=True)
class PageLabels:
    labels: Mapping[str, list[Span]]  # as those of `Example`
    rows: Mapping[str, tuple[int, ...]]


def sample_examples(
    sample: SampleDocument, pages: Sequence[Page], *, origin: str, name: str, warps: Mapping[int, Warp] | None = None
) -> Iterator[PicturedExample]:
    """`warps` has the homography of each page between drawing and reading, by page number."""
    for page in pages:
        if page.image is None or not page.words:
            continue
        printed = [value for value in sample.printed_values if value.page == page.number]
        labels_of_page = page_labels(printed, sample.field_descriptions, page, (warps or {}).get(page.number))
        # the blanks of a form are named after their captions, which say nothing sure about what stands in them
        kinds = {path: "text" if sample.schema == "form" else group_by_name(path) for path in sample.field_descriptions}
        example = Example(
            origin=origin,
            group=name,
            schema=sample.schema,
            aspect=page.height / page.width,
            words=page.words,
            labels=labels_of_page.labels,
            prompts=dict(sample.field_descriptions),
            kinds=kinds,
            rows=labels_of_page.rows,
        )
        yield PicturedExample(example, canvas_picture(page.image.open(max_side=PICTURE_SIDE)))


def page_labels(
    printed_values: Sequence[PrintedValue], fields: Mapping[str, str], page: Page, warp: Warp | None
) -> PageLabels:
    """Every field of the document: its spans on this page, [] when it is not there, and for columns of lists the row
    of each span; a field with a value that the reader lost is unknown."""
    rows_of_spans: dict[str, dict[Span, int]] = {path: {} for path in fields}
    lost_paths = set()
    for value in printed_values:
        path = FieldPath.parse(value.path).template
        span = span_in_boxes(page.words, [warped(box, warp) for box in value.boxes])
        if not span:
            lost_paths.add(path)
            continue
        rows_of_spans.setdefault(path, {})[span] = row_of(value.path)
    known = {path: dict(sorted(spans.items())) for path, spans in rows_of_spans.items() if path not in lost_paths}
    labels = {path: list(spans) for path, spans in known.items()}
    rows = {path: tuple(spans.values()) for path, spans in known.items() if spans and FieldPath.parse(path).is_cell}
    return PageLabels(labels, rows)


def row_of(path: str) -> int:
    """`line_items[3].amount` -> 3; 0 for what does not repeat."""
    return FieldPath.parse(path).row_number or 0


def warped(box: Box, warp: Warp | None) -> Box:
    """The upright box around a box after the page was warped."""
    if warp is None:
        return box
    corners = np.array([(x, y, 1.0) for x in (box.left, box.right) for y in (box.top, box.bottom)])
    projected = corners @ warp.T
    points = projected[:, :2] / projected[:, 2:]
    return Box(*(float(v) for v in (points[:, 0].min(), points[:, 1].min(), points[:, 0].max(), points[:, 1].max())))


def group_by_name(path: str) -> str:
    """The group for a field of a document type without a schema class."""
    parts = set(path.rpartition(".")[2].split("_"))
    for group, name_parts in (
        ("date", {"date", "from", "to", "until"}),
        ("number", {"amount", "total", "price", "tax", "quantity", "balance", "rate", "net", "subtotal", "tip"}),
        ("identifier", {"number", "id", "iban", "reference", "code", "num", "order", "phone"}),
        ("address", {"address"}),
        ("name", {"name", "buyer", "seller", "advertiser", "agency", "registrant", "signer"}),
    ):
        if parts & name_parts:
            return group
    return "text"
