"""Who writes to whom: logo, seller block, sender line, buyer block, footer.

In: a `Sheet` (pen, dice, look, manner of one document) and parties. Out: blocks drawn; each gives the y below it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from docpipe.samples.canvas.canvas import Align, Pen, Piece, Value, value
from docpipe.samples.canvas.strokes import GREY, Colour, Curve, Ellipse, Frame, Ink
from docpipe.samples.canvas.text_style import Look
from docpipe.samples.content.locale_style import Manner
from docpipe.samples.content.registered_numbers import print_iban, print_vat_id
from docpipe.samples.content.vocabulary import Party, fill
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice

LEAST_FOLDED = 3  # words of a name that may be on two lines
BARE = ("%#######", "%####", "%#### ####", "K-%####", "%##/%#####", "0%### %###")  # numbers without a caption
Line = Sequence[Piece]


@dataclass
class Sheet:
    """What every block of one document needs."""

    pen: Pen
    dice: Dice
    look: Look
    manner: Manner
    day: date
    margin: float

    @property
    def right(self) -> float:
        return self.pen.width - self.margin

    @property
    def inner(self) -> float:
        return self.pen.width - 2 * self.margin

    def word(self, key: str) -> str:
        """One of the synonyms for a label in the document's language."""
        text = self.dice.pick(words(self.manner.language)[key])
        if self.manner.language == "en":
            text = text.replace("VAT", self.manner.tax).replace("GST", self.manner.tax)
        return text.replace("{sign}", self.manner.sign).replace("{code}", self.manner.currency)

    def phrase(self, key: str, **known: str) -> str:
        return fill(
            self.dice, self.dice.pick(words(self.manner.language)[key]), self.manner.language, self.day, **known
        )


def name_of(path: str, party: Party) -> Value:
    return value(path, party.name)


def folded(dice: Dice, name: Value) -> Value:
    """The name, now and then on two lines."""
    words_of_name = name.text.split()
    if len(words_of_name) < LEAST_FOLDED or not dice.chance(0.1):
        return name
    fold = 1 + int((len(words_of_name) - 1) * dice.random())
    return name.printed(" ".join(words_of_name[:fold]) + "\n" + " ".join(words_of_name[fold:]))


def address_of(path: str, party: Party, joint: str = "\n") -> Value:
    return Value(joint.join(party.address), (path,), ", ".join(party.address))


def vat_of(sheet: Sheet, path: str, party: Party) -> Value | None:
    if party.vat_id is None:
        return None
    return Value(print_vat_id(sheet.dice, party.vat_id), (path,), party.vat_id)


def iban_of(sheet: Sheet, party: Party) -> Value:
    return Value(print_iban(sheet.dice, party.iban), ("iban",), party.iban)


def account_of(sheet: Sheet, party: Party) -> Line:
    """The account to pay into: an IBAN, or numbers of another kind where there are none."""
    if party.country in ("US", "AU", "SG", "MY", "ID"):
        digits = sheet.dice.pattern("%########")
        return (f"{sheet.word('account')}: {digits}  {sheet.word('sort')}: {sheet.dice.pattern('%##-###')}",)
    return (sheet.dice.pick(("IBAN ", "IBAN: ", "IBAN: ", "Iban: ")), iban_of(sheet, party))


