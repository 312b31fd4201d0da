"""Who writes to whom: logo, seller block, sender line, buyer block, footer.

In: a `Sheet` (pen, dice, look, manner of one document) and parties. Out: blocks drawn; each gives the y below it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from docpipe.samples.canvas.canvas import Align, DocumentCanvas, FieldText, TextRun, field_text
from docpipe.samples.canvas.strokes import GREY, CurveStroke, EllipseStroke, RectangleStroke, RgbColour, TextStyle
from docpipe.samples.canvas.text_style import Typography
from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.registered_numbers import format_iban, format_vat_id
from docpipe.samples.content.vocabulary import Party, fill_placeholders
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

MIN_WRAPPED_WORDS = 3  # words of a name that may be on two lines
UNLABELLED_NUMBERS = (
    "%#######",
    "%####",
    "%#### ####",
    "K-%####",
    "%##/%#####",
    "0%### %###",
)  # numbers without a caption
TextLine = Sequence[TextRun]


@dataclass
class DrawingContext:
    """What every block of one document needs."""

    canvas: DocumentCanvas
    rng: SeededRandom
    typography: Typography
    locale: LocaleStyle
    issue_date: date
    margin: float

    @property
    def right(self) -> float:
        return self.canvas.width - self.margin

    @property
    def inner_width(self) -> float:
        return self.canvas.width - 2 * self.margin

    def label(self, key: str) -> str:
        """One of the synonyms for a label in the document's language."""
        text = self.rng.pick(word_lists(self.locale.language)[key])
        if self.locale.language == "en":
            text = text.replace("VAT", self.locale.tax_name).replace("GST", self.locale.tax_name)
        return text.replace("{sign}", self.locale.currency_symbol).replace("{code}", self.locale.currency)

    def phrase(self, key: str, **known: str) -> str:
        return fill_placeholders(
            self.rng,
            self.rng.pick(word_lists(self.locale.language)[key]),
            self.locale.language,
            self.issue_date,
            **known,
        )


def name_field(path: str, party: Party) -> FieldText:
    return field_text(path, party.name)


def wrapped_name(rng: SeededRandom, name: FieldText) -> FieldText:
    """The name, now and then on two lines."""
    words_of_name = name.text.split()
    if len(words_of_name) < MIN_WRAPPED_WORDS or not rng.chance(0.1):
        return name
    fold = 1 + int((len(words_of_name) - 1) * rng.random())
    return name.with_text(" ".join(words_of_name[:fold]) + "\n" + " ".join(words_of_name[fold:]))


def address_field(path: str, party: Party, joint: str = "\n") -> FieldText:
    return FieldText(joint.join(party.address_lines), (path,), ", ".join(party.address_lines))


def vat_id_field(context: DrawingContext, path: str, party: Party) -> FieldText | None:
    if party.vat_id is None:
        return None
    return FieldText(format_vat_id(context.rng, party.vat_id), (path,), party.vat_id)


def iban_field(context: DrawingContext, party: Party) -> FieldText:
    return FieldText(format_iban(context.rng, party.iban), ("iban",), party.iban)


def account_line(context: DrawingContext, party: Party) -> TextLine:
    """The account to pay into: an IBAN, or numbers of another kind where there are none."""
    if party.country in ("US", "AU", "SG", "MY", "ID"):
        digits = context.rng.from_pattern("%########")
        return (
            f"{context.label('account')}: {digits}  {context.label('sort')}: {context.rng.from_pattern('%##-###')}",
        )
    return (context.rng.pick(("IBAN ", "IBAN: ", "IBAN: ", "Iban: ")), iban_field(context, party))


def tax_number_line(context: DrawingContext, seller: Party) -> str:
    label = fill_placeholders(context.rng, context.label("tax_number"), "en", context.issue_date, city=seller.city)
    return f"{label} {seller.tax_number}"


