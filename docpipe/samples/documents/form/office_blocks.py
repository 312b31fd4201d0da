"""Blocks of the office forms of the typewriter's and the fax's time, after no particular form.

In: the blanks of a form and the y where a block begins. Out: the block drawn; each gives the y below it.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import FieldText
from docpipe.samples.canvas.strokes import LineStroke, RectangleStroke
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.form.blanks import FormFiller, label_text, make_label, make_prose

GAP = 14.0  # points between neighbours on one line


def draw_memo_header(filler: FormFiller, y: float) -> float:
    """TO, FROM, DATE, SUBJECT below each other, sometimes two beside each other, then a text that answers nothing."""
    context, rng = filler.context, filler.context.rng
    lists, inner = word_lists("forms"), context.inner_width
    lines = [("memo_to", "person"), ("memo_from", "person"), ("memo_date", "date"), ("memo_subject", "text")]
    more = [("memo_more", rng.pick(("person", "phone", "number", "company"))) for _ in range(rng.pick((0, 1, 2, 3)))]
    lines = [*rng.pick_several(lines, 4), *more] if rng.chance(0.3) else [*lines[:3], *more, lines[3]]
    draw_answer_table = rng.pick((1, 1, 2))
    step, ruled = context.typography.line_height * rng.pick((1.2, 1.6, 2.0)), rng.chance(0.4)
    for number, (key, kind) in enumerate(lines):
        if number % draw_answer_table == 0:
            y += step
        x = context.margin + number % draw_answer_table * inner / draw_answer_table
        label, answer = filler.fill(kind, rng.pick(lists[key]))
        taken = context.canvas.write(x, y, label, context.typography.text)
        start = x + max(taken + 8, inner * 0.17)
        if answer is not None:
            context.canvas.write(
                start, y, answer, filler.answer_style.fitted_to(answer.text, x + inner / draw_answer_table - start - 6)
            )
        if ruled:
            context.canvas.draw_horizontal_line(start - 2, x + inner / draw_answer_table - 8, y + 2, 0.5)
    if rng.chance(0.5):
        context.canvas.draw_horizontal_line(context.margin, context.right, y + context.typography.line_height, 1.0)
    if rng.chance(0.5):
        at = (context.margin, y + context.typography.line_height * 2.2)
        y = context.canvas.write_paragraph(
            at, inner, make_prose(context, rng.pick((2, 4, 7))), filler.answer_style, leading=1.3
        )
    return y + context.typography.line_height


def draw_running_pairs(filler: FormFiller, y: float) -> float:
    """Several pairs on one line, each with a line to write on that is as long as it happens to be."""
    context, rng = filler.context, filler.context.rng
    step = context.typography.line_height * rng.pick((1.3, 1.7, 2.1))
    for _ in range(rng.pick((2, 3, 5, 7))):
        x, y = context.margin, y + step
        for _ in range(rng.pick((1, 2, 3, 4))):
            label, answer = filler.fill(rng.pick(("", "date", "number", "amount", "measure", "person")))
            caption = label_text(label)
            room = rng.pick((40.0, 60.0, 100.0))
            wide = max(room, filler.answer_style.width(answer.text) + 6 if answer else 0.0)
            if x + context.typography.text.width(caption) + wide > context.right and x > context.margin:
                break
            x += context.canvas.write(x, y, label, context.typography.text) + 4
            if answer is not None:
                context.canvas.write(x + 2, y - rng.pick((0.0, 1.0)), answer, filler.answer_style)
            context.canvas.draw_horizontal_line(x, min(x + wide, context.right), y + 2, 0.5)
            x += wide + GAP
    return y + context.typography.line_height


def draw_clauses(filler: FormFiller, y: float) -> float:
    """Sentences with a blank at their end or inside, and questions."""
    context, rng = filler.context, filler.context.rng
    known = (
        word_lists("forms")["clause"]
        if context.locale.language == "en"
        else word_lists(context.locale.language)["label_text"]
    )
    for clause in rng.pick_several(known, rng.pick((1, 2, 3))):
        y += context.typography.line_height * rng.pick((1.5, 1.9))
        kind = rng.pick(("text", "person", "place", "date", "number", "prose"))
        label, answer = filler.fill(kind, clause)
        wide = context.canvas.write(context.margin, y, label, context.typography.text)
        x = context.margin + wide + 6
        if answer is not None and x + filler.answer_style.width(answer.text) > context.right:
            y += context.typography.line_height * 1.4  # the answer goes on the next lines
            y = _draw_on_lines(filler, (context.margin + 20, y), answer, context.inner_width - 20)
        elif answer is not None:
            context.canvas.write(x, y, answer, filler.answer_style)
            if context.locale.language == "en" and rng.chance(0.3):
                x_after = x + filler.answer_style.width(answer.text) + 6
                context.canvas.write(x_after, y, rng.pick((".", "on file.", "as agreed.")), context.typography.text)
        context.canvas.draw_horizontal_line(min(x, context.right - 30), context.right, y + 2, 0.5)
    return y + context.typography.line_height


def draw_remarks(filler: FormFiller, y: float) -> float:
    """A caption, and an answer of several lines below it, on lines or in a box, or beside it."""
    context, rng = filler.context, filler.context.rng
    y += context.typography.line_height
    label, answer = filler.fill("prose")
    taken = context.canvas.write(context.margin, y, label, context.typography.text)
    beside = rng.chance(0.4)
    x = context.margin + (max(taken + 8, context.inner_width * 0.2) if beside else rng.pick((0.0, 12.0, 40.0)))
    top = y
    y = y if beside else y + context.typography.line_height * 1.3
    if answer is not None:
        y = _draw_on_lines(filler, (x, y), answer, max(context.right - x, 120.0))
    else:
        y += context.typography.line_height * 2
    if rng.chance(0.3):
        context.canvas.draw(
            RectangleStroke(
                context.margin - 4,
                top - context.typography.line_height,
                context.inner_width + 8,
                y - top + context.typography.line_height * 1.5,
            )
        )
    return y + context.typography.line_height


def draw_options(filler: FormFiller, y: float) -> float:
    """Alternatives in a row, one or none of them marked: each is a caption of its own."""
    context, rng = filler.context, filler.context.rng
    lists = word_lists("forms")
    before, boxed = rng.chance(0.5), rng.chance(0.4)
    x, y = context.margin, y + context.typography.line_height
    if rng.chance(0.6):
        x += context.canvas.write(x, y, rng.pick(lists["group"]) + rng.pick((":", "")), context.typography.text) + GAP
    kept, size = filler.empty_share, context.typography.text.size
    for option in rng.pick_several(lists["option"], rng.pick((2, 3, 4, 5))):
        filler.empty_share = 0.55
        label, answer = filler.fill("mark", option)
        wide = context.typography.text.width(label_text(label))
        if x + wide + 30 > context.right:
            x, y = context.margin, y + context.typography.line_height * 1.3
        place = x if before else x + wide + 5
        if answer is not None:
            context.canvas.write(place + size * 0.4, y, answer, filler.answer_style.scaled(0.9))
        if boxed:
            context.canvas.draw(RectangleStroke(place, y - size * 0.85, size * 1.5, size * 1.1))
        else:
            context.canvas.draw_horizontal_line(place, place + size * 2, y + 2, 0.5)
        context.canvas.write(x + size * 2.4 if before else x, y, label, context.typography.text)
        x += wide + size * 2.4 + GAP
    filler.empty_share = kept
    return y + context.typography.line_height


def draw_number_list(filler: FormFiller, y: float) -> float:
    """A dense list of captions with numbers in one column, right or left aligned."""
    context, rng = filler.context, filler.context.rng
    step, kind = context.typography.line_height * rng.pick((1.05, 1.25, 1.5)), rng.pick(("amount", "measure", "number"))
    column = context.margin + context.inner_width * rng.pick((0.45, 0.6, 0.75))
    style = rng.pick(("line", "dots", "none", "none"))
    right = rng.chance(0.6)
    for _ in range(rng.pick((5, 8, 12, 18))):
        y += step
        if y > context.canvas.height - context.margin:
            break
        label, answer = filler.fill(kind)
        wide = context.canvas.write(context.margin, y, label, context.typography.text)
        start = max(column, context.margin + wide + 10)
        if style == "dots":
            context.canvas.draw(LineStroke(context.margin + wide + 4, y, start - 4, y, 0.7, dash=(1.0, 3.0)))
        if style == "line":
            context.canvas.draw_horizontal_line(start - 4, start + 90, y + 2, 0.5)
        if answer is not None:
            context.canvas.write(
                start + 84 if right else start, y, answer, filler.answer_style, "right" if right else "left"
            )
    return y + context.typography.line_height


def columns(filler: FormFiller, y: float) -> float:
    """A table of blanks: captions in its head, one row or, in documents for training, several filled in, the others
    empty."""
    context, rng = filler.context, filler.context.rng
    count, rows = rng.pick((3, 4, 5)), rng.pick((1, 2, 4))
    filled = rng.pick((1, 1, rows)) if filler.with_own_fields else 1
    share, tall = context.inner_width / count, context.typography.line_height * rng.pick((1.3, 1.6))
    y += context.typography.line_height * 0.6
    for cell in range(count):
        x, base = context.margin + cell * share + 4, y + context.typography.line_height
        kind = rng.pick(("date", "number", "amount", "person", "measure", "text"))
        label, answer = filler.fill(kind)
        context.canvas.write(x, base, label, context.typography.text.fitted_to(label_text(label), share - 8))
        for row in range(filled if answer else 0):
            assert answer is not None  # noqa: S101 - no row is filled in without it
            cell_said = answer if row == 0 else filler.further_answer(kind, answer)
            context.canvas.write(
                x, base + tall * (row + 1), cell_said, filler.answer_style.fitted_to(cell_said.text, share - 8)
            )
    ruled = rng.chance(0.6)
    for _ in range(rows + 1):
        for cell in range(count):
            left = context.margin + cell * share
            if ruled:
                context.canvas.draw(RectangleStroke(left, y, share, tall))
            else:
                context.canvas.draw_horizontal_line(left + 2, left + share - 6, y + tall, 0.5)
        y += tall
    return y + context.typography.line_height


def draw_signature_lines(filler: FormFiller, y: float) -> float:
    """Lines to sign on, the caption below the line, side by side."""
    context, rng = filler.context, filler.context.rng
    count = rng.pick((2, 2, 3))
    share = context.inner_width / count
    y += context.typography.line_height * 2.5
    for cell in range(count):
        x = context.margin + cell * share
        kind = rng.pick(("person", "date", "person"))
        label, answer = filler.fill(kind, make_label(context, kind))
        if answer is not None:
            context.canvas.write(x + 8, y, answer, filler.answer_style.fitted_to(answer.text, share - 20))
        context.canvas.draw_horizontal_line(x, x + share - 12, y + 3, 0.5)
        caption = label_text(label)
        context.canvas.write(
            x + 8,
            y + context.typography.line_height * 1.1,
            label,
            context.typography.small.fitted_to(caption, share - 20),
        )
    return y + context.typography.line_height * 1.8


def _draw_on_lines(filler: FormFiller, at: tuple[float, float], answer: FieldText, width: float) -> float:
    """An answer of several lines, often on ruled lines. Gives the baseline of its last line."""
    context = filler.context
    leading = context.rng.pick((1.2, 1.5, 1.9))
    after = context.canvas.write_paragraph(at, width, answer, filler.answer_style, leading=leading)
    step = filler.answer_style.size * leading
    if context.rng.chance(0.5):
        line = at[1]
        while line < after - step / 2:
            context.canvas.draw_horizontal_line(at[0], at[0] + width, line + 2, 0.5)
            line += step
    return after - step
