"""What follows the line items of an invoice: totals, tax breakdown, terms, account, greetings.

In: a `Plan` and the y where the items end. Out: all of it drawn, on further pages where there is no room.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import field_text
from docpipe.samples.content.vocabulary import fill_placeholders
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.invoice.body import InvoiceLayout, finish_page
from docpipe.samples.documents.invoice.tax_breakdown import draw_breakdown
from docpipe.samples.documents.invoice.totals import draw_bank_details, draw_totals


def draw_closing(layout: InvoiceLayout, y: float) -> None:
    """Totals, breakdown, terms, bank, greetings."""
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    line = context.typography.line_height
    if y + line * 9 > layout.bottom:
        y = _next_page(layout)
    wanted = invoice.is_taxed and rng.chance(0.55 if len(invoice.tax_breakdown) > 1 else 0.22)
    first = wanted and rng.chance(0.2)
    if first:
        y = _draw_breakdown(layout, y, context.inner_width)
        if y + line * 9 > layout.bottom:
            y = _next_page(layout)
    top = y
    y, left = draw_totals(context, invoice, y + line * 0.5 * rng.random(), layout.table)
    if wanted and not first:
        room = left - context.margin
        if room > context.inner_width * 0.38 and y - top > line * (3 + len(invoice.tax_breakdown)) and rng.chance(0.4):
            y = max(y, _draw_breakdown(layout, top + line, room))
        else:
            y = _draw_breakdown(layout, _next_page(layout) if rng.chance(0.05) else y, context.inner_width)
    _draw_parts(layout, y + line * 1.5)


def _next_page(layout: InvoiceLayout) -> float:
    finish_page(layout)
    return layout.context.margin + layout.context.typography.line_height


def _draw_breakdown(layout: InvoiceLayout, y: float, width: float) -> float:
    line = layout.context.typography.line_height
    if y + line * (5 + 2.5 * len(layout.invoice.tax_breakdown)) > layout.bottom and width >= layout.context.inner_width:
        y = _next_page(layout)
    return draw_breakdown(layout.context, layout.invoice, y + line * 0.7, width)


def _draw_parts(layout: InvoiceLayout, y: float) -> None:
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    parts = []
    if rng.chance(0.7):
        parts.append("terms")
    if not (layout.has_footer and layout.bank_in_footer and layout.footer_columns > 0) and rng.chance(0.7):
        parts.append("bank")
    parts += rng.pick_several(("closing", "legal", "legal", "thanks"), rng.pick((0, 1, 2, 3)))
    if not invoice.is_taxed:
        parts.append("reverse")
    rng.shuffle(parts)
    for part in parts:
        if y + context.typography.line_height * 5 > layout.bottom:
            y = _next_page(layout)
        y = _draw_part(layout, part, y) + context.typography.line_height * 0.8


def _draw_part(layout: InvoiceLayout, part: str, y: float) -> float:
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    if part == "bank":
        return draw_bank_details(context, invoice, y)
    if part == "terms":
        label = f"{context.label('terms_label')}{rng.pick((': ', ' ', ': '))}" if rng.chance(0.6) else ""
        return context.canvas.write_paragraph(
            (context.margin, y),
            context.inner_width,
            [label, field_text("payment_terms", invoice.payment_terms)],
            context.typography.text,
        )
    language = context.locale.language
    key = "closing" if part == "thanks" else part
    text = fill_placeholders(
        rng,
        rng.pick(word_lists(language)[key]),
        language,
        invoice.issue_date,
        person=invoice.seller.contact_person,
        phone=invoice.seller.phone,
        city=invoice.seller.city,
    )
    return context.canvas.write_paragraph(
        (context.margin, y), context.inner_width, text, rng.pick((context.typography.text, context.typography.small))
    )
