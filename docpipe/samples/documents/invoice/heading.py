"""The upper part of an invoice's first page: letterhead, buyer, title, metadata, introduction.

In: an `InvoiceLayout`. Out: all of it drawn; each part gives the y below it.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.text_style import TextStyle
from docpipe.samples.content.parties import make_party
from docpipe.samples.documents.common.drawing_context import DrawingContext, fill_with_runs
from docpipe.samples.documents.common.metadata_block import draw_metadata
from docpipe.samples.documents.common.party_fields import draw_lines, name_field
from docpipe.samples.documents.invoice.layout import InvoiceLayout
from docpipe.samples.documents.invoice.letterhead import (
    draw_accent_bar,
    draw_buyer,
    draw_delivery_address,
    draw_sender_line,
    seller_lines,
)
from docpipe.samples.documents.invoice.metadata import metadata_entries
from docpipe.samples.truth import FieldText, RichTextRun, field_text, text_runs


def draw_heading(layout: InvoiceLayout) -> float:
    """Letterhead, buyer, title and metadata; gives the y below."""
    context, invoice, rng, line_height = layout.context, layout.invoice, layout.context.rng, layout.context.line_height
    if rng.chance(0.12):
        draw_accent_bar(context, context.typography.accent)
    below_letterhead = _draw_letterhead(layout)
    buyer_right = rng.chance(0.3)
    left, middle = context.margin, context.margin + context.inner_width * rng.pick((0.5, 0.55, 0.6))
    y = below_letterhead + line_height * (1 + 2 * rng.random())
    title_first = rng.chance(0.3)
    if title_first:
        y = _draw_title(layout, y)
    top = y
    if rng.chance(0.35) and not buyer_right:
        y = draw_sender_line(context, left, y, invoice.seller)
    buyer_x, other_x = (middle, left) if buyer_right else (left, middle)
    with_label = rng.chance(0.55)
    below_buyer = draw_buyer(context, buyer_x, y + line_height, invoice.buyer, with_label=with_label)
    entries = metadata_entries(layout)
    metadata_beside = rng.chance(0.55)
    below_other = top
    if metadata_beside:
        width = middle - left - 15 if buyer_right else context.right - middle
        below_other = draw_metadata(context, entries, Point(other_x, top + line_height), width)
    elif rng.chance(0.2):
        recipient = make_party(rng, invoice.buyer.country, context.locale.language)
        below_other = draw_delivery_address(context, other_x, top + line_height, recipient)
    y = max(below_buyer, below_other) + line_height * (0.5 + 2 * rng.random())
    if not title_first:
        y = _draw_title(layout, y)
    if not metadata_beside:
        y = draw_metadata(context, entries, Point(left, y), context.inner_width) + line_height * 0.7
    return y


def _draw_letterhead(layout: InvoiceLayout) -> float:
    """The seller in one of six forms; "footer" leaves it to the foot of the page."""
    context, rng = layout.context, layout.context.rng
    y = context.margin + 4
    form = rng.pick(("left", "right", "centre", "split", "name", "footer"))
    if form == "split":
        return _draw_split_letterhead(layout, y)
    if form == "name":
        return _draw_name_letterhead(layout, y)
    if form == "footer" and layout.has_footer:
        context.draw_logo(rng.pick((context.margin, context.right - 60)), y - 8, 45)
        return y + 45
    align: Align = "right" if form == "right" else "centre" if form == "centre" else "left"
    x = {"left": context.margin, "right": context.right, "centre": context.canvas.width / 2}[align]
    if align == "left" and rng.chance(0.4):
        context.draw_logo(context.right - 60, y - 8, 28 + 30 * rng.random())
    if align == "right" and rng.chance(0.5):
        context.draw_logo(context.margin, y - 8, 28 + 30 * rng.random())
    if align == "right" and rng.chance(0.5):
        x, align = context.margin + context.inner_width * 0.62, "left"
    return draw_lines(context, x, y + 6, seller_lines(context, layout.invoice.seller), align)


def _draw_split_letterhead(layout: InvoiceLayout, y: float) -> float:
    """The name large at the left, the other lines at the right."""
    context, rng, seller = layout.context, layout.context.rng, layout.invoice.seller
    large = _fitted(context.typography.accented.scaled(1.5 + rng.random()), seller.name, context.inner_width * 0.6)
    context.canvas.write(context.margin, y + large.size, name_field("seller_name", seller), large)
    x = context.margin + context.inner_width * 0.65
    below = draw_lines(context, x, y + 6, seller_lines(context, seller, with_name=False))
    return max(y + large.size * 2, below)


def _draw_name_letterhead(layout: InvoiceLayout, y: float) -> float:
    """The name large over the whole width, the other lines in one paragraph below it."""
    context, rng, seller = layout.context, layout.context.rng, layout.invoice.seller
    large = _fitted(context.typography.accented.scaled(1.6 + 1.2 * rng.random()), seller.name, context.inner_width)
    align: Align = "centre" if rng.chance(0.4) else "left"
    x = context.canvas.width / 2 if align == "centre" else context.margin
    context.canvas.write(x, y + large.size, name_field("seller_name", seller), large, align)
    lines = seller_lines(context, seller, with_name=False)
    runs = [_on_one_line(run) for line in lines for run in (*text_runs(line.text), "  ")]
    start = context.start(y + large.size * 2.2)
    return context.canvas.write_paragraph(start, context.inner_width, runs, context.typography.small)


def _fitted(style: TextStyle, text: str, width: float) -> TextStyle:
    """The style at a size at which the text is at most `width` wide."""
    return style.scaled(min(1.0, width / style.width(text)))


def _on_one_line(run: RichTextRun) -> RichTextRun:
    return run.with_text(run.text.replace("\n", ", ")) if isinstance(run, FieldText) else run


def _draw_title(layout: InvoiceLayout, y: float) -> float:
    context, rng, typography = layout.context, layout.context.rng, layout.context.typography
    style = (typography.accented if rng.chance(0.5) else typography.bold).scaled(1.2 + 1.2 * rng.random())
    y += style.size
    if rng.chance(0.3):
        separator = rng.pick((" ", " Nr. ", " # ", ": ", " No. ", " n° "))
        line: list[RichTextRun] = [layout.title, separator, field_text("invoice_number", layout.invoice.number)]
        context.canvas.write(context.margin, y, line, style)
    elif rng.chance(0.2):
        context.canvas.write(context.right, y, layout.title, style, "right")
    else:
        context.canvas.write(context.margin, y, layout.title, style)
    return y + style.size * 0.9


def draw_introduction(layout: InvoiceLayout, y: float) -> float:
    """Number and date within a sentence, the date as in letters, an opening phrase: each now and then."""
    context, invoice, rng, typography = layout.context, layout.invoice, layout.context.rng, layout.context.typography
    fields: dict[str, RichTextRun] = {
        "{number}": field_text("invoice_number", invoice.number),
        "{date}": context.locale.date_field("issue_date", invoice.issue_date),
        "{city}": invoice.seller.city,
    }
    if rng.chance(0.1):
        sentence = fill_with_runs(rng.pick(context.words("inline")), fields)
        y = _draw_paragraph_below(context, y, sentence, typography.bold)
    if layout.date_as_in_letters:
        y += context.line_height
        line = fill_with_runs(context.label("letter_date"), fields)
        context.canvas.write(context.right, y, line, typography.text, "right")
    if rng.chance(0.45):
        phrase = context.phrase("intro", person=invoice.buyer.contact_person)
        y = _draw_paragraph_below(context, y, [phrase], typography.text)
    return y + context.line_height * 0.6


def _draw_paragraph_below(context: DrawingContext, y: float, text: list[RichTextRun], style: TextStyle) -> float:
    start = context.start(y + context.line_height)
    return context.canvas.write_paragraph(start, context.inner_width, text, style)
