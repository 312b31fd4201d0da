"""Blocks of a form whose answers stand in ruled cells.

In: a form filler and the y where a block begins. Out: the block drawn; each gives the y below it.
"""

from __future__ import annotations

from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.documents.form.form_filler import FormFiller
from docpipe.samples.truth import plain_text


def draw_boxes(filler: FormFiller, y: float) -> float:
    """Cells with a small label above the answer."""
    context = filler.context
    rng, canvas, small = context.rng, context.canvas, context.typography.small
    height = context.line_height * 2.7
    for _ in range(rng.pick((1, 2, 3, 4))):
        count = rng.pick((1, 2, 2, 3))
        width = context.inner_width / count
        if y + height > canvas.height - context.margin:
            break
        bottom = y + height
        for cell in range(count):
            left = context.margin + cell * width
            label, answer = filler.fill()
            canvas.write(left + 4, y + small.size * 1.1, label, small.fitted_to(plain_text(label), width - 8))
            if answer is not None:
                start = Point(left + 6, y + context.line_height * 2.1)
                bottom = max(bottom, canvas.write_paragraph(start, width - 10, answer, filler.answer_style))
        for cell in range(count):
            canvas.draw(RectangleStroke(context.margin + cell * width, y, width, bottom - y, None))
        y = bottom
    return y + context.line_height


def draw_grid(filler: FormFiller, y: float) -> float:
    """A ruled table with the label in the left cell and the answer in the right one."""
    context, canvas, text_style = filler.context, filler.context.canvas, filler.context.typography.text
    share = context.rng.pick((0.3, 0.4, 0.5))
    label_width, answer_width = context.inner_width * share, context.inner_width * (1 - share)
    for _ in range(context.rng.pick((3, 5, 7))):
        if y + context.line_height * 3 > canvas.height - context.margin:
            break
        label, answer = filler.fill()
        baseline, bottom = y + context.line_height * 1.1, y + context.line_height * 1.6
        below = canvas.write_paragraph(Point(context.margin + 4, baseline), label_width - 8, label, text_style)
        bottom = max(bottom, below - text_style.size * 0.6)
        if answer is not None:
            start = Point(context.margin + label_width + 5, baseline)
            below = canvas.write_paragraph(start, answer_width - 10, answer, filler.answer_style)
            bottom = max(bottom, below - filler.answer_style.size * 0.6)
        canvas.draw(
            RectangleStroke(context.margin, y, label_width, bottom - y),
            RectangleStroke(context.margin + label_width, y, answer_width, bottom - y),
        )
        y = bottom
    return y + context.line_height


def draw_answer_table(filler: FormFiller, y: float) -> float:
    """A table of blanks: labels in its head, one row or, in documents for training, several filled in, the others
    empty."""
    context, rng, canvas = filler.context, filler.context.rng, filler.context.canvas
    column_count, row_count = rng.pick((3, 4, 5)), rng.pick((1, 2, 4))
    filled_rows = rng.pick((1, 1, row_count)) if filler.with_own_fields else 1
    width, height = context.inner_width / column_count, context.line_height * rng.pick((1.3, 1.6))
    y += context.line_height * 0.6
    for column in range(column_count):
        x, baseline = context.margin + column * width + 4, y + context.line_height
        kind = rng.pick(("date", "number", "amount", "person", "measure", "text"))
        label, first_answer = filler.fill(kind)
        canvas.write(x, baseline, label, context.typography.text.fitted_to(plain_text(label), width - 8))
        if first_answer is None:
            continue
        for row in range(filled_rows):
            answer = first_answer if row == 0 else filler.further_answer(kind, first_answer)
            fitted = filler.answer_style.fitted_to(answer.text, width - 8)
            canvas.write(x, baseline + height * (row + 1), answer, fitted)
    with_cells = rng.chance(0.6)
    for _ in range(row_count + 1):
        for column in range(column_count):
            left = context.margin + column * width
            if with_cells:
                canvas.draw(RectangleStroke(left, y, width, height))
            else:
                canvas.draw_horizontal_line(left + 2, left + width - 6, y + height, 0.5)
        y += height
    return y + context.line_height