def draw_logo(context: DrawingContext, x: float, y: float, size: float) -> None:
    """A mark of simple shapes, sometimes with initials; its letters are no value."""
    rng, canvas, accent = context.rng, context.canvas, context.typography.accent
    kind = rng.pick(("ring", "square", "bars", "letters", "wave", "circles"))
    pale = context.typography.background
    if kind == "ring":
        canvas.draw(
            EllipseStroke(x, y, size, size, accent, None),
            EllipseStroke(x + size / 4, y + size / 4, size / 2, size / 2, (1.0, 1.0, 1.0), None),
        )
    elif kind == "square":
        canvas.draw(
            RectangleStroke(x, y, size, size, accent, None, radius=size / 6),
            RectangleStroke(x + size / 3, y + size / 3, size / 3, size / 3, pale, None),
        )
    elif kind == "bars":
        for bar in range(4):
            tall = size * (0.3 + 0.7 * rng.random())
            canvas.draw(
                RectangleStroke(x + bar * size / 4, y + size - tall, size / 5, tall, accent if bar % 2 else pale, None)
            )
    elif kind == "wave":
        points = tuple((x + size * 1.2 * step / 8, y + size / 2 + size / 3 * math.sin(step)) for step in range(9))
        canvas.draw(CurveStroke(points, size / 9, accent))
    elif kind == "circles":
        for _ in range(3):
            wide = size * (0.3 + 0.4 * rng.random())
            canvas.draw(
                EllipseStroke(
                    x + (size - wide) * rng.random(), y + (size - wide) * rng.random(), wide, wide, None, accent, 2
                )
            )
    else:
        canvas.draw(RectangleStroke(x, y, size, size, accent, None))
        text_style = TextStyle("Helvetica-Bold", size * 0.55, (1.0, 1.0, 1.0))
        canvas.write(x + size / 2, y + size * 0.7, rng.from_pattern("??"), text_style, "centre")


def draw_lines(
    context: DrawingContext, x: float, y: float, lines: Sequence[tuple[TextLine, TextStyle]], align: Align = "left"
) -> float:
    """Lines of pieces one below the other; a value of several lines makes a block."""
    for line, text_style in lines:
        if len(line) == 1 and isinstance(line[0], FieldText) and "\n" in line[0].text:
            y = context.canvas.write_lines(x, y, line[0], text_style, leading=context.typography.leading, align=align)
        else:
            context.canvas.write(x, y, line, text_style, align)
            y += text_style.size * context.typography.leading
    return y


def seller_lines(context: DrawingContext, seller: Party, *, name: bool = True) -> list[tuple[TextLine, TextStyle]]:
    """The lines of a letterhead, in a random selection."""
    rng, typography = context.rng, context.typography
    lines: list[tuple[TextLine, TextStyle]] = []
    if name and rng.chance(0.1):
        lines.append(((context.label("supplier"),), typography.small))
    if name:
        lines.append(
            ((wrapped_name(rng, name_field("seller_name", seller)),), typography.bold.scaled(rng.pick((1.0, 1.1, 1.3))))
        )
    if rng.chance(0.08):
        lines.append(((context.phrase("slogans", city=seller.city),), typography.italic))
    text_style = typography.text if rng.chance(0.6) else typography.small
    joint = rng.pick(("\n", "\n", "\n", ", ", " - "))
    lines.append(((address_field("seller_address", seller, joint),), text_style))
    details: list[TextLine] = [
        (f"{context.label('phone')}{rng.pick((' ', ': ', ' '))}{seller.phone}",),
        (f"{context.label('fax')}: {seller.fax}",),
        (seller.email,),
        (f"{context.label('email')}: {seller.email}",),
        (seller.website,),
        (tax_number_line(context, seller),),
        (seller.contact_person,),
        (seller.phone,),
        (rng.from_pattern(rng.pick(UNLABELLED_NUMBERS)),),
    ]
    vat = vat_id_field(context, "seller_vat_id", seller)
    if vat is not None:
        details += [(f"{context.label('vat_id')}{rng.pick((': ', ' '))}", vat)] * 2
    chosen: list[TextLine] = []
    for line in rng.pick_several(details, rng.pick((0, 1, 2, 3, 3, 4, 5))):
        if line not in chosen:
            chosen.append(line)
    return lines + [(line, text_style) for line in chosen]


def draw_sender_line(context: DrawingContext, x: float, y: float, seller: Party) -> float:
    """The small line above a window address."""
    joint = context.rng.pick((" · ", " - ", ", ", " | ", " • "))
    text_style = context.typography.text.scaled(0.7)
    line = (name_field("seller_name", seller), joint, address_field("seller_address", seller, joint))
    width = context.canvas.write(x, y, line, text_style)
    if context.rng.chance(0.5):
        context.canvas.draw_horizontal_line(x, x + width, y + 2, 0.4)
    return y + text_style.size * 2.2


