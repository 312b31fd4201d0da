"""Which columns a table of line items has, in which order, under which headings, how wide.

In: a sheet, a bill, the habits of its rows. Out: columns whose widths fit what is printed in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.table import Column
from docpipe.samples.content.invoice_data import Bill
from docpipe.samples.content.words import words
from docpipe.samples.documents.invoice.letterhead import Sheet
from docpipe.samples.documents.invoice.rows import Cells, Habits, widest

USUAL_PLACES = {
    "pos": 0.0,
    "row_date": 1.0,
    "code": 1.4,
    "description": 2.2,
    "other_code": 3.0,
    "quantity": 4.0,
    "unit": 4.5,
    "list_price": 5.3,
    "unit_price": 6.0,
    "net_price": 6.6,
    "base": 6.3,
    "discount": 6.5,
    "tax_rate": 7.4,
    "tax_amount": 8.0,
    "amount": 9.0,
    "amount_gross": 9.6,
    "tax_code": 9.8,
}
DECOYS = ("other_code", "row_date", "tax_code", "tax_amount", "list_price", "base", "code", "pos")  # dropped in turn
TEXTS = ("description", "code", "other_code", "unit", "row_date", "pos")
MONEY = ("unit_price", "net_price", "list_price", "amount", "amount_gross", "tax_amount")
LEAST_DESCRIPTION = 0.22  # of the width of the table


def choose_columns(sheet: Sheet, bill: Bill, habits: Habits) -> list[Column]:
    """Columns without widths yet."""
    dice = sheet.dice
    keys = _keys(sheet, bill, habits)
    places = _places(sheet, keys)
    number_align: Align = dice.pick(("right", "right", "right", "right", "right", "right", "right", "centre", "left"))
    text_align: Align = dice.pick(("left", "left", "left", "centre"))
    label = Headings(sheet, bill, keys)
    columns = []
    for key in sorted(keys, key=lambda key: places[key]):
        align = "left" if key in ("description", "code") else text_align if key in TEXTS else number_align
        if key == "quantity" and dice.chance(0.2):
            align = dice.pick(("centre", "left"))
        columns.append(Column(key, label.of(key), 1.0, align))
    return columns


def _keys(sheet: Sheet, bill: Bill, habits: Habits) -> list[str]:
    """Each column is there or not, whatever the others do."""
    dice, chance = sheet.dice, sheet.dice.chance
    keys = ["description", "amount"] if habits.named == "column" else ["amount"]
    if chance(0.88) or habits.shared in ("product", "times"):
        keys.append("quantity")
        if habits.shared not in ("unit", "priced unit") and chance(0.4):
            keys.append("unit")
    if habits.shared != "product" and (chance(0.86) or habits.shared == "priced unit"):
        reduced = habits.discount == "column" and chance(0.35)
        keys += ["list_price", "net_price"] if reduced else ["unit_price"]
        keys += ["base"] if habits.base > 1 and habits.shared != "base" else []
    if habits.discount == "column":
        keys.append("discount")
    if bill.taxed:
        keys += ["tax_rate"] if not habits.rate_noted and chance(0.6 if len(bill.groups) > 1 else 0.42) else []
        keys += ["tax_amount"] if chance(0.1) else []
        keys += ["amount_gross"] if not bill.inclusive and chance(0.15) else []
        keys += ["tax_code"] if chance(0.06) else []
    decoys = (("pos", 0.42), ("code", 0.35 if "description" in keys else 0.8), ("other_code", 0.1), ("row_date", 0.08))
    return keys + [key for key, share in decoys if dice.chance(share)]


def _places(sheet: Sheet, keys: Sequence[str]) -> dict[str, float]:
    """Columns stand near their usual places; how near differs from document to document."""
    dice = sheet.dice
    stray = dice.pick((0.0, 0.5, 1.2, 2.5))
    places = {key: USUAL_PLACES[key] + stray * (2 * dice.random() - 1) for key in keys}
    places["pos"] = -9.0
    places["amount"] = max(places.values()) + 0.1 if dice.chance(0.8) else 9.0
    if dice.chance(0.2):
        places["quantity"], places["unit"] = -2.0, dice.pick((-2.5, -1.5, -1.5))
    elif dice.chance(0.16):
        places["quantity"], places["unit"] = places.get("unit_price", 6.0) + 0.05, dice.pick((3.0, 7.0))
    if dice.chance(0.15):
        places["tax_rate"] = 20.0
    if dice.chance(0.6):
        places["amount_gross"] = 15.0
    return places


class Headings:
    """The headings of one table: wording by column, one taste for all."""

    def __init__(self, sheet: Sheet, bill: Bill, keys: Sequence[str]) -> None:
        dice = sheet.dice
        self._sheet = sheet
        self._upper, self._stacked = dice.chance(0.15), dice.chance(0.15)
        self._second = dice.chance(0.05) and sheet.manner.language != "en"
        sign, code = sheet.manner.sign, sheet.manner.currency
        self._currency = dice.pick((f" ({sign})", f" {sign}", f" {code}", f" in {code}")) if dice.chance(0.1) else ""
        if "amount_gross" in keys:
            self._amount = "amount_net"
        else:
            self._amount = "amount_gross" if bill.inclusive and dice.chance(0.5) else "amount"

    def of(self, key: str) -> str:
        sheet = self._sheet
        text = sheet.word(self._amount if key == "amount" else key)
        if self._currency and key in MONEY and sheet.manner.sign not in text:
            text += self._currency
        if self._stacked:
            text = text.replace(" ", "\n", 1)
        if self._second and key in words("en"):
            text += f"\n{sheet.dice.pick(words('en')[key]).replace('{sign}', '').replace('{code}', '')}"
        return text.upper() if self._upper else text


def fit_columns(
    sheet: Sheet, columns: Sequence[Column], rows: Sequence[Cells], gap: float, *, headed: bool
) -> list[Column]:
    """Columns as wide as their contents, the description the rest; decoys go where there is no room for them."""
    dice = sheet.dice
    needs = {column.key: _need(sheet, column, rows, headed=headed) + gap + 1.0 for column in columns}
    kept = list(columns)
    dropped = iter(DECOYS)
    least = sheet.inner * LEAST_DESCRIPTION if "description" in needs else 0.0
    while (room := sheet.inner - _sum_of_others(needs, kept)) < least:
        key = next(dropped, None)
        if key is None:
            break
        kept = [column for column in kept if column.key != key]
    room = max(room, least)
    spread = dice.pick((0.0, 0.0, 0.3, 0.6)) * max(room - least * 1.5, 0.0)
    others = max(len(kept) - 1, 1)
    return [
        replace(column, weight=room - spread if column.key == "description" else needs[column.key] + spread / others)
        for column in kept
    ]


def _sum_of_others(needs: dict[str, float], columns: Sequence[Column]) -> float:
    return sum(needs[column.key] for column in columns if column.key != "description")


def _need(sheet: Sheet, column: Column, rows: Sequence[Cells], *, headed: bool) -> float:
    """The widest cell, and the longest word of the heading."""
    look = sheet.look
    words_of_label = column.label.split() if headed else []
    need = max((look.bold.width(word) for word in words_of_label), default=0.0)
    return max(need, *(widest(cells[column.key], look.text) for cells in rows if column.key in cells), 8.0)
