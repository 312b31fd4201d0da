"""The metadata of an invoice: number, dates and references among facts that answer no field.

In: an `InvoiceLayout`. Out: the entries of its metadata block, in the order in which they are printed.
"""

from __future__ import annotations

from docpipe.samples.content.invoice_data import document_number
from docpipe.samples.content.names import coined_name
from docpipe.samples.documents.common.metadata_block import MetadataEntry
from docpipe.samples.documents.common.party_fields import vat_id_field
from docpipe.samples.documents.invoice.layout import InvoiceLayout
from docpipe.samples.truth import FieldText, field_text

CURRENCY_LABELS = {"de": "Währung", "fr": "Devise", "es": "Moneda", "it": "Valuta", "nl": "Valuta"}
CUSTOMER_NUMBER_PATTERNS = ("%####", "K-%###", "%#####", "D%####", "10###")
OTHER_FACT_PATTERNS = (
    *("%####", "??-%##", "?", "%##,## kg", "%/%", "0%:##", "%##.###.##", "??? %##", "%############", "N/A", "#%"),
    "-",
)


def metadata_entries(layout: InvoiceLayout) -> list[MetadataEntry]:
    """The number and mostly the date first, the others in any order."""
    rng = layout.context.rng
    entries = _field_entries(layout)
    first_count = rng.pick((1, 2, 2))
    rest = entries[first_count:] + _distractor_entries(layout)
    rng.shuffle(rest)
    entries = entries[:first_count] + rest
    if rng.chance(0.25):
        rng.shuffle(entries)
    return entries


def _field_entries(layout: InvoiceLayout) -> list[MetadataEntry]:
    context, invoice, rng, locale = layout.context, layout.invoice, layout.context.rng, layout.context.locale
    number_label = context.label("credit_number" if invoice.is_credit_note else "invoice_number")
    entries = [MetadataEntry(number_label, field_text("invoice_number", invoice.number))]

    def add(label: str, value: FieldText) -> None:
        entries.append(MetadataEntry(label, value))

    if not layout.date_as_in_letters:
        add(context.label("invoice_date"), locale.date_field("issue_date", invoice.issue_date))
    if invoice.due_date is not None:
        add(context.label("due_date"), locale.date_field("due_date", invoice.due_date))
    if invoice.purchase_order is not None:
        add(context.label("purchase_order"), field_text("purchase_order", invoice.purchase_order))
    if invoice.buyer_reference is not None:
        add(context.label("buyer_reference"), field_text("buyer_reference", invoice.buyer_reference))
    vat_id = vat_id_field(context, "buyer_vat_id", invoice.buyer)
    if vat_id is not None and rng.chance(0.15):
        label = context.label("vat_id")
        if locale.language in ("en", "de"):
            label += rng.pick((" (buyer)", "", " Kunde"))
        add(label, vat_id)
    if rng.chance(0.15):
        add(context.label("terms_label"), field_text("payment_terms", invoice.payment_terms))
    if rng.chance(0.12):
        add(
            CURRENCY_LABELS.get(locale.language, "Currency"), FieldText(locale.currency, ("currency",), locale.currency)
        )
    return entries


def _distractor_entries(layout: InvoiceLayout) -> list[MetadataEntry]:
    """Numbers, dates and names that look like the values of fields and are none."""
    context, invoice, rng, locale = layout.context, layout.invoice, layout.context.rng, layout.context.locale
    entries = [
        MetadataEntry(context.label("customer_number"), rng.from_pattern(rng.pick(CUSTOMER_NUMBER_PATTERNS))),
        MetadataEntry(context.label("our_order"), document_number(rng, invoice.issue_date)),
        MetadataEntry(context.label("order_date"), locale.format_date(invoice.issue_date)),
        MetadataEntry(context.label("delivery_date"), locale.format_date(rng.random_date())),
        MetadataEntry(context.label("delivery_note"), document_number(rng, invoice.issue_date)),
        MetadataEntry(context.label("contact"), invoice.seller.contact_person),
        MetadataEntry(context.label("phone"), invoice.seller.phone),
    ]
    facts = (
        invoice.buyer.contact_person,
        invoice.buyer.city,
        invoice.seller.city,
        rng.from_pattern(rng.pick(OTHER_FACT_PATTERNS)),
        coined_name(rng),
    )
    for _ in range(rng.pick((0, 0, 1, 2, 4))):
        entries.append(MetadataEntry(context.label("other_fact"), rng.pick(facts)))
    return rng.pick_several(entries, rng.pick((0, 0, 1, 2, 2, 3, 4, 6)))
