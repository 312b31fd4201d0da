"""Orders: for air time on television and radio (`airtime_order`), or for goods.

In: a random source and a language. Out: a drawn order; its fields differ from an invoice's.
"""

from __future__ import annotations

from datetime import timedelta

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.table import TableColumn
from docpipe.samples.canvas.typography import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.invoice_data import InvoiceData, document_number, make_invoice_data
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style
from docpipe.samples.documents.common.drawing_context import A4, DrawingContext
from docpipe.samples.documents.common.metadata_block import MetadataEntry
from docpipe.samples.documents.common.sectioned_page import (
    LabelledTotal,
    PageSection,
    SectionedPage,
    draw_sectioned_page,
)
from docpipe.samples.documents.order.airtime_order import draw_airtime_order
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import RichText, SampleDocument, field_text

AIRTIME_SHARE = 0.6  # of the orders in English


def draw_order(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    if language in (None, "en") and rng.chance(AIRTIME_SHARE):
        return draw_airtime_order(rng, fonts)
    return _draw_purchase_order(rng, rng.pick(LANGUAGES) if language is None else language, fonts)


def _draw_purchase_order(rng: SeededRandom, language: str, fonts: FontSource) -> SampleDocument:
    """The goods of an invoice, ordered: the seller is the supplier."""
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    order = make_invoice_data(rng, locale)
    typography = make_typography(rng, fonts)
    canvas = DocumentCanvas(*A4)
    context = DrawingContext(canvas, rng, typography, locale, order.issue_date, margin=30 + 30 * rng.random())
    metadata = _metadata_entries(context, order)
    supplier = [
        MetadataEntry(context.label("supplier").rstrip(":"), field_text("supplier_name", order.seller.name)),
        MetadataEntry("", order.seller.address_lines[0]),
        MetadataEntry("", order.seller.address_lines[-1]),
    ]
    buyer = [
        MetadataEntry(context.label("bill_to").rstrip(":"), field_text("buyer_name", order.buyer.name)),
        MetadataEntry("", order.buyer.address_lines[0]),
        MetadataEntry("", order.buyer.address_lines[-1]),
    ]
    columns = [
        TableColumn("description", context.label("description"), 3.5),
        TableColumn("quantity", context.label("quantity"), 1, "right"),
        TableColumn("unit_price", context.label("unit_price"), 1.3, "right"),
        TableColumn("amount", context.label("amount"), 1.3, "right"),
    ]
    total = locale.number_field("order_total", order.lines_total)
    section_title = context.label("title_order")
    page = SectionedPage(
        context.label("title_order"),
        [PageSection(section_title, metadata), PageSection("", buyer), PageSection("", supplier)],
        columns,
        _rows(context, order),
        totals=[LabelledTotal(context.label("net_total"), locale.with_currency(total, locale.symbol_position))],
        notes=[context.phrase("legal", city=order.buyer.city, person=order.buyer.contact_person)],
    )
    draw_sectioned_page(context, page)
    return canvas.finish("order", language, field_descriptions(rng, "order"))


def _metadata_entries(context: DrawingContext, order: InvoiceData) -> list[MetadataEntry]:
    rng, locale = context.rng, context.locale
    return [
        MetadataEntry(
            context.label("purchase_order"), field_text("order_number", document_number(rng, order.issue_date))
        ),
        MetadataEntry(context.label("order_date"), locale.date_field("order_date", order.issue_date)),
        MetadataEntry(
            context.label("delivery_date"),
            locale.date_field("delivery_date", order.issue_date + timedelta(days=1 + int(60 * rng.random()))),
        ),
        MetadataEntry(context.label("contact"), order.buyer.contact_person),
        MetadataEntry(context.label("terms_label"), order.payment_terms),
    ]


def _rows(context: DrawingContext, order: InvoiceData) -> list[dict[str, RichText]]:
    locale = context.locale
    rows: list[dict[str, RichText]] = []
    for number, line in enumerate(order.lines):
        path = f"items[{number}]"
        rows.append(
            {
                "description": field_text(f"{path}.description", line.description),
                "quantity": locale.number_field(f"{path}.quantity", line.quantity, line.quantity_decimals),
                "unit_price": locale.number_field(f"{path}.unit_price", line.unit_price, line.price_decimals),
                "amount": locale.number_field(f"{path}.amount", line.amount),
            }
        )
    return rows
