"""The tax of a bill by rate: a table in many orders, or sentences.

In: a sheet, a bill and the y where to begin. Out: drawn; every rate, net and tax is a value.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.canvas import TextRun
from docpipe.samples.canvas.table import RichText, Table, TableColumn, make_table_style
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.documents.invoice.letterhead import DrawingContext
from docpipe.samples.documents.invoice.totals import rate_decimals, split_placeholders

NARROW_COLUMNS = 4


def draw_breakdown(context: DrawingContext, invoice: InvoiceData, y: float, width: float) -> float:
    """A table or sentences, at most `width` wide; gives the y below."""
    rng, typography = context.rng, context.typography
    sentences = rng.chance(0.2)
    if rng.chance(0.25 if sentences else 0.55):
        context.canvas.write(context.margin, y + typography.line_height, context.label("breakdown"), typography.bold)
        y += typography.line_height * 1.4
    return _draw_sentences(context, invoice, y, width) if sentences else _draw_table(context, invoice, y, width)


def _draw_sentences(context: DrawingContext, invoice: InvoiceData, y: float, width: float) -> float:
    """`VAT 20 % on 100.00: 20.00`, one for each rate."""
    rng, typography = context.rng, context.typography
    pattern = context.label("tax_sentence")
    more, blank = rng.pick((0, 0, 1, 2)), rng.pick((" ", ""))
    text_style = rng.pick((typography.text, typography.text, typography.small))
    y += typography.line_height
    for number, (rate, net, tax) in enumerate(invoice.tax_breakdown):
        path = f"tax_breakdown[{number}]"
        known: dict[str, TextRun] = {
            "{rate}": context.locale.rate_field(f"{path}.rate", rate, rate_decimals(rate, more), blank),
            "{net}": context.locale.amount_field(f"{path}.net", net),
            "{sum}": context.locale.amount_field(f"{path}.tax", tax),
        }
        pieces = [known.get(part, part) for part in split_placeholders(pattern)]
        y = context.canvas.write_paragraph((context.margin, y), width, pieces, text_style, leading=typography.leading)
    return y


def _draw_table(context: DrawingContext, invoice: InvoiceData, y: float, width: float) -> float:
    rng, locale = context.rng, context.locale
    columns = _columns(context)
    share = rng.pick((0.4, 0.5, 0.6, 1.0)) if len(columns) < NARROW_COLUMNS else rng.pick((0.55, 0.7, 1.0))
    table = Table(
        context.canvas,
        columns,
        (context.margin, min(width, context.inner_width * share)),
        context.typography,
        make_table_style(rng),
    )
    if not rng.chance(0.08):
        y = table.draw_header(y)
    more, blank, signed = rng.pick((0, 0, 1, 2)), rng.pick((" ", "")), rng.chance(0.25)
    place = locale.line_symbol_position if signed else ""
    category, plain_rate = context.label("tax_category"), rng.chance(0.1)
    for number, (rate, net, tax) in enumerate(invoice.tax_breakdown):
        path = f"tax_breakdown[{number}]"
        printed = locale.rate_field(f"{path}.rate", rate, rate_decimals(rate, more), blank)
        if plain_rate:
            printed = printed.with_text(printed.text.rstrip("% "))
        cells: dict[str, RichText] = {
            "code": category if number == 0 else rng.pick(("B", "2", "R", category)),
            "rate": printed,
            "net": locale.with_currency(locale.amount_field(f"{path}.net", net), place),
            "tax": locale.with_currency(locale.amount_field(f"{path}.tax", tax), place),
            "gross": locale.format_number(net + tax),
        }
        y = table.draw_row(y, cells)
    if rng.chance(0.35):
        y = table.draw_row(y, _sums(context, invoice, columns), context.typography.bold)
    return table.draw_bottom_line(y)


def _sums(context: DrawingContext, invoice: InvoiceData, columns: Sequence[TableColumn]) -> dict[str, RichText]:
    locale = context.locale
    cells: dict[str, RichText] = {
        "net": locale.amount_field("net_total", invoice.net_total),
        "tax": locale.amount_field("tax_total", invoice.tax_total),
        "gross": locale.format_number(invoice.net_total + invoice.tax_total),
    }
    first = columns[0].key
    if first not in cells and context.rng.chance(0.5):
        cells[first] = context.label("group_total").replace("{n}", "").strip()
    return cells


def _columns(context: DrawingContext) -> list[TableColumn]:
    """Rate, net and tax in any order, the rate mostly first; a code and a gross column now and then."""
    rng = context.rng
    rate = TableColumn("rate", context.label("breakdown_rate"), 1.0, rng.pick(("left", "right", "centre")))
    columns = [TableColumn(key, context.label(f"breakdown_{key}"), 1.4, "right") for key in ("net", "tax")]
    if rng.chance(0.35):
        columns.append(TableColumn("gross", context.label("breakdown_gross"), 1.4, "right"))
    if rng.chance(0.3):
        rng.shuffle(columns)
    columns.insert(rng.pick((0, 0, 0, 0, 1, len(columns))), rate)
    if rng.chance(0.2):
        code = TableColumn("code", context.label("breakdown_code"), 0.8, rng.pick(("left", "centre")))
        columns.insert(rng.pick((0, 0, 1, len(columns))), code)
    return columns
