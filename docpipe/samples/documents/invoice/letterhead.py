"""Who writes to whom: seller block, sender line, buyer block, delivery address, footer.

In: the drawing context and parties. Out: blocks drawn; each gives the y below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.canvas.text_style import GREY, RgbColour, StyledText
from docpipe.samples.content.parties import Party
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.common.party_fields import (
    account_line,
    address_field,
    broken_name,
    draw_lines,
    name_field,
    tax_number_line,
    vat_id_field,
)
from docpipe.samples.truth import RichText, text_runs

UNLABELLED_NUMBERS = ("%#######", "%####", "%#### ####", "K-%####", "%##/%#####", "0%### %###")
FORMS_OF_ADDRESS = ("Firma", "Herrn", "M.", "Attn:", "Sig.", "Fam.")


def seller_lines(context: DrawingContext, seller: Party, *, with_name: bool = True) -> list[StyledText]:
    """The lines of a letterhead, in a random selection."""
    rng, typography = context.rng, context.typography
    lines: list[StyledText] = []
    if with_name and rng.chance(0.1):
        lines.append(StyledText(context.label("supplier"), typography.small))
    if with_name:
        name = broken_name(rng, name_field("seller_name", seller))
        lines.append(StyledText(name, typography.bold.scaled(rng.pick((1.0, 1.1, 1.3)))))
    if rng.chance(0.08):
        lines.append(StyledText(context.phrase("slogans", city=seller.city), typography.italic))
    style = typography.text if rng.chance(0.6) else typography.small
    separator = rng.pick(("\n", "\n", "\n", ", ", " - "))
    lines.append(StyledText(address_field("seller_address", seller, separator), style))
    return lines + [StyledText(detail, style) for detail in _seller_details(context, seller)]


def _seller_details(context: DrawingContext, seller: Party) -> list[RichText]:
    """Some of the numbers and addresses of a letterhead, each once; of them only the VAT number is a value."""
    rng = context.rng
    details: list[RichText] = [
        f"{context.label('phone')}{rng.pick((' ', ': ', ' '))}{seller.phone}",
        f"{context.label('fax')}: {seller.fax}",
        seller.email,
        f"{context.label('email')}: {seller.email}",
        seller.website,
        tax_number_line(context, seller),
        seller.contact_person,
        seller.phone,
        rng.from_pattern(rng.pick(UNLABELLED_NUMBERS)),
    ]
    vat_id = vat_id_field(context, "seller_vat_id", seller)
    if vat_id is not None:
        details += [(f"{context.label('vat_id')}{rng.pick((': ', ' '))}", vat_id)] * 2
    chosen: list[RichText] = []
    for detail in rng.pick_several(details, rng.pick((0, 1, 2, 3, 3, 4, 5))):
        if detail not in chosen:
            chosen.append(detail)
    return chosen


def draw_sender_line(context: DrawingContext, x: float, y: float, seller: Party) -> float:
    """The small line above a window address."""
    separator = context.rng.pick((" · ", " - ", ", ", " | ", " • "))
    style = context.typography.text.scaled(0.7)
    line = (name_field("seller_name", seller), separator, address_field("seller_address", seller, separator))
    width = context.canvas.write(x, y, line, style)
    if context.rng.chance(0.5):
        context.canvas.draw_horizontal_line(x, x + width, y + 2, 0.4)
    return y + style.size * 2.2


def draw_buyer(context: DrawingContext, x: float, y: float, buyer: Party, *, with_label: bool) -> float:
    """The buyer's name and address, with or without a label above them."""
    rng, typography = context.rng, context.typography
    if with_label:
        label_style = rng.pick((typography.bold, typography.small, typography.accented))
        context.canvas.write(x, y, context.label("bill_to"), label_style)
        y += label_style.size * 1.4
    lines: list[StyledText] = []
    if rng.chance(0.1):
        before = rng.pick(FORMS_OF_ADDRESS) if rng.chance(0.5) else rng.from_pattern("%#####")
        lines.append(StyledText(before, typography.text))
    name = broken_name(rng, name_field("buyer_name", buyer))
    lines.append(StyledText(name, typography.bold if rng.chance(0.35) else typography.text))
    if rng.chance(0.2) and buyer.name != buyer.contact_person:
        lines.append(StyledText(buyer.contact_person, typography.text))
    lines.append(StyledText(address_field("buyer_address", buyer), typography.text))
    vat_id = vat_id_field(context, "buyer_vat_id", buyer)
    if vat_id is not None and rng.chance(0.2):
        lines.append(StyledText((f"{context.label('vat_id')}: ", vat_id), typography.text))
    elif rng.chance(0.2):
        details = (
            buyer.phone,
            buyer.email,
            rng.from_pattern(rng.pick(UNLABELLED_NUMBERS)),
            f"{context.label('vat_id')}: N/A",
            buyer.contact_person,
            f"{context.label('phone')} {buyer.phone}",
            f"{context.label('customer_number')} {rng.from_pattern('%####')}",
        )
        chosen = rng.pick_several(details, rng.pick((1, 1, 2)))
        lines += [StyledText(detail, typography.text) for detail in chosen]
    return draw_lines(context, x, y, lines)