def draw_logo(sheet: Sheet, x: float, y: float, size: float) -> None:
    """A mark of simple shapes, sometimes with initials; its letters are no value."""
    dice, pen, accent = sheet.dice, sheet.pen, sheet.look.accent
    kind = dice.pick(("ring", "square", "bars", "letters", "wave", "circles"))
    pale = sheet.look.pale
    if kind == "ring":
        pen.mark(
            Ellipse(x, y, size, size, accent, None),
            Ellipse(x + size / 4, y + size / 4, size / 2, size / 2, (1.0, 1.0, 1.0), None),
        )
    elif kind == "square":
        pen.mark(
            Frame(x, y, size, size, accent, None, radius=size / 6),
            Frame(x + size / 3, y + size / 3, size / 3, size / 3, pale, None),
        )
    elif kind == "bars":
        for bar in range(4):
            tall = size * (0.3 + 0.7 * dice.random())
            pen.mark(Frame(x + bar * size / 4, y + size - tall, size / 5, tall, accent if bar % 2 else pale, None))
    elif kind == "wave":
        points = tuple((x + size * 1.2 * step / 8, y + size / 2 + size / 3 * math.sin(step)) for step in range(9))
        pen.mark(Curve(points, size / 9, accent))
    elif kind == "circles":
        for _ in range(3):
            wide = size * (0.3 + 0.4 * dice.random())
            pen.mark(
                Ellipse(
                    x + (size - wide) * dice.random(), y + (size - wide) * dice.random(), wide, wide, None, accent, 2
                )
            )
    else:
        pen.mark(Frame(x, y, size, size, accent, None))
        ink = Ink("Helvetica-Bold", size * 0.55, (1.0, 1.0, 1.0))
        pen.write(x + size / 2, y + size * 0.7, dice.pattern("??"), ink, "centre")


def draw_lines(sheet: Sheet, x: float, y: float, lines: Sequence[tuple[Line, Ink]], align: Align = "left") -> float:
    """Lines of pieces one below the other; a value of several lines makes a block."""
    for line, ink in lines:
        if len(line) == 1 and isinstance(line[0], Value) and "\n" in line[0].text:
            y = sheet.pen.block(x, y, line[0], ink, leading=sheet.look.leading, align=align)
        else:
            sheet.pen.write(x, y, line, ink, align)
            y += ink.size * sheet.look.leading
    return y


def seller_lines(sheet: Sheet, seller: Party, *, name: bool = True) -> list[tuple[Line, Ink]]:
    """The lines of a letterhead, in a random selection."""
    dice, look = sheet.dice, sheet.look
    lines: list[tuple[Line, Ink]] = []
    if name and dice.chance(0.1):
        lines.append(((sheet.word("supplier"),), look.small))
    if name:
        lines.append(((folded(dice, name_of("seller_name", seller)),), look.bold.sized(dice.pick((1.0, 1.1, 1.3)))))
    if dice.chance(0.08):
        lines.append(((sheet.phrase("slogans", city=seller.city),), look.italic))
    ink = look.text if dice.chance(0.6) else look.small
    joint = dice.pick(("\n", "\n", "\n", ", ", " - "))
    lines.append(((address_of("seller_address", seller, joint),), ink))
    details: list[Line] = [
        (f"{sheet.word('phone')}{dice.pick((' ', ': ', ' '))}{seller.phone}",),
        (f"{sheet.word('fax')}: {seller.fax}",),
        (seller.email,),
        (f"{sheet.word('email')}: {seller.email}",),
        (seller.web,),
        (f"{fill(dice, sheet.word('tax_number'), 'en', sheet.day, city=seller.city)} {seller.register}",),
        (seller.person,),
        (seller.phone,),
        (dice.pattern(dice.pick(BARE)),),
    ]
    vat = vat_of(sheet, "seller_vat_id", seller)
    if vat is not None:
        details += [(f"{sheet.word('vat_id')}{dice.pick((': ', ' '))}", vat)] * 2
    chosen: list[Line] = []
    for line in dice.some(details, dice.pick((0, 1, 2, 3, 3, 4, 5))):
        if line not in chosen:
            chosen.append(line)
    return lines + [(line, ink) for line in chosen]


def draw_sender_line(sheet: Sheet, x: float, y: float, seller: Party) -> float:
    """The small line above a window address."""
    joint = sheet.dice.pick((" · ", " - ", ", ", " | ", " • "))
    ink = sheet.look.text.sized(0.7)
    line = (name_of("seller_name", seller), joint, address_of("seller_address", seller, joint))
    width = sheet.pen.write(x, y, line, ink)
    if sheet.dice.chance(0.5):
        sheet.pen.rule(x, x + width, y + 2, 0.4)
    return y + ink.size * 2.2


