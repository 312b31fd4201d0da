"""Registration forms of public offices: dense print, numbered boxes, stamps, a signature.

In: dice. Out: a drawn filing in English, with its type, registrant, signer and dates, and what was
written into its other boxes, asked for by their captions.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.samples.canvas.canvas import Drawn, Pen, Piece, Value, value
from docpipe.samples.canvas.strokes import Curve, Frame, Ink, Text
from docpipe.samples.canvas.text_style import Fonts, make_look
from docpipe.samples.content.field_descriptions import descriptions
from docpipe.samples.content.locale_style import make_manner
from docpipe.samples.content.vocabulary import company, person, town
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.form.blanks import NAME_WORDS, capital, name_of
from docpipe.samples.documents.invoice.letterhead import Sheet, draw_logo

LETTER = (612.0, 792.0)


def draw_registration(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:  # noqa: ARG001 these offices write English
    manner = make_manner(dice, "US", "en")
    sheet = Sheet(
        Pen(*LETTER), dice, make_look(dice, fonts, low=7.5, high=10), manner, dice.day(), 34 + 25 * dice.random()
    )
    typed = dice.pick(
        (
            sheet.look.text,
            replace(sheet.look.text, font="Courier"),
            replace(sheet.look.text, font="Helvetica"),
            replace(sheet.look.text, font="Times-Italic", colour=(0.1, 0.1, 0.5), size=11),
        )
    )
    office = sheet.word("offices")
    stamp = _stamp(sheet, office)
    y = _draw_head(sheet, office)
    asked: dict[str, str] = {}
    y = _draw_boxes(sheet, typed, y, asked)
    y = _draw_questions(sheet, typed, y, asked)
    if y > sheet.pen.height * 0.72 or dice.chance(0.4):
        _write_stamp(sheet, stamp, again=True)
        sheet.pen.next_page()
        y = sheet.margin + sheet.look.line
    _draw_signature(sheet, typed, y)
    _write_stamp(sheet, stamp, again=dice.chance(0.4))
    return sheet.pen.finish("registration", "en", {**descriptions(dice, "registration"), **asked})


def _own(label: str, said: str, asked: dict[str, str]) -> Value:
    """The answer to a printed question, which gets a field of its own."""
    path = capital("_".join(name_of(label).split("_")[:NAME_WORDS]))
    asked[path] = label
    return value(path, said)


def _stamp(sheet: Sheet, office: str) -> list[Piece]:
    """`Received by Registration Unit 05/16/2018 5:56:21 PM`, the date being a value."""
    time = sheet.dice.pattern("%:3#:2# ") + sheet.dice.pick(("AM", "PM"))
    pieces: list[Piece] = []
    for part in sheet.word("file_stamp").replace("{", "\0{").replace("}", "}\0").split("\0"):
        known: dict[str, Piece] = {
            "{office}": office,
            "{date}": sheet.manner.day("file_date", sheet.day),
            "{time}": time,
        }
        pieces.append(known.get(part, part))
    return pieces


def _write_stamp(sheet: Sheet, stamp: list[Piece], *, again: bool) -> None:
    dice, pen = sheet.dice, sheet.pen
    ink = Ink(
        "Helvetica", dice.pick((9.0, 11.0, 13.0)), dice.pick(((0.0, 0.0, 0.0), (0.15, 0.15, 0.5), (0.6, 0.1, 0.1)))
    )
    places = [(pen.width * 0.3, 18.0), (sheet.margin, pen.height - 12.0), (pen.width * 0.45, 16.0)]
    pen.write(*dice.pick(places[:1] + places[2:]), stamp, ink)
    if again:
        pen.write(*places[1], stamp, ink)


def _draw_head(sheet: Sheet, office: str) -> float:
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    y = sheet.margin + look.line
    kind = sheet.word("form_titles")
    head: list[Piece] = []
    for part in sheet.word("form_heads").replace("{type}", "\0{type}\0").split("\0"):
        text = part.replace("{code}", dice.pattern("??-%")).replace("{year}", str(1930 + int(60 * dice.random())))
        head.append(value("form_type", kind) if part == "{type}" else text)
    if dice.chance(0.3):
        draw_logo(sheet, sheet.margin, y, 36)
    pen.write(sheet.margin + dice.pick((0, 45)), y, office, look.bold)
    expires = f"Expires {dice.pick(words('en')['month'])} 20{dice.pattern('1#')}"
    pen.write(sheet.right, y, f"OMB No. {dice.pattern('####-00##')}; {expires}", look.small.sized(0.7), "right")
    ink = look.bold.sized(1.3 + 0.4 * dice.random())
    y = pen.paragraph(
        (sheet.margin + sheet.inner * dice.pick((0.25, 0.4, 0.0)), y + ink.size * 2), sheet.inner * 0.6, head, ink
    )
    pen.rule(sheet.margin, sheet.right, y - ink.size * 0.4, 2)
    for text in dice.some(words("en")["instructions"], dice.pick((1, 2, 3, 4))):
        y = pen.paragraph((sheet.margin, y + look.line), sheet.inner, text, look.text)
    return y + look.line * 0.5


def _draw_boxes(sheet: Sheet, typed: Ink, y: float, asked: dict[str, str]) -> float:
    """Numbered boxes, two beside each other: registrant, number, addresses. Adds to what is asked by its label."""
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    private = dice.chance(0.3)
    registrant = person(dice, "US") if private else company(dice, "US", "en")
    number = value("registration_number", dice.pattern(dice.pick(("%###", "%##", "%#####", "?-%####"))))
    cells: list[tuple[str, Value | str]] = [
        (sheet.word("registrant"), value("registrant_name", registrant)),
        (sheet.word("registration_number"), number),
    ]
    if dice.chance(0.5):
        cells += [
            (
                "3. Residence Address(es)",
                _own("3. Residence Address(es)", f"{dice.pattern('%##')} Elm Street, {town(dice, 'US', 'en')}", asked),
            ),
            (
                "4. Business Address(es)",
                _own("4. Business Address(es)", f"{dice.pattern('%##')} Oak Avenue, {town(dice, 'US', 'en')}", asked),
            ),
        ]
    if dice.chance(0.4):
        cells += [
            ("5. Name of foreign principal", _own("5. Name of foreign principal", company(dice, "FR", "fr"), asked)),
            (
                "6. Year of birth / Nationality",
                _own(
                    "6. Year of birth / Nationality",
                    f"19{dice.pattern('##')}  {dice.pick(('USA', 'Japan', 'Canada'))}",
                    asked,
                ),
            ),
        ]
    tall, boxed = look.line * 3, dice.chance(0.75)
    for place in range(0, len(cells), 2):
        for side, (label, said) in enumerate(cells[place : place + 2]):
            left = sheet.margin + side * sheet.inner / 2
            if boxed:
                pen.mark(Frame(left, y, sheet.inner / 2, tall))
            pen.write(left + 4, y + look.line, label, look.text)
            pen.write(left + 10, y + look.line * 2.4, said, typed)
        y += tall
    return y


def _draw_questions(sheet: Sheet, typed: Ink, y: float, asked: dict[str, str]) -> float:
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    for text in dice.some(words("en")["questions"], dice.pick((1, 2, 3))):
        y = pen.paragraph((sheet.margin + 4, y + look.line), sheet.inner - 8, text, look.text)
        if dice.chance(0.6):
            for option in dice.some(words("en")["checks"], dice.pick((2, 3, 4))):
                y += look.line * 0.3
                pen.mark(
                    Frame(sheet.margin + 20, y - look.text.size * 0.75, look.text.size * 0.8, look.text.size * 0.8)
                )
                if dice.chance(0.4):
                    pen.write(sheet.margin + 21, y, "X", look.bold)
                pen.write(sheet.margin + 36, y, option, look.text)
                y += look.line
        if dice.chance(0.6):
            answer = f"{sheet.phrase('phrases')}. {company(dice, 'US', 'en')}, {person(dice, 'US')}"
            own = _own(text, answer, asked)
            y = pen.paragraph((sheet.margin + 12, y + look.line * 0.6), sheet.inner - 24, own, typed)
        pen.rule(sheet.margin, sheet.right, y, 0.6)
    return y


def _draw_signature(sheet: Sheet, typed: Ink, y: float) -> None:
    """A paragraph of oath, then date, name and a scribble; first and last name are separate values."""
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    pen.write(
        pen.width / 2, y + look.line * 1.5, dice.pick(("EXECUTION", "SIGNATURE", "Verification")), look.bold, "centre"
    )
    y = (
        pen.paragraph(
            (sheet.margin, y + look.line * 3.2), sheet.inner, dice.pick(words("en")["instructions"]), look.text
        )
        + look.line * 2
    )
    full = person(dice, "US")
    first, last = full.split(" ", 1)
    middle = dice.pattern("?. ") if dice.chance(0.3) else ""
    name: list[Piece] = [value("signer_first", first), " " + middle, value("signer_last", last)]
    signed: Piece = sheet.manner.day("signature_date", sheet.day)
    below = dice.chance(0.5)
    for number, (label, said) in enumerate(((sheet.word("signed_on"), [signed]), (sheet.word("signer"), name))):
        x = sheet.margin + number * sheet.inner * 0.4
        base = y + look.line * (2 if below else 0)
        pen.write(x, base if below else y - look.line * 1.2, label, look.small)
        pen.write(x, y, said, typed)
        pen.rule(x, x + sheet.inner * 0.3, y + 3, 0.5)
    x = sheet.margin + sheet.inner * 0.75
    points = tuple((x + step * 8, y - 6 + 14 * (dice.random() - 0.5)) for step in range(10))
    pen.mark(Curve(points, 1.0, (0.1, 0.1, 0.4)))
    if dice.chance(0.4):
        pen.mark(Text(pen.width - 10, pen.height * 0.6, dice.pattern("20%#/%#/%# PM 5: ##"), Ink("Helvetica", 11), 90))
