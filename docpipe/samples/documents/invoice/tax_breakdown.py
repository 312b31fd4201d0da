"""The tax of a bill by rate: a table in many orders, or sentences.

In: a sheet, a bill and the y where to begin. Out: drawn; every rate, net and tax is a value.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.canvas import Piece
from docpipe.samples.canvas.table import Cell, Column, Table, make_table_style
from docpipe.samples.content.invoice_data import Bill
from docpipe.samples.documents.invoice.letterhead import Sheet
from docpipe.samples.documents.invoice.totals import cut, rate_places

NARROW_COLUMNS = 4


def draw_breakdown(sheet: Sheet, bill: Bill, y: float, width: float) -> float:
    """A table or sentences, at most `width` wide; gives the y below."""
    dice, look = sheet.dice, sheet.look
    sentences = dice.chance(0.2)
    if dice.chance(0.25 if sentences else 0.55):
        sheet.pen.write(sheet.margin, y + look.line, sheet.word("breakdown"), look.bold)
        y += look.line * 1.4
    return _draw_sentences(sheet, bill, y, width) if sentences else _draw_table(sheet, bill, y, width)


def _draw_sentences(sheet: Sheet, bill: Bill, y: float, width: float) -> float:
    """`VAT 20 % on 100.00: 20.00`, one for each rate."""
    dice, look = sheet.dice, sheet.look
    pattern = sheet.word("tax_sentence")
    more, blank = dice.pick((0, 0, 1, 2)), dice.pick((" ", ""))
    ink = dice.pick((look.text, look.text, look.small))
    y += look.line
    for number, (rate, net, tax) in enumerate(bill.groups):
        path = f"tax_breakdown[{number}]"
        known: dict[str, Piece] = {
            "{rate}": sheet.manner.rate(f"{path}.rate", rate, rate_places(rate, more), blank),
            "{net}": sheet.manner.amount(f"{path}.net", net),
            "{sum}": sheet.manner.amount(f"{path}.tax", tax),
        }
        pieces = [known.get(part, part) for part in cut(pattern)]
        y = sheet.pen.paragraph((sheet.margin, y), width, pieces, ink, leading=look.leading)
    return y


def _draw_table(sheet: Sheet, bill: Bill, y: float, width: float) -> float:
    dice, manner = sheet.dice, sheet.manner
    columns = _columns(sheet)
    share = dice.pick((0.4, 0.5, 0.6, 1.0)) if len(columns) < NARROW_COLUMNS else dice.pick((0.55, 0.7, 1.0))
    table = Table(
        sheet.pen, columns, (sheet.margin, min(width, sheet.inner * share)), sheet.look, make_table_style(dice)
    )
    if not dice.chance(0.08):
        y = table.head(y)
    more, blank, signed = dice.pick((0, 0, 1, 2)), dice.pick((" ", "")), dice.chance(0.25)
    place = manner.line_sign_place if signed else ""
    category, plain_rate = sheet.word("tax_category"), dice.chance(0.1)
    for number, (rate, net, tax) in enumerate(bill.groups):
        path = f"tax_breakdown[{number}]"
        printed = manner.rate(f"{path}.rate", rate, rate_places(rate, more), blank)
        if plain_rate:
            printed = printed.printed(printed.text.rstrip("% "))
        cells: dict[str, Cell] = {
            "code": category if number == 0 else dice.pick(("B", "2", "R", category)),
            "rate": printed,
            "net": manner.money(manner.amount(f"{path}.net", net), place),
            "tax": manner.money(manner.amount(f"{path}.tax", tax), place),
            "gross": manner.plain(net + tax),
        }
        y = table.row(y, cells)
    if dice.chance(0.35):
        y = table.row(y, _sums(sheet, bill, columns), sheet.look.bold)
    return table.close(y)


def _sums(sheet: Sheet, bill: Bill, columns: Sequence[Column]) -> dict[str, Cell]:
    manner = sheet.manner
    cells: dict[str, Cell] = {
        "net": manner.amount("net_total", bill.net),
        "tax": manner.amount("tax_total", bill.tax),
        "gross": manner.plain(bill.net + bill.tax),
    }
    first = columns[0].key
    if first not in cells and sheet.dice.chance(0.5):
        cells[first] = sheet.word("group_total").replace("{n}", "").strip()
    return cells


def _columns(sheet: Sheet) -> list[Column]:
    """Rate, net and tax in any order, the rate mostly first; a code and a gross column now and then."""
    dice = sheet.dice
    rate = Column("rate", sheet.word("breakdown_rate"), 1.0, dice.pick(("left", "right", "centre")))
    columns = [Column(key, sheet.word(f"breakdown_{key}"), 1.4, "right") for key in ("net", "tax")]
    if dice.chance(0.35):
        columns.append(Column("gross", sheet.word("breakdown_gross"), 1.4, "right"))
    if dice.chance(0.3):
        dice.shuffle(columns)
    columns.insert(dice.pick((0, 0, 0, 0, 1, len(columns))), rate)
    if dice.chance(0.2):
        code = Column("code", sheet.word("breakdown_code"), 0.8, dice.pick(("left", "centre")))
        columns.insert(dice.pick((0, 0, 1, len(columns))), code)
    return columns
