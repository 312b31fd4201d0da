"""Delivery notes: what was sent to whom; quantities but no prices.

In: a random source and a language. Out: a drawn delivery note with fields of its own.
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
from docpipe.samples.documents.common.party_fields import address_field
from docpipe.samples.documents.common.sectioned_page import (
    LabelledTotal,
    PageSection,
    SectionedPage,
    draw_sectioned_page,
)
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import RichText, SampleDocument, field_text


def draw_delivery_note(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    """The goods of an invoice, delivered: the buyer is the recipient."""
    language = rng.pick(LANGUAGES) if language is None else language
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    delivery = make_invoice_data(rng, locale)
    canvas, typography = DocumentCanvas(*A4), make_typography(rng, fonts)
    context = DrawingContext(canvas, rng, typography, locale, delivery.issue_date, margin=30 + 30 * rng.random())
    metadata = _metadata_entries(context, delivery)
    recipient = [
        MetadataEntry(context.label("ship_to").rstrip(":"), field_text("recipient_name", delivery.buyer.name)),
        MetadataEntry("", address_field("recipient_address", delivery.buyer, ", ")),
    ]
    sender = [
        MetadataEntry("", field_text("sender_name", delivery.seller.name)),
        MetadataEntry("", ", ".join(delivery.seller.address_lines)),
        MetadataEntry(context.label("phone"), delivery.seller.phone),
    ]
    columns = [
        TableColumn("pos", context.label("pos"), 0.5),
        TableColumn("code", context.label("code"), 1.3),
        TableColumn("description", context.label("description"), 3.6),
        TableColumn("quantity", context.label("quantity"), 1, "right"),
        TableColumn("unit", context.label("unit"), 0.8),
    ]
    weight = field_text("total_weight", f"{locale.format_number(rng.amount(0.5, 900), 1)} kg")
    totals = [
        LabelledTotal(context.label("weight"), weight),
        LabelledTotal(context.label("packages"), field_text("packages", str(1 + int(12 * rng.random())))),
    ]
    notes = [
        f"{context.label('received_by')}: ______________________",
        context.phrase("legal", city=delivery.seller.city, person=delivery.seller.contact_person),
    ]
    printed_metadata = rng.pick_several(metadata, rng.pick((4, 5, 6)))
    page = SectionedPage(
        context.label("title_delivery"),
        [PageSection("", sender), PageSection("", recipient), PageSection("", printed_metadata)],
        columns,
        _rows(context, delivery),
        totals=totals if rng.chance(0.6) else [],
        notes=notes,
    )
    draw_sectioned_page(context, page)
    return canvas.finish("delivery_note", language, field_descriptions(rng, "delivery_note"))


def _metadata_entries(context: DrawingContext, delivery: InvoiceData) -> list[MetadataEntry]:
    """Number, date and order of the delivery, among facts that answer no field."""
    rng, locale, day = context.rng, context.locale, delivery.issue_date
    delivery_number = MetadataEntry(
        context.label("delivery_note"), field_text("delivery_number", document_number(rng, day))
    )
    delivery_date = MetadataEntry(context.label("delivery_date"), locale.date_field("delivery_date", day))
    order_label = context.label("purchase_order")
    order_number = field_text("order_number", delivery.purchase_order or document_number(rng, day))
    return [
        delivery_number,
        delivery_date,
        MetadataEntry(order_label, order_number),
        MetadataEntry(context.label("contact"), delivery.seller.contact_person),
        MetadataEntry(context.label("order_date"), locale.format_date(day - timedelta(days=9))),
        MetadataEntry(context.label("invoice_number"), delivery.number),
    ]


def _rows(context: DrawingContext, delivery: InvoiceData) -> list[dict[str, RichText]]:
    rows: list[dict[str, RichText]] = []
    for number, line in enumerate(delivery.lines):
        path = f"items[{number}]"
        quantity = abs(line.quantity)
        rows.append(
            {
                "pos": str(number + 1),
                "code": field_text(f"{path}.code", line.code),
                "description": field_text(f"{path}.description", line.description),
                "quantity": context.locale.number_field(f"{path}.quantity", quantity, line.quantity_decimals),
                "unit": line.unit,
            }
        )
    return rows
