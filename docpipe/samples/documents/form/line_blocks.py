"""Blocks of a form whose answers stand on lines: below each other, beside each other, within sentences, as remarks.

In: a form filler and the y where a block begins. Out: the block drawn; each gives the y below it.
"""

from __future__ import annotations

from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import LineStroke, RectangleStroke
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.form.form_filler import FormFiller
from docpipe.samples.truth import FieldText, plain_text

GAP = 14.0  # points between neighbours on one line
MIN_ANSWER_WIDTH = 80.0  # points: a narrower place is too little to write an answer into
MIN_REMARK_WIDTH = 120.0  # points
ANSWER_LEADING = 1.3


def draw_lines(filler: FormFiller, y: float) -> float:
    """A label, then its answer on a line; answers in one column or right behind the label."""
    context, rng = filler.context, filler.context.rng
    step = context.line_height * rng.pick((1.5, 1.8, 2.2))
    aligned, with_line = rng.chance(0.5), rng.chance(0.65)
    for _ in range(rng.pick((3, 4, 6, 8, 10))):
        y += step
        if y > context.canvas.height - context.margin:
            break
        label_share = 0.34 if aligned else 0.0
        y = _draw_pair(filler, context.start(y), context.inner_width, label_share, with_line=with_line)
    return y + context.line_height


def draw_two_columns(filler: FormFiller, y: float) -> float:
    context, rng = filler.context, filler.context.rng
    step, width = context.line_height * rng.pick((1.6, 2.0)), context.inner_width / 2 - 8
    with_line = rng.chance(0.6)
    for _ in range(rng.pick((2, 3, 4, 5))):
        y += step
        if y > context.canvas.height - context.margin:
            break
        starts = [Point(context.margin + column * (width + 16), y) for column in (0, 1)]
        y = max(_draw_pair(filler, start, width, 0.0, with_line=with_line) for start in starts)
    return y + context.line_height


def _draw_pair(filler: FormFiller, start: Point, width: float, label_share: float, *, with_line: bool) -> float:
    """One label and its answer; gives the baseline of its last line. The answer begins behind the label, and not
    before `label_share` of the width."""
    context, (x, y) = filler.context, start
    label, answer = filler.fill()
    text_style, answer_style = context.typography.text, filler.answer_style
    label_width = context.canvas.write(x, y, label, text_style.fitted_to(plain_text(label), width))
    answer_x = x + max(label_width + 8, width * label_share)
    answer_width = x + width - answer_x
    if answer_width < MIN_ANSWER_WIDTH:  # a long label: the answer goes below it
        answer_x, answer_width, y = x + 12, width - 12, y + context.line_height * 1.2
    if with_line:
        context.canvas.draw(LineStroke(answer_x - 3, y + 2, x + width - 4, y + 2, 0.5))
    if answer is not None:
        answer_start = Point(answer_x, y)
        below = context.canvas.write_paragraph(answer_start, answer_width, answer, answer_style, leading=ANSWER_LEADING)
        y = max(y, below - answer_style.size * ANSWER_LEADING)
    return y


def draw_joined_pairs(filler: FormFiller, y: float) -> float:
    """Several pairs on one line, each with a line to write on that is as long as it happens to be."""
    context, rng, text_style = filler.context, filler.context.rng, filler.context.typography.text
    step = context.line_height * rng.pick((1.3, 1.7, 2.1))
    for _ in range(rng.pick((2, 3, 5, 7))):
        x, y = context.margin, y + step
        for _ in range(rng.pick((1, 2, 3, 4))):
            label, answer = filler.fill(rng.pick(("", "date", "number", "amount", "measure", "person")))
            line_length = rng.pick((40.0, 60.0, 100.0))
            line_length = max(line_length, filler.answer_style.width(answer.text) + 6 if answer else 0.0)
            if x + text_style.width(plain_text(label)) + line_length > context.right and x > context.margin:
                break
            x += context.canvas.write(x, y, label, text_style) + 4
            if answer is not None:
                context.canvas.write(x + 2, y - rng.pick((0.0, 1.0)), answer, filler.answer_style)
            context.canvas.draw_horizontal_line(x, min(x + line_length, context.right), y + 2, 0.5)
            x += line_length + GAP
    return y + context.line_height


def draw_clauses(filler: FormFiller, y: float) -> float:
    """Sentences with a blank at their end or inside, and questions."""
    context = filler.context
    rng, canvas, text_style = context.rng, context.canvas, context.typography.text
    in_english = context.locale.language == "en"
    clauses = word_lists("forms")["clause"] if in_english else context.words("label_text")
    for clause in rng.pick_several(clauses, rng.pick((1, 2, 3))):
        y += context.line_height * rng.pick((1.5, 1.9))
        label, answer = filler.fill(rng.pick(("text", "person", "place", "date", "number", "prose")), clause)
        x = context.margin + canvas.write(context.margin, y, label, text_style) + 6
        answer_end = x + filler.answer_style.width(answer.text) if answer is not None else x
        if answer is not None and answer_end > context.right:
            y += context.line_height * 1.4  # the answer goes on the next lines
            y = _draw_on_lines(filler, Point(context.margin + 20, y), answer, context.inner_width - 20)
        elif answer is not None:
            canvas.write(x, y, answer, filler.answer_style)
            if in_english and rng.chance(0.3):
                canvas.write(answer_end + 6, y, rng.pick((".", "on file.", "as agreed.")), text_style)
        canvas.draw_horizontal_line(min(x, context.right - 30), context.right, y + 2, 0.5)
    return y + context.line_height


def draw_remarks(filler: FormFiller, y: float) -> float:
    """A label, and an answer of several lines below it, on lines or in a box, or beside it."""
    context, rng, line_height = filler.context, filler.context.rng, filler.context.line_height
    y += line_height
    label, answer = filler.fill("prose")
    label_width = context.canvas.write(context.margin, y, label, context.typography.text)
    beside = rng.chance(0.4)
    indent = max(label_width + 8, context.inner_width * 0.2) if beside else rng.pick((0.0, 12.0, 40.0))
    x = context.margin + indent
    top = y
    y = y if beside else y + line_height * 1.3
    if answer is not None:
        y = _draw_on_lines(filler, Point(x, y), answer, max(context.right - x, MIN_REMARK_WIDTH))
    else:
        y += line_height * 2
    if rng.chance(0.3):
        height = y - top + line_height * 1.5
        context.canvas.draw(RectangleStroke(context.margin - 4, top - line_height, context.inner_width + 8, height))
    return y + line_height


def _draw_on_lines(filler: FormFiller, start: Point, answer: FieldText, width: float) -> float:
    """An answer of several lines, often on ruled lines. Gives the baseline of its last line."""
    context = filler.context
    leading = context.rng.pick((1.2, 1.5, 1.9))
    below = context.canvas.write_paragraph(start, width, answer, filler.answer_style, leading=leading)
    step = filler.answer_style.size * leading
    if context.rng.chance(0.5):
        y = start.y
        while y < below - step / 2:
            context.canvas.draw_horizontal_line(start.x, start.x + width, y + 2, 0.5)
            y += step
    return below - step
