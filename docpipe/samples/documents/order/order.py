"""Orders: for air time on television and radio, and for goods.

In: dice and a language. Out: a drawn order; its fields differ from an invoice's.
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
from docpipe.samples.content.vocabulary import coined_name, company_name, person_name, town_name
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.invoice.letterhead import DrawingContext
from docpipe.samples.documents.invoice.metadata_block import MetadataEntry
from docpipe.samples.documents.sectioned_page import Section, SectionedPage, draw_sectioned_page

LETTER, A4 = (612.0, 792.0), (595.3, 841.9)
AIRTIME_SHARE = 0.6


def draw_order(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    if language in (None, "en") and rng.chance(AIRTIME_SHARE):
        return _draw_airtime(rng, fonts)
    return _draw_purchase(rng, rng.pick(LANGUAGES) if language is None else language, fonts)


def _draw_airtime(rng: SeededRandom, fonts: FontSource) -> SampleDocument:
    locale = make_locale_style(rng, "US", "en")
    size = LETTER if rng.chance(0.7) else (LETTER[1], LETTER[0])
    context = DrawingContext(
        DocumentCanvas(*size),
        rng,
        make_typography(rng, fonts, low=6.5, high=9),
        locale,
        rng.date(),
        24 + 20 * rng.random(),
    )
    start = context.issue_date + timedelta(days=int(30 * rng.random()))
    end = start + timedelta(days=rng.pick((0, 2, 4, 5, 6, 6, 13, 20, 27, 60)))
    columns, rows, under, gross, spots = _airtime_spots(context, start, end)
    amount = locale.amount_field("gross_amount", gross)
    commission = (gross * Decimal("0.15")).quantize(Decimal("0.01"))
    net = locale.amount_field("net_amount", gross - commission)
    money = "before" if rng.chance(0.85) else ""
    sums: list[tuple[str, list[TextRun]]] = [(context.label("gross_amount"), locale.with_currency(amount, money))]
    if rng.chance(0.5):
        sums += [
            (context.label("commission"), locale.with_currency(locale.format_number(commission), money)),
            (context.label("net_amount"), locale.with_currency(net, money)),
        ]
    if rng.chance(0.4):
        sums.insert(0, (rng.pick(("Total Spots", "Spots", "# Spots")), [str(spots)]))
    sections = _airtime_sections(context, start, end)
    if rng.chance(0.4):
        entries = [
            MetadataEntry("Month", f"{word_lists('en')['month'][start.month - 1]} {start.year}"),
            MetadataEntry("# Spots", str(spots)),
            MetadataEntry(context.label("gross_amount"), amount),
            MetadataEntry(context.label("net_amount"), net),
        ]
        sections.append(Section("Totals", entries))
    notes = rng.pick_several(
        (
            "Station warrants the above rates.",
            "* Line Transactions: N = New, E = Edited, D = Deleted",
            "Political advertising: lowest unit rate applies where required.",
            "Net 30 - payment is due within 30 days.",
            "The station does not discriminate in advertising contracts.",
        ),
        2,
    )
    draw_sectioned_page(
        context, SectionedPage(context.label("title_airtime"), sections, columns, rows, under, sums, notes)
    )
    return context.canvas.finish("order", "en", field_descriptions(rng, "order"))


def _airtime_sections(context: DrawingContext, start: date, end: date) -> list[Section]:
    rng, locale = context.rng, context.locale
    number = field_text(
        "contract_number", rng.from_pattern(rng.pick(("%######", "%####", "%#######", "WOC%#######", "%#####-%")))
    )
    advertiser = field_text("advertiser", _advertiser_name(rng))
    said_start, said_end = locale.date_field("flight_from", start), locale.date_field("flight_to", end)
    order = _order_entries(context, number)
    if rng.chance(0.65):
        joint = rng.pick((" - ", " - ", "-", " to ", " / "))
        order.insert(1 + int(3 * rng.random()), MetadataEntry(context.label("flight"), [said_start, joint, said_end]))
    else:
        order += [
            MetadataEntry(context.label("flight_from"), said_start),
            MetadataEntry(context.label("flight_to"), said_end),
        ]
    if rng.chance(0.25):
        order[0] = MetadataEntry(order[0].label, [number, rng.pick((" / ", " /1", " / 2"))])
    seller = [
        MetadataEntry(
            context.label("station"),
            field_text("station", rng.from_pattern(rng.pick(("K???", "W???", "W???-TV", "K??")))),
        ),
        MetadataEntry("Primary AE", person_name(rng, "US")),
        MetadataEntry("Sales Office", rng.pick(("National", "T-PHI", "Local"))),
        MetadataEntry("Billing Cycle", "EOM/EOC"),
        MetadataEntry("Billing Type", "Cash"),
    ]
    client = [MetadataEntry(context.label("advertiser"), advertiser)]
    buyer = [
        MetadataEntry(context.label("agency"), field_text("agency", company_name(rng, "US", "en"))),
        MetadataEntry("Buying Contact", person_name(rng, "US")),
        MetadataEntry("Agency Commission", "15%"),
        MetadataEntry("Address", f"{rng.from_pattern('%##')} Main St, {town_name(rng, 'US', 'en')}"),
    ]
    if rng.chance(0.6):
        client += buyer
        blocks = [
            Section("Orders", order),
            Section("Advertiser", client),
            Section("Station", rng.pick_several(seller, 4)),
        ]
    else:
        blocks = [
            Section("Orders", order),
            Section("Agency", buyer),
            Section("Advertiser", client),
            Section("Station", rng.pick_several(seller, 3)),
        ]
    if rng.chance(0.4):
        rng.shuffle(blocks)
    return blocks


def _order_entries(context: DrawingContext, number: FieldText) -> list[MetadataEntry]:
    """Number, product and codes of an order for air time."""
    rng, locale = context.rng, context.locale
    return [
        MetadataEntry(context.label("contract_number"), number),
        MetadataEntry("Alt Order #", rng.from_pattern("%#######")),
        MetadataEntry(
            context.label("product"),
            field_text(
                "product",
                rng.pick(
                    (
                        coined_name(rng),
                        "Political",
                        f"{coined_name(rng)} for {rng.pick(('Senate', 'Governor', 'Mayor', 'Congress'))}",
                    )
                ),
            ),
        ),
        MetadataEntry(context.label("estimate"), rng.from_pattern("%###")),
        MetadataEntry(
            "Original Date / Rev",
            f"{locale.format_date(context.issue_date)} / {locale.format_date(context.issue_date)}",
        ),
        MetadataEntry("Order Type", rng.pick(("REG", "GENERAL", "POL", "Cash"))),
        MetadataEntry(context.label("demographic"), rng.pick(("A35+", "Adults 25-54", "P18+", "HH"))),
    ]


def _advertiser_name(rng: SeededRandom) -> str:
    name = person_name(rng, "US")
    return rng.pick(
        (
            f"{name} for {rng.pick(('Senate', 'Congress', 'Governor', 'Mayor', 'Judge', 'Sheriff'))}",
            f"Committee to Elect {name}",
            f"Friends of {name}",
            company_name(rng, "US", "en"),
            company_name(rng, "US", "en"),
            f"{coined_name(rng)} Action Fund",
            f"Citizens for {rng.pick(word_lists('en')['nouns'])}",
            f"{name.split()[-1]} for {rng.pick(word_lists('US')['state'])}",
            f"Vote {rng.pick(word_lists('en')['adjectives'])} PAC",
        )
    )


def _airtime_spots(
    context: DrawingContext, start: date, end: date
) -> tuple[list[TableColumn], list[dict[str, RichText]], dict[int, list[str]], Decimal, int]:
    """Lines of spots: programme, times, days, rate, count, amount."""
    rng, locale = context.rng, context.locale
    columns = [
        TableColumn("line", rng.pick(("Ln", "#", "Line")), 0.5),
        TableColumn("channel", "Ch", 0.8),
        TableColumn("start", "Start", 1.1),
        TableColumn("end", "End", 1.1),
        TableColumn("program", rng.pick(("Description", "Inventory Code", "Program")), 2.4),
        TableColumn("time", "Start/End Time", 1.5),
        TableColumn("days", "Days", 1.0),
        TableColumn("length", "Len", 0.6),
        TableColumn("rate", "Rate", 1.1, "right"),
        TableColumn("count", "Spots", 0.7, "right"),
        TableColumn("amount", "Amount", 1.3, "right"),
    ]
    columns = [column for column in columns if column.key in ("program", "amount", "count", "rate") or rng.chance(0.8)]
    rows: list[dict[str, RichText]] = []
    under: dict[int, list[str]] = {}
    gross, spots, weekly = Decimal(0), 0, rng.chance(0.5)
    names = {column.key for column in columns}
    station = rng.from_pattern("K???")
    for line in range(rng.pick((1, 2, 3, 4, 5, 7, 10, 16, 30))):
        count, rate = 1 + int(9 * rng.random() ** 2), rng.amount(15, 4000, 0)
        hour = 5 + int(14 * rng.random())
        row: dict[str, RichText] = {
            "line": str(line + 1),
            "channel": station,
            "start": locale.format_date(start),
            "end": locale.format_date(end),
            "program": rng.pick(word_lists("en")["programs"]),
            "time": f"{hour}:00 - {hour + 1}:00",
            "days": "".join(day if rng.chance(0.6) else "-" for day in "MTWTFSS"),
            "length": rng.pick((":30", ":15", "1:00")),
            "rate": "$" + locale.format_number(rate),
            "count": str(count),
            "amount": "$" + locale.format_number(rate * count),
        }
        rows.append({key: cell for key, cell in row.items() if key in names})
        if weekly:
            week = f"{locale.format_date(start)} {locale.format_date(end)}"
            under[line] = [f"Week: {week}  MTWTF--  {count}  ${locale.format_number(rate)}"]
        gross, spots = gross + rate * count, spots + count
    return columns, rows, under, gross, spots


def _draw_purchase(rng: SeededRandom, language: str, fonts: FontSource) -> SampleDocument:
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    invoice = make_invoice_data(rng, locale)
    context = DrawingContext(
        DocumentCanvas(*A4), rng, make_typography(rng, fonts), locale, invoice.issue_date, 30 + 30 * rng.random()
    )
    head = [
        MetadataEntry(
            context.label("purchase_order"), field_text("order_number", document_number(rng, invoice.issue_date))
        ),
        MetadataEntry(context.label("order_date"), locale.date_field("order_date", invoice.issue_date)),
        MetadataEntry(
            context.label("delivery_date"),
            locale.date_field("delivery_date", invoice.issue_date + timedelta(days=1 + int(60 * rng.random()))),
        ),
        MetadataEntry(context.label("contact"), invoice.buyer.contact_person),
        MetadataEntry(context.label("terms_label"), invoice.payment_terms),
    ]
    supplier = [
        MetadataEntry(
            context.label("supplier").rstrip(":"),
            field_text("supplier_name", invoice.seller.name),
        ),
        MetadataEntry("", invoice.seller.address_lines[0]),
        MetadataEntry("", invoice.seller.address_lines[-1]),
    ]
    buyer = [
        MetadataEntry(context.label("bill_to").rstrip(":"), field_text("buyer_name", invoice.buyer.name)),
        MetadataEntry("", invoice.buyer.address_lines[0]),
        MetadataEntry("", invoice.buyer.address_lines[-1]),
    ]
    columns = [
        TableColumn("description", context.label("description"), 3.5),
        TableColumn("quantity", context.label("quantity"), 1, "right"),
        TableColumn("unit_price", context.label("unit_price"), 1.3, "right"),
        TableColumn("amount", context.label("amount"), 1.3, "right"),
    ]
    rows: list[dict[str, RichText]] = []
    for number, item in enumerate(invoice.lines):
        path = f"items[{number}]"
        rows.append(
            {
                "description": field_text(f"{path}.description", item.description),
                "quantity": locale.quantity_field(f"{path}.quantity", item.quantity, item.quantity_decimals),
                "unit_price": locale.amount_field(f"{path}.unit_price", item.unit_price, item.price_decimals),
                "amount": locale.amount_field(f"{path}.amount", item.amount),
            }
        )
    total: FieldText = locale.amount_field("order_total", invoice.lines_total)
    sections = [Section(context.label("title_order"), head), Section("", buyer), Section("", supplier)]
    paper = SectionedPage(
        context.label("title_order"),
        sections,
        columns,
        rows,
        {},
        [(context.label("net_total"), locale.with_currency(total, locale.symbol_position))],
        [context.phrase("legal", city=invoice.buyer.city, person=invoice.buyer.contact_person)],
    )
    draw_sectioned_page(context, paper)
    return context.canvas.finish("order", language, field_descriptions(rng, "order"))
