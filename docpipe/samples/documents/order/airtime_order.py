"""Orders for air time on television and radio, as American stations write them.

In: a random source. Out: a drawn order in English.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.table import TableColumn
from docpipe.samples.canvas.typography import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.locale_style import SymbolPosition, make_locale_style
from docpipe.samples.content.names import coined_name, company_name, person_name, town_name
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.common.drawing_context import LETTER, DrawingContext
from docpipe.samples.documents.common.metadata_block import MetadataEntry
from docpipe.samples.documents.common.sectioned_page import (
    LabelledTotal,
    PageSection,
    SectionedPage,
    draw_sectioned_page,
)
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichText, SampleDocument, field_text

COMMISSION_RATE = Decimal("0.15")
CONTRACT_NUMBER_PATTERNS = ("%######", "%####", "%#######", "WOC%#######", "%#####-%")
CALL_SIGN_PATTERNS = ("K???", "W???", "W???-TV", "K??")
FLIGHT_DAYS = (0, 2, 4, 5, 6, 6, 13, 20, 27, 60)  # from the first to the last
SPOT_LINE_COUNTS = (1, 2, 3, 4, 5, 7, 10, 16, 30)
ALWAYS_PRINTED = ("program", "amount", "count", "rate")  # columns; each of the others is there or not
NOTES = (
    "Station warrants the above rates.",
    "* Line Transactions: N = New, E = Edited, D = Deleted",
    "Political advertising: lowest unit rate applies where required.",
    "Net 30 - payment is due within 30 days.",
    "The station does not discriminate in advertising contracts.",
)


@dataclass(frozen=True)
class Flight:
    """The days on which the spots are on air, the first and the last."""

    start: date
    end: date


@dataclass(frozen=True)
class SpotTable:
    """The lines of spots, the lines of weeks below them by row, and what they add up to."""

    columns: list[TableColumn]
    rows: list[dict[str, RichText]]
    week_lines: dict[int, list[str]]
    gross_amount: Decimal
    spot_count: int


def draw_airtime_order(rng: SeededRandom, fonts: FontSource) -> SampleDocument:
    locale = make_locale_style(rng, "US", "en")
    width, height = LETTER if rng.chance(0.7) else reversed(LETTER)
    canvas, typography = DocumentCanvas(width, height), make_typography(rng, fonts, min_size=6.5, max_size=9)
    context = DrawingContext(canvas, rng, typography, locale, rng.random_date(), margin=24 + 20 * rng.random())
    start = context.issue_date + timedelta(days=int(30 * rng.random()))
    flight = Flight(start, start + timedelta(days=rng.pick(FLIGHT_DAYS)))
    spots = _spot_table(context, flight)
    gross = locale.number_field("gross_amount", spots.gross_amount)
    commission = (spots.gross_amount * COMMISSION_RATE).quantize(Decimal("0.01"))
    net = locale.number_field("net_amount", spots.gross_amount - commission)
    position: SymbolPosition = "before" if rng.chance(0.85) else ""
    totals = [LabelledTotal(context.label("gross_amount"), locale.with_currency(gross, position))]
    if rng.chance(0.5):
        printed_commission = locale.with_currency(locale.format_number(commission), position)
        totals.append(LabelledTotal(context.label("commission"), printed_commission))
        totals.append(LabelledTotal(context.label("net_amount"), locale.with_currency(net, position)))
    if rng.chance(0.4):
        totals.insert(0, LabelledTotal(rng.pick(("Total Spots", "Spots", "# Spots")), str(spots.spot_count)))
    sections = _sections(context, flight)
    if rng.chance(0.4):
        entries = [
            MetadataEntry("Month", f"{word_lists('en')['month'][start.month - 1]} {start.year}"),
            MetadataEntry("# Spots", str(spots.spot_count)),
            MetadataEntry(context.label("gross_amount"), gross),
            MetadataEntry(context.label("net_amount"), net),
        ]
        sections.append(PageSection("Totals", entries))
    notes = rng.pick_several(NOTES, 2)
    title = context.label("title_airtime")
    page = SectionedPage(title, sections, spots.columns, spots.rows, spots.week_lines, totals, notes)
    draw_sectioned_page(context, page)
    return canvas.finish("order", "en", field_descriptions(rng, "order"))


def _sections(context: DrawingContext, flight: Flight) -> list[PageSection]:
    """Order, advertiser, agency and station, in one of two groupings."""
    rng = context.rng
    number = field_text("contract_number", rng.from_pattern(rng.pick(CONTRACT_NUMBER_PATTERNS)))
    advertiser = field_text("advertiser", _advertiser_name(rng))
    order = _order_entries(context, number, flight)
    seller = [
        MetadataEntry(context.label("station"), field_text("station", rng.from_pattern(rng.pick(CALL_SIGN_PATTERNS)))),
        MetadataEntry("Primary AE", person_name(rng, "US")),
        MetadataEntry("Sales Office", rng.pick(("National", "T-PHI", "Local"))),
        MetadataEntry("Billing Cycle", "EOM/EOC"),
        MetadataEntry("Billing Type", "Cash"),
    ]
    client = [MetadataEntry(context.label("advertiser"), advertiser)]
    agency = [
        MetadataEntry(context.label("agency"), field_text("agency", company_name(rng, "US", "en"))),
        MetadataEntry("Buying Contact", person_name(rng, "US")),
        MetadataEntry("Agency Commission", "15%"),
        MetadataEntry("Address", f"{rng.from_pattern('%##')} Main St, {town_name(rng, 'US', 'en')}"),
    ]
    if rng.chance(0.6):
        parties = [PageSection("Advertiser", client + agency), PageSection("Station", rng.pick_several(seller, 4))]
    else:
        parties = [
            PageSection("Agency", agency),
            PageSection("Advertiser", client),
            PageSection("Station", rng.pick_several(seller, 3)),
        ]
    sections = [PageSection("Orders", order), *parties]
    if rng.chance(0.4):
        rng.shuffle(sections)
    return sections


def _order_entries(context: DrawingContext, number: FieldText, flight: Flight) -> list[MetadataEntry]:
    """Number, product, codes and flight dates."""
    rng, locale = context.rng, context.locale
    entries = [MetadataEntry(context.label("contract_number"), number), *_product_entries(context)]
    first_day, last_day = locale.date_field("flight_from", flight.start), locale.date_field("flight_to", flight.end)
    if rng.chance(0.65):
        separator = rng.pick((" - ", " - ", "-", " to ", " / "))
        position = 1 + int(3 * rng.random())
        entries.insert(position, MetadataEntry(context.label("flight"), [first_day, separator, last_day]))
    else:
        entries.append(MetadataEntry(context.label("flight_from"), first_day))
        entries.append(MetadataEntry(context.label("flight_to"), last_day))
    if rng.chance(0.25):
        entries[0] = MetadataEntry(entries[0].label, [number, rng.pick((" / ", " /1", " / 2"))])
    return entries


def _product_entries(context: DrawingContext) -> list[MetadataEntry]:
    rng = context.rng
    order_number = rng.from_pattern("%#######")
    label = context.label("product")
    brand = coined_name(rng)
    candidate = f"{coined_name(rng)} for {rng.pick(('Senate', 'Governor', 'Mayor', 'Congress'))}"
    product = rng.pick((brand, "Political", candidate))
    day = context.locale.format_date(context.issue_date)
    return [
        MetadataEntry("Alt Order #", order_number),
        MetadataEntry(label, field_text("product", product)),
        MetadataEntry(context.label("estimate"), rng.from_pattern("%###")),
        MetadataEntry("Original Date / Rev", f"{day} / {day}"),
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


def _spot_columns(rng: SeededRandom) -> list[TableColumn]:
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
    return [column for column in columns if column.key in ALWAYS_PRINTED or rng.chance(0.8)]


def _spot_table(context: DrawingContext, flight: Flight) -> SpotTable:
    """Lines of spots: programme, times, days, rate, count, amount."""
    rng, locale = context.rng, context.locale
    columns = _spot_columns(rng)
    keys = {column.key for column in columns}
    with_weeks, station = rng.chance(0.5), rng.from_pattern("K???")
    first_day, last_day = locale.format_date(flight.start), locale.format_date(flight.end)
    rows: list[dict[str, RichText]] = []
    week_lines: dict[int, list[str]] = {}
    gross_amount, spot_count = Decimal(0), 0
    for line in range(rng.pick(SPOT_LINE_COUNTS)):
        count, rate = 1 + int(9 * rng.random() ** 2), rng.amount(15, 4000, 0)
        hour = 5 + int(14 * rng.random())
        row: dict[str, RichText] = {
            "line": str(line + 1),
            "channel": station,
            "start": first_day,
            "end": last_day,
            "program": rng.pick(word_lists("en")["programs"]),
            "time": f"{hour}:00 - {hour + 1}:00",
            "days": "".join(day if rng.chance(0.6) else "-" for day in "MTWTFSS"),
            "length": rng.pick((":30", ":15", "1:00")),
            "rate": "$" + locale.format_number(rate),
            "count": str(count),
            "amount": "$" + locale.format_number(rate * count),
        }
        rows.append({key: cell for key, cell in row.items() if key in keys})
        if with_weeks:
            week_lines[line] = [f"Week: {first_day} {last_day}  MTWTF--  {count}  ${locale.format_number(rate)}"]
        gross_amount, spot_count = gross_amount + rate * count, spot_count + count
    return SpotTable(columns, rows, week_lines, gross_amount, spot_count)
