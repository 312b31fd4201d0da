"""The tax of an invoice by rate: a table in many orders, or sentences.

In: the drawing context, the invoice's data and the y where to begin. Out: drawn; every rate, net and tax is a value.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.table import ColumnExtent, Table, TableColumn
from docpipe.samples.canvas.table_style import make_table_style
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.documents.common.drawing_context import DrawingContext, fill_with_runs
from docpipe.samples.truth import RichText, RichTextRun

NARROW_COLUMNS = 4  # a table with fewer columns may be narrower


def draw_tax_breakdown(context: DrawingContext, invoice: InvoiceData, y: float, width: float) -> float:
    """A table or sentences, at most `width` wide; gives the y below."""
    rng, typography = context.rng, context.typography
    as_sentences = rng.chance(0.2)
    if rng.chance(0.25 if as_sentences else 0.55):
        context.canvas.write(context.margin, y + context.line_height, context.label("breakdown"), typography.bold)
        y += context.line_height * 1.4
    draw = _draw_sentences if as_sentences else _draw_table
    return draw(context, invoice, y, width)


def _draw_sentences(context: DrawingContext, invoice: InvoiceData, y: float, width: float) -> float:
    """`VAT 20 % on 100.00: 20.00`, one for each rate."""
    rng, typography, locale = context.rng, context.typography, context.locale
    template = context.label("tax_sentence")
    min_decimals, percent_gap = rng.pick((0, 0, 1, 2)), rng.pick((" ", ""))
    style = rng.pick((typography.text, typography.text, typography.small))
    y += context.line_height
    for number, (rate, net, tax) in enumerate(invoice.tax_breakdown):
        path = f"tax_breakdown[{number}]"
        fields: dict[str, RichTextRun] = {
            "{rate}": locale.percent_field(f"{path}.rate", rate, min_decimals, percent_gap),
            "{net}": locale.number_field(f"{path}.net", net),
            "{sum}": locale.number_field(f"{path}.tax", tax),
        }
        sentence = fill_with_runs(template, fields)
        start = Point(context.margin, y)
        y = context.canvas.write_paragraph(start, width, sentence, style, leading=typography.leading)
    return y


def _draw_table(context: DrawingContext, invoice: InvoiceData, y: float, width: float) -> float:
    rng, locale = context.rng, context.locale
    columns = _columns(context)
    share = rng.pick((0.4, 0.5, 0.6, 1.0)) if len(columns) < NARROW_COLUMNS else rng.pick((0.55, 0.7, 1.0))
    extent = ColumnExtent(context.margin, min(width, context.inner_width * share))
    table = Table(context.canvas, columns, extent, context.typography, make_table_style(rng))
    if not rng.chance(0.08):
        y = table.draw_header(y)
    min_decimals, percent_gap, with_currency = rng.pick((0, 0, 1, 2)), rng.pick((" ", "")), rng.chance(0.25)
    symbol_position = locale.line_symbol_position if with_currency else ""
    category, without_percent_sign = context.label("tax_category"), rng.chance(0.1)
    for number, (rate, net, tax) in enumerate(invoice.tax_breakdown):
        path = f"tax_breakdown[{number}]"
        printed_rate = locale.percent_field(f"{path}.rate", rate, min_decimals, percent_gap)
        if without_percent_sign:
            printed_rate = printed_rate.with_text(printed_rate.text.rstrip("% "))
        cells: dict[str, RichText] = {
            "code": category if number == 0 else rng.pick(("B", "2", "R", category)),
            "rate": printed_rate,
            "net": locale.with_currency(locale.number_field(f"{path}.net", net), symbol_position),
            "tax": locale.with_currency(locale.number_field(f"{path}.tax", tax), symbol_position),
            "gross": locale.format_number(net + tax),
        }
        y = table.draw_row(y, cells)
    if rng.chance(0.35):
        y = table.draw_row(y, _totals_row(context, invoice, columns), context.typography.bold)
    return table.draw_bottom_line(y)


def _totals_row(context: DrawingContext, invoice: InvoiceData, columns: Sequence[TableColumn]) -> dict[str, RichText]:
    locale = context.locale
    cells: dict[str, RichText] = {
        "net": locale.number_field("net_total", invoice.net_total),
        "tax": locale.number_field("tax_total", invoice.tax_total),
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
