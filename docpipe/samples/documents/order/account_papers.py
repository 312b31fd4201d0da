"""Papers around an invoice: account statements and delivery notes.

In: dice and a language. Out: drawn documents with fields of their own.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from docpipe.samples.canvas.canvas import DocumentCanvas, FieldText, SampleDocument, TextRun, field_text
from docpipe.samples.canvas.table import RichText, TableColumn
from docpipe.samples.canvas.text_style import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.invoice_data import document_number, make_invoice_data
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style
from docpipe.samples.content.vocabulary import make_party
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.invoice.letterhead import DrawingContext, address_field
from docpipe.samples.documents.invoice.metadata_block import MetadataEntry
from docpipe.samples.documents.sectioned_page import Section, SectionedPage, draw_sectioned_page

A4 = (595.3, 841.9)


def draw_statement(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    """Entries with a running balance between an opening and a closing one."""
    language = rng.pick(LANGUAGES) if language is None else language
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    day = rng.date()
    context = DrawingContext(DocumentCanvas(*A4), rng, make_typography(rng, fonts), locale, day, 30 + 30 * rng.random())
    sender, customer = (
        make_party(rng, locale.country, language),
        make_party(rng, locale.country, language, private=rng.chance(0.4)),
    )
    first = day - timedelta(days=rng.pick((29, 30, 60, 90)))
    period: list[TextRun] = [locale.date_field("period_from", first), " - ", locale.date_field("period_to", day)]
    head = [
        MetadataEntry(
            context.label("customer_number"),
            field_text("account_number", rng.from_pattern(rng.pick(("%#####", "K-%###", "%### ####", "AC%####")))),
        ),
        MetadataEntry(context.label("invoice_date"), locale.date_field("statement_date", day)),
        MetadataEntry(context.label("period"), period),
    ]
    who = [
        MetadataEntry(context.label("bill_to").rstrip(":"), field_text("customer_name", customer.name)),
        MetadataEntry("", ", ".join(customer.address_lines)),
    ]
    sent = [
        MetadataEntry("", field_text("company_name", sender.name)),
        MetadataEntry("", ", ".join(sender.address_lines)),
        MetadataEntry(context.label("phone"), sender.phone),
    ]
    balance = rng.amount(5, 9000) if rng.chance(0.7) else Decimal(0)
    opening = locale.amount_field("opening_balance", balance)
    columns, rows, balance = _statement_entries(context, first, balance, opening)
    closing = locale.with_currency(locale.amount_field("closing_balance", balance), locale.symbol_position)
    sections = [Section("", sent), Section("", who), Section(context.label("title_statement"), head)]
    sums: list[tuple[str, list[TextRun]]] = [(context.label("closing_balance"), closing)]
    if rng.chance(0.4):
        sums.insert(0, (context.label("opening"), locale.with_currency(opening, locale.symbol_position)))
    draw_sectioned_page(
        context,
        SectionedPage(
            context.label("title_statement"),
            sections,
            columns,
            rows,
            {},
            sums,
            [context.phrase("legal", city=sender.city, person=sender.contact_person)],
        ),
    )
    return context.canvas.finish("statement", language, field_descriptions(rng, "statement"))


def _statement_entries(
    context: DrawingContext, first: date, balance: Decimal, opening: FieldText
) -> tuple[list[TableColumn], list[dict[str, RichText]], Decimal]:
    """The table of bookings with a running balance, and the balance after the last."""
    rng, locale = context.rng, context.locale
    columns = [
        TableColumn("date", context.label("r_date").rstrip(": "), 1.2),
        TableColumn("reference", context.label("invoice_number"), 1.6),
        TableColumn("text", context.label("description"), 2.6),
        TableColumn("amount", context.label("amount"), 1.4, "right"),
        TableColumn("balance", "Balance" if locale.language == "en" else "Saldo", 1.4, "right"),
    ]
    rows: list[dict[str, RichText]] = [{"text": context.label("opening"), "balance": opening}]
    for number in range(rng.pick((2, 3, 5, 8, 12, 20))):
        first += timedelta(days=int(3 * rng.random()))
        paid = rng.chance(0.35)
        amount = rng.amount(10, 4000) * (-1 if paid else 1)
        balance += amount
        path = f"entries[{number}]"
        rows.append(
            {
                "date": locale.date_field(f"{path}.date", first),
                "reference": field_text(f"{path}.reference", document_number(rng, first)),
                "text": context.label("payment_row" if paid else "title_invoice"),
                "amount": locale.amount_field(f"{path}.amount", amount),
                "balance": locale.amount_field(f"{path}.balance", balance),
            }
        )
    return columns, rows, balance


def draw_delivery_note(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    """What was sent to whom; quantities but no prices."""
    language = rng.pick(LANGUAGES) if language is None else language
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    invoice = make_invoice_data(rng, locale)
    context = DrawingContext(
        DocumentCanvas(*A4), rng, make_typography(rng, fonts), locale, invoice.issue_date, 30 + 30 * rng.random()
    )
    head = [
        MetadataEntry(
            context.label("delivery_note"), field_text("delivery_number", document_number(rng, invoice.issue_date))
        ),
        MetadataEntry(context.label("delivery_date"), locale.date_field("delivery_date", invoice.issue_date)),
        MetadataEntry(
            context.label("purchase_order"),
            field_text("order_number", invoice.purchase_order or document_number(rng, invoice.issue_date)),
        ),
        MetadataEntry(context.label("contact"), invoice.seller.contact_person),
        MetadataEntry(context.label("order_date"), locale.format_date(invoice.issue_date - timedelta(days=9))),
        MetadataEntry(context.label("invoice_number"), invoice.number),
    ]
    to = [
        MetadataEntry(context.label("ship_to").rstrip(":"), field_text("recipient_name", invoice.buyer.name)),
        MetadataEntry("", address_field("recipient_address", invoice.buyer, ", ")),
    ]
    sent = [
        MetadataEntry("", field_text("sender_name", invoice.seller.name)),
        MetadataEntry("", ", ".join(invoice.seller.address_lines)),
        MetadataEntry(context.label("phone"), invoice.seller.phone),
    ]
    columns = [
        TableColumn("pos", context.label("pos"), 0.5),
        TableColumn("code", context.label("code"), 1.3),
        TableColumn("description", context.label("description"), 3.6),
        TableColumn("quantity", context.label("quantity"), 1, "right"),
        TableColumn("unit", context.label("unit"), 0.8),
    ]
    rows: list[dict[str, RichText]] = []
    for number, item in enumerate(invoice.lines):
        path = f"items[{number}]"
        rows.append(
            {
                "pos": str(number + 1),
                "code": field_text(f"{path}.code", item.code),
                "description": field_text(f"{path}.description", item.description),
                "quantity": locale.quantity_field(f"{path}.quantity", abs(item.quantity), item.quantity_decimals),
                "unit": item.unit,
            }
        )
    weight = FieldText(f"{locale.format_number(rng.amount(0.5, 900), 1)} kg", ("total_weight",), None)
    weight = FieldText(weight.text, weight.paths, weight.text)
    sums: list[tuple[str, list[TextRun]]] = [
        (context.label("weight"), [weight]),
        (context.label("packages"), [field_text("packages", str(1 + int(12 * rng.random())))]),
    ]
    notes = [
        f"{context.label('received_by')}: ______________________",
        context.phrase("legal", city=invoice.seller.city, person=invoice.seller.contact_person),
    ]
    sections = [Section("", sent), Section("", to), Section("", rng.pick_several(head, rng.pick((4, 5, 6))))]
    draw_sectioned_page(
        context,
        SectionedPage(
            context.label("title_delivery"), sections, columns, rows, {}, sums if rng.chance(0.6) else [], notes
        ),
    )
    return context.canvas.finish("delivery_note", language, field_descriptions(rng, "delivery_note"))
