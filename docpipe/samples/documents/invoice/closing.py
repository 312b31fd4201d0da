"""What follows the line items of an invoice: totals, tax breakdown, terms, account, greetings.

In: an `InvoiceLayout` and the y where the items end. Out: all of it drawn, on further pages where there is no room.
"""

from __future__ import annotations

from docpipe.samples.documents.common.party_fields import account_line, name_field
from docpipe.samples.documents.invoice.layout import InvoiceLayout, next_page
from docpipe.samples.documents.invoice.tax_breakdown import draw_tax_breakdown
from docpipe.samples.documents.invoice.totals import draw_totals
from docpipe.samples.truth import RichText, RichTextRun, field_text, text_runs

TOTALS_LINES = 9  # lines that must be free for the totals
PARAGRAPH_LINES = 5  # and for a paragraph
MIN_BESIDE_SHARE = 0.38  # of the inner width: the tax breakdown stands beside the totals only where it has as much


def draw_closing(layout: InvoiceLayout, y: float) -> None:
    """Totals, tax breakdown, then terms, bank and greetings in any order."""
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    line_height = context.line_height
    rate_count = len(invoice.tax_breakdown)
    if y + line_height * TOTALS_LINES > layout.bottom:
        y = next_page(layout)
    with_breakdown = invoice.is_taxed and rng.chance(0.55 if rate_count > 1 else 0.22)
    breakdown_first = with_breakdown and rng.chance(0.2)
    if breakdown_first:
        y = _draw_breakdown(layout, y, context.inner_width)
        if y + line_height * TOTALS_LINES > layout.bottom:
            y = next_page(layout)
    top = y
    y, left = draw_totals(context, invoice, y + line_height * 0.5 * rng.random(), layout.table)
    if with_breakdown and not breakdown_first:
        width, height = left - context.margin, y - top
        fits_beside = width > context.inner_width * MIN_BESIDE_SHARE and height > line_height * (3 + rate_count)
        if fits_beside and rng.chance(0.4):
            y = max(y, _draw_breakdown(layout, top + line_height, width))
        else:
            y = _draw_breakdown(layout, next_page(layout) if rng.chance(0.05) else y, context.inner_width)
    _draw_paragraphs(layout, y + line_height * 1.5)


def _draw_breakdown(layout: InvoiceLayout, y: float, width: float) -> float:
    """On the next page if there is no room, unless it stands beside the totals."""
    line_height = layout.context.line_height
    height = line_height * (5 + 2.5 * len(layout.invoice.tax_breakdown))
    if y + height > layout.bottom and width >= layout.context.inner_width:
        y = next_page(layout)
    return draw_tax_breakdown(layout.context, layout.invoice, y + line_height * 0.7, width)


def _draw_paragraphs(layout: InvoiceLayout, y: float) -> None:
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    paragraphs = []
    if rng.chance(0.7):
        paragraphs.append("terms")
    if not (layout.has_footer and layout.bank_in_footer and layout.footer_columns > 0) and rng.chance(0.7):
        paragraphs.append("bank")
    paragraphs += rng.pick_several(("closing", "legal", "legal", "thanks"), rng.pick((0, 1, 2, 3)))
    if not invoice.is_taxed:
        paragraphs.append("reverse")
    rng.shuffle(paragraphs)
    for kind in paragraphs:
        if y + context.line_height * PARAGRAPH_LINES > layout.bottom:
            y = next_page(layout)
        y = _draw_paragraph(layout, kind, y) + context.line_height * 0.8


def _draw_paragraph(layout: InvoiceLayout, kind: str, y: float) -> float:
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    typography = context.typography
    if kind == "bank":
        return _draw_bank_details(layout, y)
    if kind == "terms":
        label = f"{context.label('terms_label')}{rng.pick((': ', ' ', ': '))}" if rng.chance(0.6) else ""
        terms: list[RichTextRun] = [label, field_text("payment_terms", invoice.payment_terms)]
        return context.canvas.write_paragraph(context.start(y), context.inner_width, terms, typography.text)
    text = context.phrase(
        "closing" if kind == "thanks" else kind,
        person=invoice.seller.contact_person,
        phone=invoice.seller.phone,
        city=invoice.seller.city,
    )
    style = rng.pick((typography.text, typography.small))
    return context.canvas.write_paragraph(context.start(y), context.inner_width, text, style)


def _draw_bank_details(layout: InvoiceLayout, y: float) -> float:
    """Where to pay."""
    context, rng, seller = layout.context, layout.context.rng, layout.invoice.seller
    text_style = context.typography.text
    lines: list[RichText] = [
        f"{context.label('bank')}: {seller.bank}",
        account_line(context, seller),
        f"{rng.pick(('BIC', 'BIC/SWIFT', 'SWIFT'))}: {seller.bic}",
        [f"{context.label('account_holder')}: ", name_field("seller_name", seller)],
    ]
    chosen = [line for number, line in enumerate(lines) if number == 1 or rng.chance(0.6)]
    if rng.chance(0.3):
        runs = [run for line in chosen for run in (*text_runs(line), "  ")]
        return context.canvas.write_paragraph(context.start(y), context.inner_width, runs, text_style)
    for line in chosen:
        context.canvas.write(context.margin, y, line, text_style)
        y += context.line_height
    return y
