"""The block of document data: number, dates, references.

In: entries of label and value. Out: drawn as a list, a grid, a table with headings above the values, or boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docpipe.samples.canvas.canvas import FieldText, TextRun
from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.documents.invoice.letterhead import DrawingContext


@dataclass(frozen=True)
class MetadataEntry:
    label: str
    value: TextRun | Sequence[TextRun]

    @property
    def runs(self) -> list[TextRun]:
        return [self.value] if isinstance(self.value, str | FieldText) else list(self.value)

    @property
    def text(self) -> str:
        return "".join(piece.text if isinstance(piece, FieldText) else piece for piece in self.runs)


def draw_metadata(
    context: DrawingContext, entries: Sequence[MetadataEntry], at: tuple[float, float], width: float
) -> float:
    """Draws the entries with the first baseline at `at`; gives the y below."""
    narrow = width < context.inner_width * 0.7
    kind = context.rng.pick(
        ("list", "list", "list", "right", "run", "boxes")
        if narrow
        else ("list", "grid", "table", "table", "two", "run")
    )
    if kind in ("grid", "table"):
        return _draw_labels_above(context, entries, at, width, boxed=kind == "grid")
    if kind == "two" and len(entries) > 2:
        half = (len(entries) + 1) // 2
        x, y = at
        first = _draw_list(context, entries[:half], at, width * 0.48)
        return max(first, _draw_list(context, entries[half:], (x + width * 0.52, y), width * 0.48))
    if kind == "run":
        return _draw_run_on(context, entries, at, width)
    if kind == "boxes":
        return _draw_boxes(context, entries, at, width)
    return _draw_list(context, entries, at, width, right=kind == "right")


def _draw_list(
    context: DrawingContext,
    entries: Sequence[MetadataEntry],
    at: tuple[float, float],
    width: float,
    *,
    right: bool = False,
) -> float:
    """Labels in one column, values in the next."""
    (x, y), typography, rng, canvas = at, context.typography, context.rng, context.canvas
    text_style = typography.bold if rng.chance(0.35) else typography.text
    colon = rng.pick(("", ":", ":", " :"))
    step = typography.line_height * rng.pick((1.0, 1.1, 1.35))
    column = min(
        max(text_style.width(entry.label + colon) for entry in entries), width * 0.6
    ) + typography.text.size * rng.pick((0.8, 1.5, 3))
    top = y
    for entry in entries:
        if rng.chance(0.02):
            y += step * 0.5
        canvas.write(
            x, y, entry.label + colon if entry.label else "", text_style.fitted_to(entry.label + colon, width * 0.6)
        )
        if right:
            room = width - text_style.width(entry.label + colon) - 6
            canvas.write(x + width, y, entry.value, typography.text.fitted_to(entry.text, room), "right")
            y += step
        elif typography.text.width(entry.text) > width - column:
            y = (
                canvas.write_paragraph((x + column, y), max(width - column, 90.0), entry.value, typography.text)
                + step
                - typography.text.size * 1.2
            )
        else:
            canvas.write(x + column, y, entry.value, typography.text)
            y += step
    if rng.chance(0.15):
        canvas.draw(
            RectangleStroke(x - 5, top - typography.line_height, width + 10, y - top + typography.line_height * 0.4)
        )
    return y


def _draw_run_on(
    context: DrawingContext, entries: Sequence[MetadataEntry], at: tuple[float, float], width: float
) -> float:
    """`Label: value`, each on its line, the value right behind the label."""
    (x, y), typography, rng = at, context.typography, context.rng
    joint = rng.pick((": ", ": ", " ", " : ", ". "))
    for entry in entries:
        line = [entry.label, joint if entry.label else "", *entry.runs]
        y = context.canvas.write_paragraph(
            (x, y),
            context.right - x if x > context.inner_width / 2 else width,
            line,
            typography.text,
            leading=typography.leading,
        )
    return y


def _draw_labels_above(
    context: DrawingContext, entries: Sequence[MetadataEntry], at: tuple[float, float], width: float, *, boxed: bool
) -> float:
    """Headings with the values below them."""
    (x, y), typography, rng, canvas = at, context.typography, context.rng, context.canvas
    per_row = rng.pick((3, 4, 5))
    size = typography.line_height
    head = rng.pick((typography.bold, typography.small, typography.accented))
    fill = typography.background if rng.chance(0.4) else None
    for start in range(0, len(entries), per_row):
        row = entries[start : start + per_row]
        share = width / len(row)
        deepest = y
        for number, entry in enumerate(row):
            left = x + number * share
            if boxed:
                canvas.draw(RectangleStroke(left, y - size, share, size * 2.6))
            elif fill is not None:
                canvas.draw(RectangleStroke(left, y - size, share, size * 1.3, fill, None))
            canvas.write(left + 3, y, entry.label, head)
            deepest = max(
                deepest, canvas.write_paragraph((left + 3, y + size * 1.25), share - 6, entry.value, typography.text)
            )
        y = deepest + size * 1.2
    return y - size * 0.8


def _draw_boxes(
    context: DrawingContext, entries: Sequence[MetadataEntry], at: tuple[float, float], width: float
) -> float:
    """A ruled table of labels and values."""
    (x, y), typography, rng, canvas = at, context.typography, context.rng, context.canvas
    tall, share = typography.line_height * 1.35, rng.pick((0.42, 0.5))
    fill = typography.background if rng.chance(0.5) else None
    for entry in entries:
        canvas.draw(
            RectangleStroke(x, y - typography.line_height, width * share, tall, fill),
            RectangleStroke(x + width * share, y - typography.line_height, width * (1 - share), tall),
        )
        head = typography.bold if fill else typography.text
        canvas.write(x + 3, y, entry.label, head.fitted_to(entry.label, width * share - 6))
        canvas.write(
            x + width * share + 4, y, entry.value, typography.text.fitted_to(entry.text, width * (1 - share) - 8)
        )
        y += tall
    return y
