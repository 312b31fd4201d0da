"""Blocks of the office forms of the typewriter's and the fax's time, after no particular form.

In: the blanks of a form and the y where a block begins. Out: the block drawn; each gives the y below it.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import Value
from docpipe.samples.canvas.strokes import Frame, Rule
from docpipe.samples.content.words import words
from docpipe.samples.documents.form.blanks import Blanks, label_of, prose, text_of

GAP = 14.0  # points between neighbours on one line


def memo(blanks: Blanks, y: float) -> float:
    """TO, FROM, DATE, SUBJECT below each other, sometimes two beside each other, then a text that answers nothing."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    lists, inner = words("forms"), sheet.inner
    lines = [("memo_to", "person"), ("memo_from", "person"), ("memo_date", "date"), ("memo_subject", "text")]
    more = [("memo_more", dice.pick(("person", "phone", "number", "company"))) for _ in range(dice.pick((0, 1, 2, 3)))]
    lines = [*dice.some(lines, 4), *more] if dice.chance(0.3) else [*lines[:3], *more, lines[3]]
    columns = dice.pick((1, 1, 2))
    step, ruled = sheet.look.line * dice.pick((1.2, 1.6, 2.0)), dice.chance(0.4)
    for number, (key, kind) in enumerate(lines):
        if number % columns == 0:
            y += step
        x = sheet.margin + number % columns * inner / columns
        label, said = blanks.make(kind, dice.pick(lists[key]))
        taken = sheet.pen.write(x, y, label, sheet.look.text)
        start = x + max(taken + 8, inner * 0.17)
        if said is not None:
            sheet.pen.write(start, y, said, blanks.typed.fitted(said.text, x + inner / columns - start - 6))
        if ruled:
            sheet.pen.rule(start - 2, x + inner / columns - 8, y + 2, 0.5)
    if dice.chance(0.5):
        sheet.pen.rule(sheet.margin, sheet.right, y + sheet.look.line, 1.0)
    if dice.chance(0.5):
        at = (sheet.margin, y + sheet.look.line * 2.2)
        y = sheet.pen.paragraph(at, inner, prose(sheet, dice.pick((2, 4, 7))), blanks.typed, leading=1.3)
    return y + sheet.look.line


def flowing(blanks: Blanks, y: float) -> float:
    """Several pairs on one line, each with a line to write on that is as long as it happens to be."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    step = sheet.look.line * dice.pick((1.3, 1.7, 2.1))
    for _ in range(dice.pick((2, 3, 5, 7))):
        x, y = sheet.margin, y + step
        for _ in range(dice.pick((1, 2, 3, 4))):
            label, said = blanks.make(dice.pick(("", "date", "number", "amount", "measure", "person")))
            caption = text_of(label)
            room = dice.pick((40.0, 60.0, 100.0))
            wide = max(room, blanks.typed.width(said.text) + 6 if said else 0.0)
            if x + sheet.look.text.width(caption) + wide > sheet.right and x > sheet.margin:
                break
            x += sheet.pen.write(x, y, label, sheet.look.text) + 4
            if said is not None:
                sheet.pen.write(x + 2, y - dice.pick((0.0, 1.0)), said, blanks.typed)
            sheet.pen.rule(x, min(x + wide, sheet.right), y + 2, 0.5)
            x += wide + GAP
    return y + sheet.look.line


def clauses(blanks: Blanks, y: float) -> float:
    """Sentences with a blank at their end or inside, and questions."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    known = words("forms")["clause"] if sheet.manner.language == "en" else words(sheet.manner.language)["label_text"]
    for clause in dice.some(known, dice.pick((1, 2, 3))):
        y += sheet.look.line * dice.pick((1.5, 1.9))
        kind = dice.pick(("text", "person", "place", "date", "number", "prose"))
        label, said = blanks.make(kind, clause)
        wide = sheet.pen.write(sheet.margin, y, label, sheet.look.text)
        x = sheet.margin + wide + 6
        if said is not None and x + blanks.typed.width(said.text) > sheet.right:
            y += sheet.look.line * 1.4  # the answer goes on the next lines
            y = _on_lines(blanks, (sheet.margin + 20, y), said, sheet.inner - 20)
        elif said is not None:
            sheet.pen.write(x, y, said, blanks.typed)
            if sheet.manner.language == "en" and dice.chance(0.3):
                sheet.pen.write(x + blanks.typed.width(said.text) + 6, y, dice.pick((".", "on file.", "as agreed.")),
                                sheet.look.text)  # fmt: skip
        sheet.pen.rule(min(x, sheet.right - 30), sheet.right, y + 2, 0.5)
    return y + sheet.look.line


