"""Forms: labels with blanks that somebody filled in, in type or by hand.

In: dice and a language. Out: a drawn form whose pairs of label and value are known. Blanks left empty are no pair.
Forms drawn for training ("installed" fonts) also ask for some of their blanks by label, see `blanks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from docpipe.samples.canvas.canvas import Drawn, Pen
from docpipe.samples.canvas.strokes import BLACK, Frame, Ink, Rule
from docpipe.samples.canvas.text_style import Fonts, Look, make_look
from docpipe.samples.content.field_descriptions import descriptions
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_manner
from docpipe.samples.content.vocabulary import company, person, town
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.form.blanks import Blanks, text_of
from docpipe.samples.documents.form.check_boxes import ticks
from docpipe.samples.documents.form.office_blocks import (
    clauses,
    columns,
    figures,
    flowing,
    memo,
    options,
    remarks,
    signatures,
)
from docpipe.samples.documents.invoice.letterhead import Sheet, draw_logo
from docpipe.samples.documents.sectioned_page import next_page

SIZES = ((612.0, 792.0), (595.3, 841.9), (595.3, 841.9))
NARROW = 80.0  # points: too little to write an answer into
TYPEWRITER_SHARE = 0.3  # of the forms are typed as a whole, captions too


def draw_form(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    blanks, y = _begin(dice, language, fonts)
    sheet = blanks.sheet
    if dice.chance(0.25):
        y = memo(blanks, y)
    for _ in range(dice.pick((1, 2, 4, 6, 8, 10, 12))):
        if y > sheet.pen.height * 0.78:
            break
        if dice.chance(0.2):
            y = _draw_section(sheet, y)
        y = dice.pick(_BLOCKS)(blanks, y)
    if dice.chance(0.3) and y < sheet.pen.height * 0.8:
        _draw_small_print(sheet, y)
    if dice.chance(0.3):
        code = dice.pattern(dice.pick(("%########", "??### %######", "Form ###-? (Rev. %/8#)", "%### %####")))
        sheet.pen.write(sheet.right, sheet.pen.height - sheet.margin * 0.5, code, sheet.look.bold, "right")
    if dice.chance(0.1):
        next_page(sheet)
        _lines(blanks, sheet.margin + sheet.look.line)
    return _finish(blanks)


def draw_questionnaire(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    """Ticked boxes alone: what such a form answers, only its picture says."""
    blanks, y = _begin(dice, language, fonts)
    for _ in range(dice.pick((3, 5, 8))):
        if y < blanks.sheet.pen.height * 0.78:
            y = ticks(blanks, y)
    return _finish(blanks)


def _begin(dice: Dice, language: str | None, fonts: Fonts) -> tuple[Blanks, float]:
    """A page with a heading, and the y below it."""
    language = dice.pick((*LANGUAGES, *("en",) * 7)) if language is None else language
    country = dice.pick(("US", "US", "GB")) if language == "en" else dice.pick(COUNTRIES[language])
    sheet = Sheet(
        Pen(*dice.pick(SIZES)),
        dice,
        make_look(dice, fonts, low=8, high=11.5),
        make_manner(dice, country, language),
        dice.day(),
        35 + 35 * dice.random(),
    )
    if dice.chance(TYPEWRITER_SHARE):
        sheet.look = _typewriter(sheet.look)
    return Blanks(sheet, _hand(sheet), asks=fonts == "installed"), _draw_head(sheet)


def _finish(blanks: Blanks) -> Drawn:
    sheet = blanks.sheet
    return sheet.pen.finish("form", sheet.manner.language, {**descriptions(sheet.dice, "form"), **blanks.fields})


def _typewriter(look: Look) -> Look:
    text = replace(look.text, font="Courier", squeeze=1.0, colour=BLACK)
    return replace(look, text=text, bold=replace(text, stroke=0.3), italic=text)


def _draw_small_print(sheet: Sheet, y: float) -> None:
    dice, language = sheet.dice, sheet.manner.language
    text = " ".join(dice.some(words("en")["instructions"], 1))
    if language != "en":
        country = sheet.manner.country
        text = sheet.phrase("legal", city=town(dice, country, language), person=person(dice, country))
    sheet.pen.paragraph((sheet.margin, y + sheet.look.line), sheet.inner, text, sheet.look.small)


def _hand(sheet: Sheet) -> Ink:
    """The type of the answers: typewriter, the same print, or a slanted pen."""
    dice, look = sheet.dice, sheet.look
    return dice.pick(
        (
            replace(look.text, font="Courier", squeeze=1.0),
            replace(look.text, font="Courier", squeeze=0.9, stroke=0.25),
            look.text,
            look.bold,
            replace(look.text, font="Times-Italic", size=look.text.size * 1.25, colour=(0.1, 0.15, 0.55), squeeze=0.95),
            replace(look.text, font="Helvetica-Oblique", colour=(0.1, 0.1, 0.4), squeeze=0.9),
        )
    )


def _draw_head(sheet: Sheet) -> float:
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    y = sheet.margin + look.line
    if dice.chance(0.4):
        draw_logo(sheet, sheet.margin, y - 8, 40)
        pen.write(
            sheet.margin + 60, y + 12, company(dice, sheet.manner.country, sheet.manner.language), look.bold.sized(1.2)
        )
        y += 50
    if dice.chance(0.2):
        stamp = f"{sheet.manner.date(dice.day())}  {dice.pattern('1#:%#')}  {dice.pattern('### ### ####')}  P.0%"
        pen.write(sheet.margin, sheet.margin * 0.5, dice.pattern(stamp), replace(look.small, font="Courier"))
    title = sheet.word("form_names")
    if sheet.manner.language == "en" and dice.chance(0.6):
        title = dice.pick(words("forms")["headline"])
    ink = look.bold.sized(1.2 + 0.7 * dice.random())
    width = pen.write(pen.width / 2, y + ink.size, title, ink, "centre")
    if dice.chance(0.4):
        pen.rule(pen.width / 2 - width / 2, pen.width / 2 + width / 2, y + ink.size * 1.2, 0.8)
    return y + ink.size * 2.2


def _draw_section(sheet: Sheet, y: float) -> float:
    title = sheet.dice.pick(words(sheet.manner.language)["label_text"]).upper()
    if sheet.dice.chance(0.5):
        sheet.pen.mark(Frame(sheet.margin, y, sheet.inner, sheet.look.line * 1.4, sheet.look.pale, None))
    sheet.pen.write(sheet.pen.width / 2, y + sheet.look.line, title, sheet.look.bold, "centre")
    return y + sheet.look.line * 2


def _lines(blanks: Blanks, y: float) -> float:
    """A label, then its value on a line; values in one column or right behind the label."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    step = sheet.look.line * dice.pick((1.5, 1.8, 2.2))
    aligned, ruled = dice.chance(0.5), dice.chance(0.65)
    for _ in range(dice.pick((3, 4, 6, 8, 10))):
        y += step
        if y > sheet.pen.height - sheet.margin:
            break
        y = _blank(blanks, (sheet.margin, y), sheet.inner, 0.34 if aligned else 0.0, ruled=ruled)
    return y + sheet.look.line


