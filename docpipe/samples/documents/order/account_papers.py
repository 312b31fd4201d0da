"""Papers around an invoice: account statements and delivery notes.

In: dice and a language. Out: drawn documents with fields of their own.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from docpipe.samples.canvas.canvas import Drawn, Pen, Piece, Value, value
from docpipe.samples.canvas.table import Cell, Column
from docpipe.samples.canvas.text_style import Fonts, make_look
from docpipe.samples.content.field_descriptions import descriptions
from docpipe.samples.content.invoice_data import make_bill, number_like
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_manner
from docpipe.samples.content.vocabulary import party
from docpipe.samples.dice import Dice
from docpipe.samples.documents.invoice.letterhead import Sheet, address_of
from docpipe.samples.documents.invoice.metadata_block import Entry
from docpipe.samples.documents.sectioned_page import Paper, Section, draw_paper

A4 = (595.3, 841.9)


def draw_statement(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    """Entries with a running balance between an opening and a closing one."""
    language = dice.pick(LANGUAGES) if language is None else language
    manner = make_manner(dice, dice.pick(COUNTRIES[language]), language)
    day = dice.day()
    sheet = Sheet(Pen(*A4), dice, make_look(dice, fonts), manner, day, 30 + 30 * dice.random())
    sender, customer = (
        party(dice, manner.country, language),
        party(dice, manner.country, language, private=dice.chance(0.4)),
    )
    first = day - timedelta(days=dice.pick((29, 30, 60, 90)))
    period: list[Piece] = [manner.day("period_from", first), " - ", manner.day("period_to", day)]
    head = [
        Entry(
            sheet.word("customer_number"),
            value("account_number", dice.pattern(dice.pick(("%#####", "K-%###", "%### ####", "AC%####")))),
        ),
        Entry(sheet.word("invoice_date"), manner.day("statement_date", day)),
        Entry(sheet.word("period"), period),
    ]
    who = [
        Entry(sheet.word("bill_to").rstrip(":"), value("customer_name", customer.name)),
        Entry("", ", ".join(customer.address)),
    ]
    sent = [
        Entry("", value("company_name", sender.name)),
        Entry("", ", ".join(sender.address)),
        Entry(sheet.word("phone"), sender.phone),
    ]
    balance = dice.amount(5, 9000) if dice.chance(0.7) else Decimal(0)
    opening = manner.amount("opening_balance", balance)
    columns, rows, balance = _entries(sheet, first, balance, opening)
    closing = manner.money(manner.amount("closing_balance", balance), manner.sign_place)
    sections = [Section("", sent), Section("", who), Section(sheet.word("title_statement"), head)]
    sums: list[tuple[str, list[Piece]]] = [(sheet.word("closing_balance"), closing)]
    if dice.chance(0.4):
        sums.insert(0, (sheet.word("opening"), manner.money(opening, manner.sign_place)))
    draw_paper(
        sheet,
        Paper(
            sheet.word("title_statement"),
            sections,
            columns,
            rows,
            {},
            sums,
            [sheet.phrase("legal", city=sender.city, person=sender.person)],
        ),
    )
    return sheet.pen.finish("statement", language, descriptions(dice, "statement"))


def _entries(
    sheet: Sheet, first: date, balance: Decimal, opening: Value
) -> tuple[list[Column], list[dict[str, Cell]], Decimal]:
    """The table of bookings with a running balance, and the balance after the last."""
    dice, manner = sheet.dice, sheet.manner
    columns = [
        Column("date", sheet.word("r_date").rstrip(": "), 1.2),
        Column("reference", sheet.word("invoice_number"), 1.6),
        Column("text", sheet.word("description"), 2.6),
        Column("amount", sheet.word("amount"), 1.4, "right"),
        Column("balance", "Balance" if manner.language == "en" else "Saldo", 1.4, "right"),
    ]
    rows: list[dict[str, Cell]] = [{"text": sheet.word("opening"), "balance": opening}]
    for number in range(dice.pick((2, 3, 5, 8, 12, 20))):
        first += timedelta(days=int(3 * dice.random()))
        paid = dice.chance(0.35)
        amount = dice.amount(10, 4000) * (-1 if paid else 1)
        balance += amount
        path = f"entries[{number}]"
        rows.append(
            {
                "date": manner.day(f"{path}.date", first),
                "reference": value(f"{path}.reference", number_like(dice, first)),
                "text": sheet.word("payment_row" if paid else "title_invoice"),
                "amount": manner.amount(f"{path}.amount", amount),
                "balance": manner.amount(f"{path}.balance", balance),
            }
        )
    return columns, rows, balance


def draw_delivery_note(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    """What was sent to whom; quantities but no prices."""
    language = dice.pick(LANGUAGES) if language is None else language
    manner = make_manner(dice, dice.pick(COUNTRIES[language]), language)
    bill = make_bill(dice, manner)
    sheet = Sheet(Pen(*A4), dice, make_look(dice, fonts), manner, bill.issued, 30 + 30 * dice.random())
    head = [
        Entry(sheet.word("delivery_note"), value("delivery_number", number_like(dice, bill.issued))),
        Entry(sheet.word("delivery_date"), manner.day("delivery_date", bill.issued)),
        Entry(sheet.word("purchase_order"), value("order_number", bill.order or number_like(dice, bill.issued))),
        Entry(sheet.word("contact"), bill.seller.person),
        Entry(sheet.word("order_date"), manner.date(bill.issued - timedelta(days=9))),
        Entry(sheet.word("invoice_number"), bill.number),
    ]
    to = [
        Entry(sheet.word("ship_to").rstrip(":"), value("recipient_name", bill.buyer.name)),
        Entry("", address_of("recipient_address", bill.buyer, ", ")),
    ]
    sent = [
        Entry("", value("sender_name", bill.seller.name)),
        Entry("", ", ".join(bill.seller.address)),
        Entry(sheet.word("phone"), bill.seller.phone),
    ]
    columns = [
        Column("pos", sheet.word("pos"), 0.5),
        Column("code", sheet.word("code"), 1.3),
        Column("description", sheet.word("description"), 3.6),
        Column("quantity", sheet.word("quantity"), 1, "right"),
        Column("unit", sheet.word("unit"), 0.8),
    ]
    rows: list[dict[str, Cell]] = []
    for number, item in enumerate(bill.items):
        path = f"items[{number}]"
        rows.append(
            {
                "pos": str(number + 1),
                "code": value(f"{path}.code", item.code),
                "description": value(f"{path}.description", item.description),
                "quantity": manner.quantity(f"{path}.quantity", abs(item.quantity), item.quantity_places),
                "unit": item.unit,
            }
        )
    weight = Value(f"{manner.plain(dice.amount(0.5, 900), 1)} kg", ("total_weight",), None)
    weight = Value(weight.text, weight.paths, weight.text)
    sums: list[tuple[str, list[Piece]]] = [
        (sheet.word("weight"), [weight]),
        (sheet.word("packages"), [value("packages", str(1 + int(12 * dice.random())))]),
    ]
    notes = [
        f"{sheet.word('received_by')}: ______________________",
        sheet.phrase("legal", city=bill.seller.city, person=bill.seller.person),
    ]
    sections = [Section("", sent), Section("", to), Section("", dice.some(head, dice.pick((4, 5, 6))))]
    draw_paper(
        sheet, Paper(sheet.word("title_delivery"), sections, columns, rows, {}, sums if dice.chance(0.6) else [], notes)
    )
    return sheet.pen.finish("delivery_note", language, descriptions(dice, "delivery_note"))