def draw_buyer(context: DrawingContext, x: float, y: float, buyer: Party, *, label: bool) -> float:
    """The buyer's name and address, with or without a heading."""
    rng, typography = context.rng, context.typography
    if label:
        text_style = rng.pick((typography.bold, typography.small, typography.accented))
        context.canvas.write(x, y, context.label("bill_to"), text_style)
        y += text_style.size * 1.4
    lines: list[tuple[TextLine, TextStyle]] = []
    if rng.chance(0.1):
        lines.append(
            (
                (
                    rng.pick(("Firma", "Herrn", "M.", "Attn:", "Sig.", "Fam."))
                    if rng.chance(0.5)
                    else rng.from_pattern("%#####"),
                ),
                typography.text,
            )
        )
    lines.append(
        (
            (wrapped_name(rng, name_field("buyer_name", buyer)),),
            typography.bold if rng.chance(0.35) else typography.text,
        )
    )
    if rng.chance(0.2) and buyer.name != buyer.contact_person:
        lines.append(((buyer.contact_person,), typography.text))
    lines.append(((address_field("buyer_address", buyer),), typography.text))
    vat = vat_id_field(context, "buyer_vat_id", buyer)
    if vat is not None and rng.chance(0.2):
        lines.append(((f"{context.label('vat_id')}: ", vat), typography.text))
    elif rng.chance(0.2):
        other = (
            buyer.phone,
            buyer.email,
            rng.from_pattern(rng.pick(UNLABELLED_NUMBERS)),
            f"{context.label('vat_id')}: N/A",
            buyer.contact_person,
            f"{context.label('phone')} {buyer.phone}",
            f"{context.label('customer_number')} {rng.from_pattern('%####')}",
        )
        lines += [((line,), typography.text) for line in rng.pick_several(other, rng.pick((1, 1, 2)))]
    return draw_lines(context, x, y, lines)


def draw_delivery_address(context: DrawingContext, x: float, y: float, other: Party) -> float:
    """A delivery address: names and streets that are not the buyer's."""
    context.canvas.write(x, y, context.label("ship_to"), context.typography.bold)
    lines = "\n".join((other.name, *other.address_lines))
    return context.canvas.write_lines(
        x, y + context.typography.line_height * 1.1, lines, context.typography.text, leading=context.typography.leading
    )


def draw_footer(context: DrawingContext, seller: Party, *, columns: int, bank: bool) -> None:
    """Small print at the foot in columns; it may hold the only print of the seller."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    text_style = replace(typography.text.scaled(0.74), colour=GREY if rng.chance(0.5) else typography.text.colour)
    vat = vat_id_field(context, "seller_vat_id", seller)
    blocks: list[list[TextLine]] = [
        [(name_field("seller_name", seller),), (address_field("seller_address", seller),)],
        [
            (f"{context.label('phone')} {seller.phone}",),
            (f"{context.label('fax')} {seller.fax}",),
            (seller.email,),
            (seller.website,),
        ],
    ]
    if bank:
        blocks.append([(seller.bank,), account_line(context, seller), (f"BIC: {seller.bic}",)])
    last: list[TextLine] = [(tax_number_line(context, seller),)]
    if vat is not None:
        last.append((f"{context.label('vat_id')} ", vat))
    last.append((seller.contact_person,))
    blocks.append(last)
    top = canvas.height - context.margin * 0.75 - 4 * text_style.size
    if rng.chance(0.6):
        canvas.draw_horizontal_line(context.margin, context.right, top - text_style.size * 1.4, 0.4, typography.accent)
    if columns <= 1:
        flat = [piece for block in blocks for line in block for piece in (*line, rng.pick((" · ", " - ", " | ")))][:-1]
        canvas.write_paragraph((context.margin, top), context.inner_width, flat, text_style)
        return
    for number, block in enumerate(blocks):
        draw_lines(
            context,
            context.margin + context.inner_width * number / len(blocks),
            top,
            [(line, text_style) for line in block],
        )


def draw_accent_bar(context: DrawingContext, colour: RgbColour) -> None:
    """A coloured band at the top or the side."""
    if context.rng.chance(0.5):
        context.canvas.draw(RectangleStroke(0, 0, context.canvas.width, 8 + 10 * context.rng.random(), colour, None))
    else:
        context.canvas.draw(RectangleStroke(0, 0, 6 + 8 * context.rng.random(), context.canvas.height, colour, None))
