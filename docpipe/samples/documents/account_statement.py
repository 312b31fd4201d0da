"""Account statements: bookings with a running balance between an opening and a closing one.

In: a random source and a language. Out: a drawn statement with fields of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.table import TableColumn
from docpipe.samples.canvas.typography import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.invoice_data import document_number
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style
from docpipe.samples.content.parties import make_party
from docpipe.samples.documents.common.drawing_context import A4, DrawingContext
from docpipe.samples.documents.common.metadata_block import MetadataEntry
from docpipe.samples.documents.common.sectioned_page import (
    LabelledTotal,
    PageSection,
    SectionedPage,
    draw_sectioned_page,
)
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichText, RichTextRun, SampleDocument, field_text

ACCOUNT_NUMBER_PATTERNS = ("%#####", "K-%###", "%### ####", "AC%####")
PERIOD_DAYS = (29, 30, 60, 90)
BOOKING_COUNTS = (2, 3, 5, 8, 12, 20)
PAYMENT_SHARE = 0.35  # of the bookings; the others are invoices


@dataclass(frozen=True)
class Bookings:
    """The table of bookings, and the balance after the last."""

    columns: list[TableColumn]
    rows: list[dict[str, RichText]]
    closing_balance: Decimal


def draw_account_statement(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    language = rng.pick(LANGUAGES) if language is None else language
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    day = rng.random_date()
    canvas, typography = DocumentCanvas(*A4), make_typography(rng, fonts)
    context = DrawingContext(canvas, rng, typography, locale, day, margin=30 + 30 * rng.random())
    sender = make_party(rng, locale.country, language)
    customer = make_party(rng, locale.country, language, private=rng.chance(0.4))
    first_day = day - timedelta(days=rng.pick(PERIOD_DAYS))
    period: list[RichTextRun] = [
        locale.date_field("period_from", first_day),
        " - ",
        locale.date_field("period_to", day),
    ]
    metadata = [
        MetadataEntry(
            context.label("customer_number"),
            field_text("account_number", rng.from_pattern(rng.pick(ACCOUNT_NUMBER_PATTERNS))),
        ),
        MetadataEntry(context.label("invoice_date"), locale.date_field("statement_date", day)),
        MetadataEntry(context.label("period"), period),
    ]
    customer_entries = [
        MetadataEntry(context.label("bill_to").rstrip(":"), field_text("customer_name", customer.name)),
        MetadataEntry("", ", ".join(customer.address_lines)),
    ]
    sender_entries = [
        MetadataEntry("", field_text("company_name", sender.name)),
        MetadataEntry("", ", ".join(sender.address_lines)),
        MetadataEntry(context.label("phone"), sender.phone),
    ]
    opening_balance = rng.amount(5, 9000) if rng.chance(0.7) else Decimal(0)
    opening = locale.number_field("opening_balance", opening_balance)
    bookings = _bookings(context, first_day, opening_balance, opening)
    closing = locale.number_field("closing_balance", bookings.closing_balance)
    sections = [
        PageSection("", sender_entries),
        PageSection("", customer_entries),
        PageSection(context.label("title_statement"), metadata),
    ]
    position = locale.symbol_position
    totals = [LabelledTotal(context.label("closing_balance"), locale.with_currency(closing, position))]
    if rng.chance(0.4):
        totals.insert(0, LabelledTotal(context.label("opening"), locale.with_currency(opening, position)))
    page = SectionedPage(
        context.label("title_statement"),
        sections,
        bookings.columns,
        bookings.rows,
        totals=totals,
        notes=[context.phrase("legal", city=sender.city, person=sender.contact_person)],
    )
    draw_sectioned_page(context, page)
    return canvas.finish("statement", language, field_descriptions(rng, "statement"))


def _bookings(context: DrawingContext, day: date, balance: Decimal, opening: FieldText) -> Bookings:
    """Invoices and payments from `day` on, each with the balance after it."""
    rng, locale = context.rng, context.locale
    columns = [
        TableColumn("date", context.label("r_date").rstrip(": "), 1.2),
        TableColumn("reference", context.label("invoice_number"), 1.6),
        TableColumn("text", context.label("description"), 2.6),
        TableColumn("amount", context.label("amount"), 1.4, "right"),
        TableColumn("balance", "Balance" if locale.language == "en" else "Saldo", 1.4, "right"),
    ]
    rows: list[dict[str, RichText]] = [{"text": context.label("opening"), "balance": opening}]
    for number in range(rng.pick(BOOKING_COUNTS)):
        day += timedelta(days=int(3 * rng.random()))
        is_payment = rng.chance(PAYMENT_SHARE)
        amount = rng.amount(10, 4000) * (-1 if is_payment else 1)
        balance += amount
        path = f"entries[{number}]"
        rows.append(
            {
                "date": locale.date_field(f"{path}.date", day),
                "reference": field_text(f"{path}.reference", document_number(rng, day)),
                "text": context.label("payment_row" if is_payment else "title_invoice"),
                "amount": locale.number_field(f"{path}.amount", amount),
                "balance": locale.number_field(f"{path}.balance", balance),
            }
        )
    return Bookings(columns, rows, balance)
