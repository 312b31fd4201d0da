"""Orders: for air time on television and radio, and for goods.

In: dice and a language. Out: a drawn order; its fields differ from an invoice's.
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
from docpipe.samples.content.vocabulary import coined, company, person, town
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.invoice.letterhead import Sheet
from docpipe.samples.documents.invoice.metadata_block import Entry
from docpipe.samples.documents.sectioned_page import Paper, Section, draw_paper

LETTER, A4 = (612.0, 792.0), (595.3, 841.9)
AIRTIME_SHARE = 0.6


def draw_order(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    if language in (None, "en") and dice.chance(AIRTIME_SHARE):
        return _draw_airtime(dice, fonts)
    return _draw_purchase(dice, dice.pick(LANGUAGES) if language is None else language, fonts)


def _draw_airtime(dice: Dice, fonts: Fonts) -> Drawn:
    manner = make_manner(dice, "US", "en")
    size = LETTER if dice.chance(0.7) else (LETTER[1], LETTER[0])
    sheet = Sheet(
        Pen(*size), dice, make_look(dice, fonts, low=6.5, high=9), manner, dice.day(), 24 + 20 * dice.random()
    )
    start = sheet.day + timedelta(days=int(30 * dice.random()))
    end = start + timedelta(days=dice.pick((0, 2, 4, 5, 6, 6, 13, 20, 27, 60)))
    columns, rows, under, gross, spots = _spots(sheet, start, end)
    amount = manner.amount("gross_amount", gross)
    commission = (gross * Decimal("0.15")).quantize(Decimal("0.01"))
    net = manner.amount("net_amount", gross - commission)
    money = "before" if dice.chance(0.85) else ""
    sums: list[tuple[str, list[Piece]]] = [(sheet.word("gross_amount"), manner.money(amount, money))]
    if dice.chance(0.5):
        sums += [
            (sheet.word("commission"), manner.money(manner.plain(commission), money)),
            (sheet.word("net_amount"), manner.money(net, money)),
        ]
    if dice.chance(0.4):
        sums.insert(0, (dice.pick(("Total Spots", "Spots", "# Spots")), [str(spots)]))
    sections = _airtime_sections(sheet, start, end)
    if dice.chance(0.4):
        entries = [
            Entry("Month", f"{words('en')['month'][start.month - 1]} {start.year}"),
            Entry("# Spots", str(spots)),
            Entry(sheet.word("gross_amount"), amount),
            Entry(sheet.word("net_amount"), net),
        ]
        sections.append(Section("Totals", entries))
    notes = dice.some(
        (
            "Station warrants the above rates.",
            "* Line Transactions: N = New, E = Edited, D = Deleted",
            "Political advertising: lowest unit rate applies where required.",
            "Net 30 - payment is due within 30 days.",
            "The station does not discriminate in advertising contracts.",
        ),
        2,
    )
    draw_paper(sheet, Paper(sheet.word("title_airtime"), sections, columns, rows, under, sums, notes))
    return sheet.pen.finish("order", "en", descriptions(dice, "order"))


def _airtime_sections(sheet: Sheet, start: date, end: date) -> list[Section]:
    dice, manner = sheet.dice, sheet.manner
    number = value(
        "contract_number", dice.pattern(dice.pick(("%######", "%####", "%#######", "WOC%#######", "%#####-%")))
    )
    advertiser = value("advertiser", _advertiser(dice))
    said_start, said_end = manner.day("flight_from", start), manner.day("flight_to", end)
    order = _order_entries(sheet, number)
    if dice.chance(0.65):
        joint = dice.pick((" - ", " - ", "-", " to ", " / "))
        order.insert(1 + int(3 * dice.random()), Entry(sheet.word("flight"), [said_start, joint, said_end]))
    else:
        order += [Entry(sheet.word("flight_from"), said_start), Entry(sheet.word("flight_to"), said_end)]
    if dice.chance(0.25):
        order[0] = Entry(order[0].label, [number, dice.pick((" / ", " /1", " / 2"))])
    seller = [
        Entry(sheet.word("station"), value("station", dice.pattern(dice.pick(("K???", "W???", "W???-TV", "K??"))))),
        Entry("Primary AE", person(dice, "US")),
        Entry("Sales Office", dice.pick(("National", "T-PHI", "Local"))),
        Entry("Billing Cycle", "EOM/EOC"),
        Entry("Billing Type", "Cash"),
    ]
    client = [Entry(sheet.word("advertiser"), advertiser)]
    buyer = [
        Entry(sheet.word("agency"), value("agency", company(dice, "US", "en"))),
        Entry("Buying Contact", person(dice, "US")),
        Entry("Agency Commission", "15%"),
        Entry("Address", f"{dice.pattern('%##')} Main St, {town(dice, 'US', 'en')}"),
    ]
    if dice.chance(0.6):
        client += buyer
        blocks = [Section("Orders", order), Section("Advertiser", client), Section("Station", dice.some(seller, 4))]
    else:
        blocks = [
            Section("Orders", order),
            Section("Agency", buyer),
            Section("Advertiser", client),
            Section("Station", dice.some(seller, 3)),
        ]
    if dice.chance(0.4):
        dice.shuffle(blocks)
    return blocks


def _order_entries(sheet: Sheet, number: Value) -> list[Entry]:
    """Number, product and codes of an order for air time."""
    dice, manner = sheet.dice, sheet.manner
    return [
        Entry(sheet.word("contract_number"), number),
        Entry("Alt Order #", dice.pattern("%#######")),
        Entry(
            sheet.word("product"),
            value(
                "product",
                dice.pick(
                    (
                        coined(dice),
                        "Political",
                        f"{coined(dice)} for {dice.pick(('Senate', 'Governor', 'Mayor', 'Congress'))}",
                    )
                ),
            ),
        ),
        Entry(sheet.word("estimate"), dice.pattern("%###")),
        Entry("Original Date / Rev", f"{manner.date(sheet.day)} / {manner.date(sheet.day)}"),
        Entry("Order Type", dice.pick(("REG", "GENERAL", "POL", "Cash"))),
        Entry(sheet.word("demographic"), dice.pick(("A35+", "Adults 25-54", "P18+", "HH"))),
    ]


def _advertiser(dice: Dice) -> str:
    name = person(dice, "US")
    return dice.pick(
        (
            f"{name} for {dice.pick(('Senate', 'Congress', 'Governor', 'Mayor', 'Judge', 'Sheriff'))}",
            f"Committee to Elect {name}",
            f"Friends of {name}",
            company(dice, "US", "en"),
            company(dice, "US", "en"),
            f"{coined(dice)} Action Fund",
            f"Citizens for {dice.pick(words('en')['nouns'])}",
            f"{name.split()[-1]} for {dice.pick(words('US')['state'])}",
            f"Vote {dice.pick(words('en')['adjectives'])} PAC",
        )
    )


def _spots(
    sheet: Sheet, start: date, end: date
) -> tuple[list[Column], list[dict[str, Cell]], dict[int, list[str]], Decimal, int]:
    """Lines of spots: programme, times, days, rate, count, amount."""
    dice, manner = sheet.dice, sheet.manner
    columns = [
        Column("line", dice.pick(("Ln", "#", "Line")), 0.5),
        Column("channel", "Ch", 0.8),
        Column("start", "Start", 1.1),
        Column("end", "End", 1.1),
        Column("program", dice.pick(("Description", "Inventory Code", "Program")), 2.4),
        Column("time", "Start/End Time", 1.5),
        Column("days", "Days", 1.0),
        Column("length", "Len", 0.6),
        Column("rate", "Rate", 1.1, "right"),
        Column("count", "Spots", 0.7, "right"),
        Column("amount", "Amount", 1.3, "right"),
    ]
    columns = [column for column in columns if column.key in ("program", "amount", "count", "rate") or dice.chance(0.8)]
    rows: list[dict[str, Cell]] = []
    under: dict[int, list[str]] = {}
    gross, spots, weekly = Decimal(0), 0, dice.chance(0.5)
    names = {column.key for column in columns}
    station = dice.pattern("K???")
    for line in range(dice.pick((1, 2, 3, 4, 5, 7, 10, 16, 30))):
        count, rate = 1 + int(9 * dice.random() ** 2), dice.amount(15, 4000, 0)
        hour = 5 + int(14 * dice.random())
        row: dict[str, Cell] = {
            "line": str(line + 1),
            "channel": station,
            "start": manner.date(start),
            "end": manner.date(end),
            "program": dice.pick(words("en")["programs"]),
            "time": f"{hour}:00 - {hour + 1}:00",
            "days": "".join(day if dice.chance(0.6) else "-" for day in "MTWTFSS"),
            "length": dice.pick((":30", ":15", "1:00")),
            "rate": "$" + manner.plain(rate),
            "count": str(count),
            "amount": "$" + manner.plain(rate * count),
        }
        rows.append({key: cell for key, cell in row.items() if key in names})
        if weekly:
            under[line] = [f"Week: {manner.date(start)} {manner.date(end)}  MTWTF--  {count}  ${manner.plain(rate)}"]
        gross, spots = gross + rate * count, spots + count
    return columns, rows, under, gross, spots


def _draw_purchase(dice: Dice, language: str, fonts: Fonts) -> Drawn:
    manner = make_manner(dice, dice.pick(COUNTRIES[language]), language)
    bill = make_bill(dice, manner)
    sheet = Sheet(Pen(*A4), dice, make_look(dice, fonts), manner, bill.issued, 30 + 30 * dice.random())
    head = [
        Entry(sheet.word("purchase_order"), value("order_number", number_like(dice, bill.issued))),
        Entry(sheet.word("order_date"), manner.day("order_date", bill.issued)),
        Entry(
            sheet.word("delivery_date"),
            manner.day("delivery_date", bill.issued + timedelta(days=1 + int(60 * dice.random()))),
        ),
        Entry(sheet.word("contact"), bill.buyer.person),
        Entry(sheet.word("terms_label"), bill.terms),
    ]
    supplier = [
        Entry(
            sheet.word("supplier").rstrip(":"),
            value("supplier_name", bill.seller.name),
        ),
        Entry("", bill.seller.address[0]),
        Entry("", bill.seller.address[-1]),
    ]
    buyer = [
        Entry(sheet.word("bill_to").rstrip(":"), value("buyer_name", bill.buyer.name)),
        Entry("", bill.buyer.address[0]),
        Entry("", bill.buyer.address[-1]),
    ]
    columns = [
        Column("description", sheet.word("description"), 3.5),
        Column("quantity", sheet.word("quantity"), 1, "right"),
        Column("unit_price", sheet.word("unit_price"), 1.3, "right"),
        Column("amount", sheet.word("amount"), 1.3, "right"),
    ]
    rows: list[dict[str, Cell]] = []
    for number, item in enumerate(bill.items):
        path = f"items[{number}]"
        rows.append(
            {
                "description": value(f"{path}.description", item.description),
                "quantity": manner.quantity(f"{path}.quantity", item.quantity, item.quantity_places),
                "unit_price": manner.amount(f"{path}.unit_price", item.price, item.price_places),
                "amount": manner.amount(f"{path}.amount", item.amount),
            }
        )
    total: Value = manner.amount("order_total", bill.goods_total)
    sections = [Section(sheet.word("title_order"), head), Section("", buyer), Section("", supplier)]
    paper = Paper(
        sheet.word("title_order"),
        sections,
        columns,
        rows,
        {},
        [(sheet.word("net_total"), manner.money(total, manner.sign_place))],
        [sheet.phrase("legal", city=bill.buyer.city, person=bill.buyer.person)],
    )
    draw_paper(sheet, paper)
    return sheet.pen.finish("order", language, descriptions(dice, "order"))