def _blank(blanks: Blanks, at: tuple[float, float], width: float, column: float, *, ruled: bool) -> float:
    """One blank of the given width; gives the baseline of its last line."""
    sheet, (x, y) = blanks.sheet, at
    label, said = blanks.make()
    ink = sheet.look.text
    taken = sheet.pen.write(x, y, label, ink.fitted(text_of(label), width))
    start = x + max(taken + 8, width * column)
    room = x + width - start
    if room < NARROW:  # a long label: the answer goes below it
        start, room, y = x + 12, width - 12, y + sheet.look.line * 1.2
    if ruled:
        sheet.pen.mark(Rule(start - 3, y + 2, x + width - 4, y + 2, 0.5))
    if said is not None:
        after = sheet.pen.paragraph((start, y), room, said, blanks.typed, leading=1.3)
        y = max(y, after - blanks.typed.size * 1.3)
    return y


def _two_columns(blanks: Blanks, y: float) -> float:
    sheet, dice = blanks.sheet, blanks.sheet.dice
    step, half, ruled = sheet.look.line * dice.pick((1.6, 2.0)), sheet.inner / 2 - 8, dice.chance(0.6)
    for _ in range(dice.pick((2, 3, 4, 5))):
        y += step
        if y > sheet.pen.height - sheet.margin:
            break
        y = max(_blank(blanks, (sheet.margin + column * (half + 16), y), half, 0.0, ruled=ruled) for column in (0, 1))
    return y + sheet.look.line


def _boxes(blanks: Blanks, y: float) -> float:
    """Cells with a small label above the value."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    tall = sheet.look.line * 2.7
    for _ in range(dice.pick((1, 2, 3, 4))):
        count = dice.pick((1, 2, 2, 3))
        share = sheet.inner / count
        if y + tall > sheet.pen.height - sheet.margin:
            break
        deepest = y + tall
        for cell in range(count):
            left = sheet.margin + cell * share
            label, said = blanks.make()
            small = sheet.look.small.fitted(text_of(label), share - 8)
            sheet.pen.write(left + 4, y + sheet.look.small.size * 1.1, label, small)
            if said is not None:
                after = sheet.pen.paragraph((left + 6, y + sheet.look.line * 2.1), share - 10, said, blanks.typed)
                deepest = max(deepest, after)
        for cell in range(count):
            sheet.pen.mark(Frame(sheet.margin + cell * share, y, share, deepest - y, None))
        y = deepest
    return y + sheet.look.line


def _grid(blanks: Blanks, y: float) -> float:
    """A ruled table with the label in the left cell and the value in the right one."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    split = dice.pick((0.3, 0.4, 0.5))
    for _ in range(dice.pick((3, 5, 7))):
        if y + sheet.look.line * 3 > sheet.pen.height - sheet.margin:
            break
        label, said = blanks.make()
        base, bottom = y + sheet.look.line * 1.1, y + sheet.look.line * 1.6
        below = sheet.pen.paragraph((sheet.margin + 4, base), sheet.inner * split - 8, label, sheet.look.text)
        bottom = max(bottom, below - sheet.look.text.size * 0.6)
        if said is not None:
            after = sheet.pen.paragraph(
                (sheet.margin + sheet.inner * split + 5, base), sheet.inner * (1 - split) - 10, said, blanks.typed
            )
            bottom = max(bottom, after - blanks.typed.size * 0.6)
        sheet.pen.mark(
            Frame(sheet.margin, y, sheet.inner * split, bottom - y),
            Frame(sheet.margin + sheet.inner * split, y, sheet.inner * (1 - split), bottom - y),
        )
        y = bottom
    return y + sheet.look.line


_BLOCKS: tuple[Callable[[Blanks, float], float], ...] = (
    *(_lines, _lines, _two_columns, _boxes, _grid),
    *(flowing, clauses, remarks, options, figures, columns, signatures, ticks, ticks),
)