def draw_delivery_address(context: DrawingContext, x: float, y: float, recipient: Party) -> float:
    """Names and streets that are not the buyer's."""
    canvas, typography = context.canvas, context.typography
    canvas.write(x, y, context.label("ship_to"), typography.bold)
    lines = "\n".join((recipient.name, *recipient.address_lines))
    return canvas.write_lines(x, y + context.line_height * 1.1, lines, typography.text, leading=typography.leading)


def draw_footer(context: DrawingContext, seller: Party, *, columns: int, with_bank: bool) -> None:
    """Small print at the foot in columns; it may hold the only print of the seller."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    style = replace(typography.text.scaled(0.74), colour=GREY if rng.chance(0.5) else typography.text.colour)
    blocks = _footer_blocks(context, seller, with_bank=with_bank)
    top = canvas.height - context.margin * 0.75 - 4 * style.size
    if rng.chance(0.6):
        canvas.draw_horizontal_line(context.margin, context.right, top - style.size * 1.4, 0.4, typography.accent)
    if columns <= 1:
        runs = [
            run for block in blocks for line in block for run in (*text_runs(line), rng.pick((" · ", " - ", " | ")))
        ]
        canvas.write_paragraph(context.start(top), context.inner_width, runs[:-1], style)
        return
    for number, block in enumerate(blocks):
        x = context.margin + context.inner_width * number / len(blocks)
        draw_lines(context, x, top, [StyledText(line, style) for line in block])


def _footer_blocks(context: DrawingContext, seller: Party, *, with_bank: bool) -> list[Sequence[RichText]]:
    """Address, contact, perhaps the bank, numbers: the lines of each."""
    vat_id = vat_id_field(context, "seller_vat_id", seller)
    blocks: list[Sequence[RichText]] = [
        (name_field("seller_name", seller), address_field("seller_address", seller)),
        (
            f"{context.label('phone')} {seller.phone}",
            f"{context.label('fax')} {seller.fax}",
            seller.email,
            seller.website,
        ),
    ]
    if with_bank:
        blocks.append((seller.bank, account_line(context, seller), f"BIC: {seller.bic}"))
    numbers: list[RichText] = [tax_number_line(context, seller)]
    if vat_id is not None:
        numbers.append((f"{context.label('vat_id')} ", vat_id))
    return [*blocks, [*numbers, seller.contact_person]]


def draw_accent_bar(context: DrawingContext, colour: RgbColour) -> None:
    """A coloured band at the top or the side."""
    canvas, rng = context.canvas, context.rng
    if rng.chance(0.5):
        canvas.draw(RectangleStroke(0, 0, canvas.width, 8 + 10 * rng.random(), colour, None))
    else:
        canvas.draw(RectangleStroke(0, 0, 6 + 8 * rng.random(), canvas.height, colour, None))
