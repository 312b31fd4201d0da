"""The numbers on a row's line that multiply say what its cells are."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, ClassVar

import pytest
from pydantic import BaseModel

from docpipe.data import Box, Candidate, Evidence, Field, Page
from docpipe.decide.lists.line_numbers import number_readings, words_of_line
from docpipe.schema import Schema, load_schema
from docpipe.schema_ports import Conventions, Rule
from docpipe.schemas.kinds import Money, Quantity, Text
from docpipe.schemas.rules import RowProduct
from docpipe.text_search import PageIndex
from tests.support.decisions import decided_fields
from tests.support.pages import page_of

Proposal = tuple[str, str, float]
LEAVES = ("quantity", "unit_price", "amount", "tax_rate")


@pytest.fixture(scope="module")
def invoice() -> Schema:
    return load_schema("invoice")


def proposed(page: Page, line: int, row: int, *cells: Proposal) -> list[Candidate]:
    """Candidates of a row as (leaf, text, score), each at the first place of its words on the line, amounts at the last
    one."""
    words = [word for word in page.words if word.line == line]
    candidates = []
    for leaf, text, score in cells:
        parts = text.split()
        starts = [at for at in range(len(words)) if [w.text for w in words[at : at + len(parts)]] == parts]
        start = starts[-1 if leaf == "amount" else 0]
        box = words[start].box
        for word in words[start + 1 : start + len(parts)]:
            box = Box.union(box, word.box)
        evidence = (Evidence(page.number, box, text),)
        candidates.append(Candidate(f"line_items[{row}].{leaf}", text, score, evidence))
    return candidates


def rows(schema: Schema, lines: Sequence[str], *proposals: Sequence[Proposal], **options: float) -> dict[str, Field]:
    """What is decided for a table whose rows are the given lines; proposals row by row, from the second line on."""
    page = page_of(lines)
    candidates = [
        candidate
        for row, cells in enumerate(proposals)
        for candidate in proposed(page, row + 1, row, *cells)
    ]  # fmt: skip
    return decided_fields(schema, [page], candidates, **options)  # type: ignore[arg-type]


def values(fields: dict[str, Field], row: int = 0) -> list[object]:
    cells = [fields.get(f"line_items[{row}].{leaf}") for leaf in LEAVES]
    return [str(cell.value) if cell is not None else None for cell in cells]


@pytest.mark.parametrize(
    ("line", "first", "rest", "amount", "price"),
    [
        ("Parafuso sextavado 3 un 1 250,00 3 750,00", "1", "250,00", "3 750,00", "1250.00"),
        ("Vrtačka stojanová 12 ks 2 365,40 28 384,80", "2", "365,40", "28 384,80", "2365.40"),
        ("Wiertarka 1 szt 17 310,25 17 310,25", "17", "310,25", "17 310,25", "17310.25"),
    ],
)
def test_a_price_grouped_by_blanks_that_was_cut_is_whole_and_can_be_accepted(
    invoice: Schema, line: str, first: str, rest: str, amount: str, price: str
) -> None:
    quantity = next(word for word in line.split() if word.isdigit())
    cells = [
        ("quantity", quantity, 0.99), ("unit_price", first, 0.99), ("unit_price", rest, 0.9), ("amount", amount, 0.98),
    ]  # fmt: skip
    fields = rows(invoice, ["Total 17 310,25 EUR", line], cells, threshold=0.0)
    field = fields["line_items[0].unit_price"]
    assert field.value == Decimal(price)
    assert field.raw == f"{first} {rest}"
    assert [quote.text for quote in field.evidence] == [field.raw]
    assert field.accepted


def test_a_product_in_the_quantity_is_multiplied_when_the_row_says_so(invoice: Schema) -> None:
    cells = [
        ("quantity", "4", 0.95),
        ("quantity", "1,5", 0.4),
        ("unit_price", "20,00", 0.99),
        ("amount", "120,00", 0.9),
    ]
    fields = rows(invoice, ["Menge Preis Betrag", "Dachlatte 4 x 1,5 m 20,00 120,00"], cells)
    assert values(fields)[0] == "6.0"
    assert fields["line_items[0].quantity"].raw == "4 x 1,5"


def test_a_fraction_apart_from_its_number_is_a_part_of_the_quantity(invoice: Schema) -> None:
    cells = [("quantity", "3", 0.95), ("unit_price", "£60.00", 0.99), ("amount", "£210.00", 0.9)]
    fields = rows(invoice, ["Hours Rate Amount", "Survey 3 ½ hrs £60.00 £210.00"], cells)
    assert values(fields)[0] == "3.5"


def test_an_amount_with_its_minus_behind_is_taken_from_the_column_that_had_it_in_vain(invoice: Schema) -> None:
    refused = [("quantity", "4", 0.99), ("unit_price", "62,50", 0.9), ("tax_rate", "250,00-", 0.8)]
    moved = [
        ("quantity", "20", 0.99),
        ("amount", "1,75", 0.74),
        ("unit_price", "1,75", 0.1),
        ("tax_rate", "35,00-", 0.95),
    ]
    lines = ["Artikel Menge Preis Bedrag EUR", "Klem 4 st 62,50 250,00-", "Ring 20 st 1,75 35,00-"]
    fields = rows(invoice, lines, refused, moved, threshold=0.0)
    assert values(fields, 0) == ["4", "62.50", "-250.00", None]
    assert values(fields, 1) == ["20", "1.75", "-35.00", None]
    for path in ("line_items[0].amount", "line_items[1].amount", "line_items[1].unit_price"):
        assert not fields[path].accepted  # not the network's word
        assert fields[path].signals["product"] == 1.0
    assert fields["line_items[0].unit_price"].accepted
    assert "product" not in fields["line_items[0].unit_price"].signals


def test_numbers_that_stand_in_each_others_columns_change_places(invoice: Schema) -> None:
    sound = [("quantity", "2", 0.9), ("unit_price", "$45.00", 0.9), ("amount", "$90.00", 0.9)]
    mixed = [("unit_price", "3", 0.8), ("unit_price", "$200.00", 0.5), ("amount", "$600.00", 0.2)]
    lines = ["Product Qty Price Total", "Course 2 $45.00 $90.00", "Workshop 3 $200.00 $600.00"]
    assert values(rows(invoice, lines, sound, mixed), 1)[:3] == ["3", "200.00", "600.00"]


def test_two_readings_that_both_multiply_are_left(invoice: Schema) -> None:
    cells = [("quantity", "2", 0.8), ("quantity", "3", 0.7), ("amount", "6.00", 0.99)]
    fields = rows(invoice, ["Qty Item Total", "3 2 Sunrise 6.00"], cells)
    assert values(fields)[:3] == ["2", None, "6.00"]


def test_a_row_with_a_discount_keeps_its_values(invoice: Schema) -> None:
    cells = [("quantity", "2", 0.9), ("unit_price", "50,00", 0.9), ("amount", "90,00", 0.9)]
    fields = rows(invoice, ["Menge Preis Rabatt Betrag", "Zange 2 Stk 50,00 10 % 9 x 10,00 90,00"], cells)
    assert values(fields)[:3] == ["2", "50.00", "90.00"]


def test_a_row_whose_product_holds_is_not_touched(invoice: Schema) -> None:
    cells = [("quantity", "2", 0.6), ("unit_price", "365,40", 0.6), ("amount", "730,80", 0.6)]
    fields = rows(invoice, ["Qté Prix Montant", "Perceuse 2 365,40 730,80"], cells)
    assert values(fields)[:3] == ["2", "365.40", "730.80"]
    assert all("product" not in field.signals for field in fields.values())


def test_a_number_that_nobody_proposed_must_stand_in_its_column(invoice: Schema) -> None:
    sound = [("quantity", "2", 0.9), ("unit_price", "45,00", 0.9), ("amount", "90,00", 0.9)]
    lost = [("quantity", "4", 0.9), ("unit_price", "25,00", 0.9)]
    fields = rows(invoice, ["A B C D", "Zange 2 45,00 90,00", "Feile 4 25,00 100,00"], sound, lost, threshold=0.0)
    assert values(fields, 1)[:3] == ["4", "25.00", "100.00"]
    amount = fields["line_items[1].amount"]
    assert not amount.accepted and amount.signals["elsewhere"] == 1.0
    alone = rows(invoice, ["A B C D", "Feile 4 25,00 100,00"], lost)
    assert values(alone)[:3] == ["4", "25.00", None]


def test_numbers_that_another_cell_has_are_not_taken(invoice: Schema) -> None:
    cells = [("quantity", "2", 0.9), ("amount", "38,00", 0.9), ("tax_rate", "19", 0.9), ("unit_price", "2", 0.1)]
    fields = rows(invoice, ["Menge Satz Steuer", "Zange 2 19 38,00"], cells)
    assert values(fields) == ["2", None, "38.00", "19"]


def test_a_row_on_two_lines_of_print(invoice: Schema) -> None:
    page = page_of(["Item Total", "Bolzen 1 312,50", "5 x 262,50"])
    cells = [
        *proposed(page, 1, 0, ("amount", "1", 0.7), ("amount", "312,50", 0.6)),
        *proposed(page, 2, 0, ("quantity", "5", 0.9), ("unit_price", "262,50", 0.9)),
    ]
    assert values(decided_fields(invoice, [page], cells))[:3] == ["5", "262.50", "1312.50"]


class Shift(BaseModel):
    who: Annotated[str | None, Text()] = None
    hours: Annotated[Decimal | None, Quantity()] = None
    wage: Annotated[Decimal | None, Money()] = None
    pay: Annotated[Decimal | None, Money()] = None


class Payroll(BaseModel):
    line_items: list[Shift]
    rules: ClassVar[tuple[Rule, ...]] = (RowProduct("line_items[].hours", "line_items[].wage", "line_items[].pay"),)


def test_a_schema_of_ones_own_says_which_columns_multiply() -> None:
    cells = [("hours", "38", 0.9), ("wage", "1", 0.9), ("wage", "040,00", 0.8), ("pay", "39 520,00", 0.9)]
    fields = rows(load_schema(Payroll), ["Stunden Lohn", "Novak 38 h 1 040,00 39 520,00"], cells)
    assert fields["line_items[0].wage"].value == Decimal("1040.00")


def test_a_line_full_of_numbers_is_left(invoice: Schema) -> None:
    crowded = " ".join(str(number) for number in range(11, 40))
    cells = [("quantity", "12", 0.9), ("amount", "156", 0.9)]
    fields = rows(invoice, ["Table", f"{crowded} 156"], cells)
    assert values(fields)[:3] == ["12", None, "156"]


def test_the_readings_of_a_line_are_the_shortest_of_each_number() -> None:
    page = PageIndex(page_of(["Rohr 2 365,40 EUR 20 % 0,00 524,00 - m"]))
    kind, conventions = Money(), Conventions(decimal_mark=",")
    found = number_readings(page, words_of_line(page, 0), lambda text: kind.parse(text, conventions))
    assert {(reading.text, str(reading.number)) for reading in found} >= {
        ("2", "2"), ("365,40", "365.40"), ("2 365,40", "2365.40"), ("524,00", "524.00"),
    }  # fmt: skip
    assert not any(reading.number in {Decimal(0), Decimal(20)} or "EUR" in reading.text for reading in found)
