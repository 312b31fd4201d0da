"""The block of document data: number, dates, references.

In: entries of label and value. Out: drawn as a list, a grid, a table with the labels above the values, or boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.truth import RichText, plain_text, text_runs

NARROW_SHARE = 0.7  # of the page's inner width: below it, entries do not stand beside each other
MAX_LABEL_SHARE = 0.6  # of the block's width
MIN_VALUE_WIDTH = 90.0  # points


@dataclass(frozen=True)
class MetadataEntry:
    label: str
    value: RichText


def draw_metadata(context: DrawingContext, entries: Sequence[MetadataEntry], start: Point, width: float) -> float:
    """Draws the entries with the first baseline at `start`; gives the y below."""
    narrow = width < context.inner_width * NARROW_SHARE
    form = context.rng.pick(
        ("list", "list", "list", "right", "run on", "boxes")
        if narrow
        else ("list", "grid", "table", "table", "two lists", "run on")
    )
    if form in ("grid", "table"):
        return _draw_labels_above(context, entries, start, width, boxed=form == "grid")
    if form == "two lists" and len(entries) > 2:
        half = (len(entries) + 1) // 2
        y = _draw_list(context, entries[:half], start, width * 0.48)
        second = Point(start.x + width * 0.52, start.y)
        return max(y, _draw_list(context, entries[half:], second, width * 0.48))
    if form == "run on":
        return _draw_run_on(context, entries, start, width)
    if form == "boxes":
        return _draw_boxes(context, entries, start, width)
    return _draw_list(context, entries, start, width, align_right=form == "right")


def _draw_list(
    context: DrawingContext, entries: Sequence[MetadataEntry], start: Point, width: float, *, align_right: bool = False
) -> float:
    """Labels in one column, values in the next."""
    (x, y), typography, rng, canvas = start, context.typography, context.rng, context.canvas
    label_style = typography.bold if rng.chance(0.35) else typography.text
    colon = rng.pick(("", ":", ":", " :"))
    step = typography.line_height * rng.pick((1.0, 1.1, 1.35))
    widest = max(label_style.width(entry.label + colon) for entry in entries)
    label_width = min(widest, width * MAX_LABEL_SHARE) + typography.text.size * rng.pick((0.8, 1.5, 3))
    top = y
    for entry in entries:
        if rng.chance(0.02):
            y += step * 0.5
        label, value = entry.label + colon, plain_text(entry.value)
        canvas.write(x, y, label if entry.label else "", label_style.fitted_to(label, width * MAX_LABEL_SHARE))
        if align_right:
            available = width - label_style.width(label) - 6
            canvas.write(x + width, y, entry.value, typography.text.fitted_to(value, available), "right")
            y += step
        elif typography.text.width(value) > width - label_width:
            value_start, value_width = Point(x + label_width, y), max(width - label_width, MIN_VALUE_WIDTH)
            y = canvas.write_paragraph(value_start, value_width, entry.value, typography.text)
            y = y + step - typography.text.size * 1.2
        else:
            canvas.write(x + label_width, y, entry.value, typography.text)
            y += step
    if rng.chance(0.15):
        line_height = typography.line_height
        canvas.draw(RectangleStroke(x - 5, top - line_height, width + 10, y - top + line_height * 0.4))
    return y


def _draw_run_on(context: DrawingContext, entries: Sequence[MetadataEntry], start: Point, width: float) -> float:
    """`Label: value`, each on its line, the value right behind the label."""
    (x, y), typography = start, context.typography
    separator = context.rng.pick((": ", ": ", " ", " : ", ". "))
    available = context.right - x if x > context.inner_width / 2 else width
    for entry in entries:
        line = [entry.label, separator if entry.label else "", *text_runs(entry.value)]
        y = context.canvas.write_paragraph(Point(x, y), available, line, typography.text, leading=typography.leading)
    return y


def _draw_labels_above(
    context: DrawingContext, entries: Sequence[MetadataEntry], start: Point, width: float, *, boxed: bool
) -> float:
    """Labels with the values below them."""
    (x, y), typography, rng, canvas = start, context.typography, context.rng, context.canvas
    per_row = rng.pick((3, 4, 5))
    line_height = typography.line_height
    label_style = rng.pick((typography.bold, typography.small, typography.accented))
    fill = typography.background if rng.chance(0.4) else None
    for first in range(0, len(entries), per_row):
        row = entries[first : first + per_row]
        cell_width = width / len(row)
        bottom = y
        for number, entry in enumerate(row):
            left = x + number * cell_width
            if boxed:
                canvas.draw(RectangleStroke(left, y - line_height, cell_width, line_height * 2.6))
            elif fill is not None:
                canvas.draw(RectangleStroke(left, y - line_height, cell_width, line_height * 1.3, fill, None))
            canvas.write(left + 3, y, entry.label, label_style)
            below = canvas.write_paragraph(
                Point(left + 3, y + line_height * 1.25), cell_width - 6, entry.value, typography.text
            )
            bottom = max(bottom, below)
        y = bottom + line_height * 1.2
    return y - line_height * 0.8


def _draw_boxes(context: DrawingContext, entries: Sequence[MetadataEntry], start: Point, width: float) -> float:
    """A ruled table of labels and values."""
    (x, y), typography, rng, canvas = start, context.typography, context.rng, context.canvas
    height, label_share = typography.line_height * 1.35, rng.pick((0.42, 0.5))
    label_width, value_width = width * label_share, width * (1 - label_share)
    fill = typography.background if rng.chance(0.5) else None
    for entry in entries:
        top = y - typography.line_height
        canvas.draw(
            RectangleStroke(x, top, label_width, height, fill),
            RectangleStroke(x + label_width, top, value_width, height),
        )
        label_style = typography.bold if fill else typography.text
        canvas.write(x + 3, y, entry.label, label_style.fitted_to(entry.label, label_width - 6))
        value_style = typography.text.fitted_to(plain_text(entry.value), value_width - 8)
        canvas.write(x + label_width + 4, y, entry.value, value_style)
        y += height
    return y