def remarks(blanks: Blanks, y: float) -> float:
    """A caption, and an answer of several lines below it, on lines or in a box, or beside it."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    y += sheet.look.line
    label, said = blanks.make("prose")
    taken = sheet.pen.write(sheet.margin, y, label, sheet.look.text)
    beside = dice.chance(0.4)
    x = sheet.margin + (max(taken + 8, sheet.inner * 0.2) if beside else dice.pick((0.0, 12.0, 40.0)))
    top = y
    y = y if beside else y + sheet.look.line * 1.3
    if said is not None:
        y = _on_lines(blanks, (x, y), said, max(sheet.right - x, 120.0))
    else:
        y += sheet.look.line * 2
    if dice.chance(0.3):
        sheet.pen.mark(Frame(sheet.margin - 4, top - sheet.look.line, sheet.inner + 8, y - top + sheet.look.line * 1.5))
    return y + sheet.look.line


def options(blanks: Blanks, y: float) -> float:
    """Alternatives in a row, one or none of them marked: each is a caption of its own."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    lists = words("forms")
    before, boxed = dice.chance(0.5), dice.chance(0.4)
    x, y = sheet.margin, y + sheet.look.line
    if dice.chance(0.6):
        x += sheet.pen.write(x, y, dice.pick(lists["group"]) + dice.pick((":", "")), sheet.look.text) + GAP
    kept, size = blanks.empty, sheet.look.text.size
    for option in dice.some(lists["option"], dice.pick((2, 3, 4, 5))):
        blanks.empty = 0.55
        label, said = blanks.make("mark", option)
        wide = sheet.look.text.width(text_of(label))
        if x + wide + 30 > sheet.right:
            x, y = sheet.margin, y + sheet.look.line * 1.3
        place = x if before else x + wide + 5
        if said is not None:
            sheet.pen.write(place + size * 0.4, y, said, blanks.typed.sized(0.9))
        if boxed:
            sheet.pen.mark(Frame(place, y - size * 0.85, size * 1.5, size * 1.1))
        else:
            sheet.pen.rule(place, place + size * 2, y + 2, 0.5)
        sheet.pen.write(x + size * 2.4 if before else x, y, label, sheet.look.text)
        x += wide + size * 2.4 + GAP
    blanks.empty = kept
    return y + sheet.look.line


def figures(blanks: Blanks, y: float) -> float:
    """A dense list of captions with numbers in one column, right or left aligned."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    step, kind = sheet.look.line * dice.pick((1.05, 1.25, 1.5)), dice.pick(("amount", "measure", "number"))
    column = sheet.margin + sheet.inner * dice.pick((0.45, 0.6, 0.75))
    style = dice.pick(("line", "dots", "none", "none"))
    right = dice.chance(0.6)
    for _ in range(dice.pick((5, 8, 12, 18))):
        y += step
        if y > sheet.pen.height - sheet.margin:
            break
        label, said = blanks.make(kind)
        wide = sheet.pen.write(sheet.margin, y, label, sheet.look.text)
        start = max(column, sheet.margin + wide + 10)
        if style == "dots":
            sheet.pen.mark(Rule(sheet.margin + wide + 4, y, start - 4, y, 0.7, dash=(1.0, 3.0)))
        if style == "line":
            sheet.pen.rule(start - 4, start + 90, y + 2, 0.5)
        if said is not None:
            sheet.pen.write(start + 84 if right else start, y, said, blanks.typed, "right" if right else "left")
    return y + sheet.look.line


def columns(blanks: Blanks, y: float) -> float:
    """A table of blanks: captions in its head, one row or, in documents for training, several filled in, the others
    empty."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    count, rows = dice.pick((3, 4, 5)), dice.pick((1, 2, 4))
    filled = dice.pick((1, 1, rows)) if blanks.asks else 1
    share, tall = sheet.inner / count, sheet.look.line * dice.pick((1.3, 1.6))
    y += sheet.look.line * 0.6
    for cell in range(count):
        x, base = sheet.margin + cell * share + 4, y + sheet.look.line
        kind = dice.pick(("date", "number", "amount", "person", "measure", "text"))
        label, said = blanks.make(kind)
        sheet.pen.write(x, base, label, sheet.look.text.fitted(text_of(label), share - 8))
        for row in range(filled if said else 0):
            assert said is not None  # noqa: S101 - no row is filled in without it
            cell_said = said if row == 0 else blanks.again(kind, said)
            sheet.pen.write(x, base + tall * (row + 1), cell_said, blanks.typed.fitted(cell_said.text, share - 8))
    ruled = dice.chance(0.6)
    for _ in range(rows + 1):
        for cell in range(count):
            left = sheet.margin + cell * share
            if ruled:
                sheet.pen.mark(Frame(left, y, share, tall))
            else:
                sheet.pen.rule(left + 2, left + share - 6, y + tall, 0.5)
        y += tall
    return y + sheet.look.line


def signatures(blanks: Blanks, y: float) -> float:
    """Lines to sign on, the caption below the line, side by side."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    count = dice.pick((2, 2, 3))
    share = sheet.inner / count
    y += sheet.look.line * 2.5
    for cell in range(count):
        x = sheet.margin + cell * share
        kind = dice.pick(("person", "date", "person"))
        label, said = blanks.make(kind, label_of(sheet, kind))
        if said is not None:
            sheet.pen.write(x + 8, y, said, blanks.typed.fitted(said.text, share - 20))
        sheet.pen.rule(x, x + share - 12, y + 3, 0.5)
        caption = text_of(label)
        sheet.pen.write(x + 8, y + sheet.look.line * 1.1, label, sheet.look.small.fitted(caption, share - 20))
    return y + sheet.look.line * 1.8


def _on_lines(blanks: Blanks, at: tuple[float, float], said: Value, width: float) -> float:
    """An answer of several lines, often on ruled lines. Gives the baseline of its last line."""
    sheet = blanks.sheet
    leading = sheet.dice.pick((1.2, 1.5, 1.9))
    after = sheet.pen.paragraph(at, width, said, blanks.typed, leading=leading)
    step = blanks.typed.size * leading
    if sheet.dice.chance(0.5):
        line = at[1]
        while line < after - step / 2:
            sheet.pen.rule(at[0], at[0] + width, line + 2, 0.5)
            line += step
    return after - step
