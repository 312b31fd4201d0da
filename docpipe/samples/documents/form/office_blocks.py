"""Blocks of the office forms of the typewriter's and the fax's time, after no particular form.

In: a form filler and the y where a block begins. Out: the block drawn; each gives the y below it.
"""

from __future__ import annotations

from docpipe.samples.canvas.strokes import LineStroke, RectangleStroke
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.form.answers import make_label, make_prose
from docpipe.samples.documents.form.form_filler import FormFiller
from docpipe.samples.documents.form.line_blocks import ANSWER_LEADING, GAP
from docpipe.samples.truth import plain_text

MEMO_LINES = (("memo_to", "person"), ("memo_from", "person"), ("memo_date", "date"), ("memo_subject", "text"))
UNMARKED_SHARE = 0.55  # of the alternatives


def draw_memo_header(filler: FormFiller, y: float) -> float:
    """TO, FROM, DATE, SUBJECT below each other, sometimes two beside each other, then a text that answers nothing."""
    context, rng, canvas = filler.context, filler.context.rng, filler.context.canvas
    extra = [("memo_more", rng.pick(("person", "phone", "number", "company"))) for _ in range(rng.pick((0, 1, 2, 3)))]
    if rng.chance(0.3):
        lines = [*rng.pick_several(MEMO_LINES, len(MEMO_LINES)), *extra]
    else:
        lines = [*MEMO_LINES[:-1], *extra, MEMO_LINES[-1]]
    column_count = rng.pick((1, 1, 2))
    column_width = context.inner_width / column_count
    step, with_lines = context.line_height * rng.pick((1.2, 1.6, 2.0)), rng.chance(0.4)
    for number, (key, kind) in enumerate(lines):
        if number % column_count == 0:
            y += step
        x = context.margin + number % column_count * context.inner_width / column_count
        label, answer = filler.fill(kind, rng.pick(word_lists("forms")[key]))
        label_width = canvas.write(x, y, label, context.typography.text)
        answer_x = x + max(label_width + 8, context.inner_width * 0.17)
        if answer is not None:
            fitted = filler.answer_style.fitted_to(answer.text, x + column_width - answer_x - 6)
            canvas.write(answer_x, y, answer, fitted)
        if with_lines:
            canvas.draw_horizontal_line(answer_x - 2, x + column_width - 8, y + 2, 0.5)
    if rng.chance(0.5):
        canvas.draw_horizontal_line(context.margin, context.right, y + context.line_height, 1.0)
    if rng.chance(0.5):
        start = context.start(y + context.line_height * 2.2)
        text = make_prose(context, rng.pick((2, 4, 7)))
        y = canvas.write_paragraph(start, context.inner_width, text, filler.answer_style, leading=ANSWER_LEADING)
    return y + context.line_height


def draw_options(filler: FormFiller, y: float) -> float:
    """Alternatives in a row, one or none of them marked: each has a label of its own."""
    context = filler.context
    rng, canvas, text_style = context.rng, context.canvas, context.typography.text
    lists, size = word_lists("forms"), text_style.size
    blank_first, boxed = rng.chance(0.5), rng.chance(0.4)
    x, y = context.margin, y + context.line_height
    if rng.chance(0.6):
        x += canvas.write(x, y, rng.pick(lists["group"]) + rng.pick((":", "")), text_style) + GAP
    empty_share = filler.empty_share
    for option in rng.pick_several(lists["option"], rng.pick((2, 3, 4, 5))):
        filler.empty_share = UNMARKED_SHARE
        label, answer = filler.fill("mark", option)
        label_width = text_style.width(plain_text(label))
        if x + label_width + 30 > context.right:
            x, y = context.margin, y + context.line_height * 1.3
        blank_x = x if blank_first else x + label_width + 5
        if answer is not None:
            canvas.write(blank_x + size * 0.4, y, answer, filler.answer_style.scaled(0.9))
        if boxed:
            canvas.draw(RectangleStroke(blank_x, y - size * 0.85, size * 1.5, size * 1.1))
        else:
            canvas.draw_horizontal_line(blank_x, blank_x + size * 2, y + 2, 0.5)
        canvas.write(x + size * 2.4 if blank_first else x, y, label, text_style)
        x += label_width + size * 2.4 + GAP
    filler.empty_share = empty_share
    return y + context.line_height


def draw_number_list(filler: FormFiller, y: float) -> float:
    """A dense list of labels with numbers in one column, right or left aligned."""
    context, rng, canvas = filler.context, filler.context.rng, filler.context.canvas
    step, kind = context.line_height * rng.pick((1.05, 1.25, 1.5)), rng.pick(("amount", "measure", "number"))
    column = context.margin + context.inner_width * rng.pick((0.45, 0.6, 0.75))
    leader = rng.pick(("line", "dots", "none", "none"))
    align_right = rng.chance(0.6)
    for _ in range(rng.pick((5, 8, 12, 18))):
        y += step
        if y > canvas.height - context.margin:
            break
        label, answer = filler.fill(kind)
        label_width = canvas.write(context.margin, y, label, context.typography.text)
        answer_x = max(column, context.margin + label_width + 10)
        if leader == "dots":
            canvas.draw(LineStroke(context.margin + label_width + 4, y, answer_x - 4, y, 0.7, dash=(1.0, 3.0)))
        if leader == "line":
            canvas.draw_horizontal_line(answer_x - 4, answer_x + 90, y + 2, 0.5)
        if answer is not None and align_right:
            canvas.write(answer_x + 84, y, answer, filler.answer_style, "right")
        elif answer is not None:
            canvas.write(answer_x, y, answer, filler.answer_style)
    return y + context.line_height


def draw_signature_lines(filler: FormFiller, y: float) -> float:
    """Lines to sign on, the label below the line, side by side."""
    context, canvas, small = filler.context, filler.context.canvas, filler.context.typography.small
    count = context.rng.pick((2, 2, 3))
    width = context.inner_width / count
    y += context.line_height * 2.5
    for number in range(count):
        x = context.margin + number * width
        kind = context.rng.pick(("person", "date", "person"))
        label, answer = filler.fill(kind, make_label(context, kind))
        if answer is not None:
            canvas.write(x + 8, y, answer, filler.answer_style.fitted_to(answer.text, width - 20))
        canvas.draw_horizontal_line(x, x + width - 12, y + 3, 0.5)
        canvas.write(x + 8, y + context.line_height * 1.1, label, small.fitted_to(plain_text(label), width - 20))
    return y + context.line_height * 1.8