def draw_buyer(sheet: Sheet, x: float, y: float, buyer: Party, *, label: bool) -> float:
    """The buyer's name and address, with or without a heading."""
    dice, look = sheet.dice, sheet.look
    if label:
        ink = dice.pick((look.bold, look.small, look.accented))
        sheet.pen.write(x, y, sheet.word("bill_to"), ink)
        y += ink.size * 1.4
    lines: list[tuple[Line, Ink]] = []
    if dice.chance(0.1):
        lines.append(
            (
                (
                    dice.pick(("Firma", "Herrn", "M.", "Attn:", "Sig.", "Fam."))
                    if dice.chance(0.5)
                    else dice.pattern("%#####"),
                ),
                look.text,
            )
        )
    lines.append(((folded(dice, name_of("buyer_name", buyer)),), look.bold if dice.chance(0.35) else look.text))
    if dice.chance(0.2) and buyer.name != buyer.person:
        lines.append(((buyer.person,), look.text))
    lines.append(((address_of("buyer_address", buyer),), look.text))
    vat = vat_of(sheet, "buyer_vat_id", buyer)
    if vat is not None and dice.chance(0.2):
        lines.append(((f"{sheet.word('vat_id')}: ", vat), look.text))
    elif dice.chance(0.2):
        other = (
            buyer.phone, buyer.email, dice.pattern(dice.pick(BARE)), f"{sheet.word('vat_id')}: N/A", buyer.person,
            f"{sheet.word('phone')} {buyer.phone}", f"{sheet.word('customer_number')} {dice.pattern('%####')}",
        )  # fmt: skip
        lines += [((line,), look.text) for line in dice.some(other, dice.pick((1, 1, 2)))]
    return draw_lines(sheet, x, y, lines)


def draw_delivery(sheet: Sheet, x: float, y: float, other: Party) -> float:
    """A delivery address: names and streets that are not the buyer's."""
    sheet.pen.write(x, y, sheet.word("ship_to"), sheet.look.bold)
    lines = "\n".join((other.name, *other.address))
    return sheet.pen.block(x, y + sheet.look.line * 1.1, lines, sheet.look.text, leading=sheet.look.leading)


def draw_footer(sheet: Sheet, seller: Party, *, columns: int, bank: bool) -> None:
    """Small print at the foot in columns; it may hold the only print of the seller."""
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    ink = replace(look.text.sized(0.74), colour=GREY if dice.chance(0.5) else look.text.colour)
    vat = vat_of(sheet, "seller_vat_id", seller)
    blocks: list[list[Line]] = [
        [(name_of("seller_name", seller),), (address_of("seller_address", seller),)],
        [
            (f"{sheet.word('phone')} {seller.phone}",),
            (f"{sheet.word('fax')} {seller.fax}",),
            (seller.email,),
            (seller.web,),
        ],
    ]
    if bank:
        blocks.append([(seller.bank,), account_of(sheet, seller), (f"BIC: {seller.bic}",)])
    last: list[Line] = [
        (f"{fill(dice, sheet.word('tax_number'), 'en', sheet.day, city=seller.city)} {seller.register}",)
    ]
    if vat is not None:
        last.append((f"{sheet.word('vat_id')} ", vat))
    last.append((seller.person,))
    blocks.append(last)
    top = pen.height - sheet.margin * 0.75 - 4 * ink.size
    if dice.chance(0.6):
        pen.rule(sheet.margin, sheet.right, top - ink.size * 1.4, 0.4, look.accent)
    if columns <= 1:
        flat = [piece for block in blocks for line in block for piece in (*line, dice.pick((" · ", " - ", " | ")))][:-1]
        pen.paragraph((sheet.margin, top), sheet.inner, flat, ink)
        return
    for number, block in enumerate(blocks):
        draw_lines(sheet, sheet.margin + sheet.inner * number / len(blocks), top, [(line, ink) for line in block])


def accent_bar(sheet: Sheet, colour: Colour) -> None:
    """A coloured band at the top or the side."""
    if sheet.dice.chance(0.5):
        sheet.pen.mark(Frame(0, 0, sheet.pen.width, 8 + 10 * sheet.dice.random(), colour, None))
    else:
        sheet.pen.mark(Frame(0, 0, 6 + 8 * sheet.dice.random(), sheet.pen.height, colour, None))
