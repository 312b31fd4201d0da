"""Rows and cells that no model proposed, but that the lines of print and the sums show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from docpipe.data import Box, Candidate, Evidence, Field, Page, Word
from docpipe.decide.lists.missing_rows import MAX_LINES
from docpipe.extractors.captions import read_captions
from docpipe.schema import Schema, load_schema
from tests.support.decisions import decided_fields
from tests.support.pages import LETTER, LINE, line_of, page_of

INVOICE, RECEIPT = load_schema("invoice"), load_schema("receipt")
RIGHT_EDGE = 0.9
SURE = 0.95


def table_page(lines: Sequence[str]) -> Page:
    """`Milch 1 | 1,20`: what stands behind the bar ends at the right edge of the column of amounts."""
    words: list[Word] = []
    pitch = min(0.03, 0.9 / len(lines))
    for number, line in enumerate(lines):
        text, _, amount = (part.strip() for part in line.partition("|"))
        top = 0.05 + pitch * number
        words += line_of(text, number, top=top)
        if amount:
            box = Box(RIGHT_EDGE - LETTER * len(amount), top, RIGHT_EDGE, top + min(LINE, pitch))
            words.append(Word(amount, box, 0.98, "ocr", number))
    return Page(1, 1000, 1400, 120.0, None, tuple(words))


def decided(
    schema: Schema, lines: Sequence[str], proposed: Mapping[str, str], *, captions: bool = True
) -> dict[str, Field]:
    """The fields that have a value; `proposed` are sure, beside what captions find."""
    page = table_page(lines)
    candidates = [Candidate(path, text, SURE) for path, text in proposed.items()]
    found = [*candidates, *(read_captions([page], schema) if captions else ())]
    fields = decided_fields(schema, [page], found, threshold=0.01)
    return {path: field for path, field in fields.items() if field.raw is not None}


def rows(fields: Mapping[str, Field], list_path: str, column: str = "amount") -> list[str | None]:
    numbers = {path.partition("]")[0] for path in fields if path.startswith(f"{list_path}[")}
    values = (fields.get(f"{list_path}[{number}].{column}") for number in range(len(numbers)))
    return [str(field.value) if field is not None else None for field in values]


def codes(fields: Mapping[str, Field]) -> set[str]:
    return {issue.code for field in fields.values() for issue in field.issues}


COURSE = ["Désignation | Montant", "Cours de violon | 640,00", "Remise fidélité 5 % EUR | -32,00",
          "Inscription | 0,00", "Frais de port | 12,00"]  # fmt: skip
LESSON = {"line_items[0].description": "Cours de violon", "line_items[0].amount": "640,00"}


def test_a_discount_and_a_freight_line_in_the_table_are_rows_when_it_adds_up_with_them() -> None:
    lines = [*COURSE, "Total HT | 620,00", "TVA 20 % | 124,00", "Total TTC | 744,00"]
    totals = {"net_total": "620,00", "tax_total": "124,00", "gross_total": "744,00", "currency": "EUR"}
    fields = decided(INVOICE, lines, {**LESSON, **totals})
    assert rows(fields, "line_items") == ["640.00", "-32.00", "12.00"]
    assert rows(fields, "line_items", "description") == ["Cours de violon", "Remise fidélité 5 % EUR", "Frais de port"]
    added = [fields[f"line_items[{row}].{column}"] for row in (1, 2) for column in ("description", "amount")]
    assert all(field.evidence and not field.accepted for field in added)
    assert all([issue.code for issue in field.issues] == ["read_from_line"] for field in added)
    assert fields["net_total"].signals["rules_broken"] == 0.0


def test_where_the_sum_proves_nothing_no_row_is_added_and_the_lines_are_named() -> None:
    totals = {"net_total": "618,00", "tax_total": "123,60", "gross_total": "741,60"}
    lines = [*COURSE, "Total HT | 618,00", "TVA 20 % | 123,60", "Total TTC | 741,60"]
    fields = decided(INVOICE, lines, {**LESSON, **totals})
    assert rows(fields, "line_items") == ["640.00"]
    (issue,) = (issue for issue in fields["net_total"].issues if issue.code == "amounts_without_row")
    assert "'Remise fidélité 5 % EUR -32,00'" in issue.message and "'Frais de port 12,00'" in issue.message


TILL = ["Appelsap 1L | 1,80", "Statiegeld | 0,25", "Emballage retour | -2,75", "Volkoren brood | 2,60",
        "Korting brood | -0,30"]  # fmt: skip
BOUGHT = {"items[0].amount": "1,80", "items[1].amount": "0,25", "items[2].amount": "2,60"}


def test_returns_and_discounts_on_a_receipt_without_a_subtotal_are_rows_in_the_order_of_print() -> None:
    fields = decided(RECEIPT, [*TILL, "TE BETALEN | 1,60", "Contant | 5,00"], {**BOUGHT, "total": "1,60"})
    assert rows(fields, "items") == ["1.80", "0.25", "-2.75", "2.60", "-0.30"]
    assert fields["items[2].description"].raw == "Emballage retour"
    assert fields["discount"].value == Decimal("0.30"), "what the discount is in all, is still said"


def test_a_discount_between_the_rows_is_a_row_though_the_total_knows_of_it_as_a_field() -> None:
    lines = ["Kahvi | 3,40", "Alennus | -0,40", "Pulla | 2,20", "YHTEENSÄ | 5,20"]
    proposed = {"items[0].amount": "3,40", "items[1].amount": "2,20", "total": "5,20"}
    assert rows(decided(RECEIPT, lines, proposed), "items") == ["3.40", "-0.40", "2.20"]


def test_a_row_that_lacks_its_amount_takes_that_of_its_line() -> None:
    lines = ["Zange 2 Stk | 18,40", "Säge 1 Stk | 23,10", "Feile 3 Stk | 9,90", "Summe | 51,40"]
    proposed = {"line_items[0].amount": "18,40", "line_items[1].description": "Säge", "line_items[2].amount": "9,90"}
    fields = decided(INVOICE, lines, {**proposed, "net_total": "51,40"})
    assert rows(fields, "line_items") == ["18.40", "23.10", "9.90"]


def test_subtotals_between_the_rows_are_none() -> None:
    lines = ["Parafuso | 11,00", "Broca | 6,50", "Transporte | 17,50", "Serra | 40,00", "Frete | 8,20", "Total | 65,70"]
    proposed = {"line_items[0].amount": "11,00", "line_items[1].amount": "6,50", "line_items[2].amount": "40,00"}
    fields = decided(INVOICE, lines, {**proposed, "net_total": "65,70"}, captions=False)
    assert rows(fields, "line_items") == ["11.00", "6.50", "40.00", "8.20"]


def test_a_discount_under_the_sum_of_the_rows_is_no_row() -> None:
    lines = ["Ahşap masa | 90,00", "Sandalye | 60,00", "Ara | 150,00", "Özel fiyat | -15,00", "Tutar | 135,00"]
    proposed = {"line_items[0].amount": "90,00", "line_items[1].amount": "60,00", "net_total": "135,00"}
    assert rows(decided(INVOICE, lines, proposed), "line_items") == ["90.00", "60.00"]


@pytest.mark.parametrize(
    "below",
    [["Service 10% | 1.50", "Total | 16.50"], ["Paid | -15.00", "Amount | 15.00"]],
)
def test_what_stands_under_the_rows_may_be_a_tax_or_a_payment(below: list[str]) -> None:
    lines = ["Soup | 6.00", "Stew | 9.00", *below]
    proposed = {"items[0].amount": "6.00", "items[1].amount": "9.00", "total": below[-1].split("| ")[1]}
    assert rows(decided(RECEIPT, lines, proposed), "items") == ["6.00", "9.00"]


def test_a_total_that_was_taken_for_a_row_ends_the_table() -> None:
    lines = ["Tee | 2,95", "Honig | 4,65", "SUMME EUR | 7,60", "BAR EUR | -7,60", "Beleg | 7,60"]
    page = table_page(lines)
    receipt_total = page.words[-1]
    quote = Evidence(1, receipt_total.box, receipt_total.text)
    amounts = [Candidate(f"items[{row}].amount", lines[row].split("| ")[1], SURE) for row in range(3)]
    fields = decided_fields(RECEIPT, [page], [*amounts, Candidate("total", "7,60", SURE, (quote,))])
    assert rows({path: field for path, field in fields.items() if field.raw}, "items") == ["2.95", "4.65", "7.60"]


def test_an_amount_that_the_sum_would_not_miss_is_no_row() -> None:
    lines = ["Bon d'achat | 100,00", "Frais | 0,01", "Total | 100,02"]
    proposed = {"line_items[0].amount": "100,00", "net_total": "100,02"}
    assert rows(decided(INVOICE, lines, proposed), "line_items") == ["100.00"]


def test_lines_of_which_several_choices_add_up_are_no_rows() -> None:
    lines = ["Guma | 30,00", "Klej | 5,00", "Farba | 7,00", "Lakier | 7,00", "Suma | 42,00"]
    proposed = {"line_items[0].amount": "30,00", "net_total": "42,00"}
    assert rows(decided(INVOICE, lines, proposed), "line_items") == ["30.00"]


@pytest.mark.parametrize(("count", "added"), [(MAX_LINES, MAX_LINES), (MAX_LINES + 1, 0)])
def test_of_too_many_lines_none_is_a_row(count: int, added: int) -> None:
    amounts = [Decimal(110 + number) / 100 for number in range(count)]
    total = str(100 + sum(amounts)).replace(".", ",")
    extra = [
        f"Artikel {chr(97 + number % 26)} | {str(amount).replace('.', ',')}" for number, amount in enumerate(amounts)
    ]
    lines = ["Anfang | 100,00", *(line if line[-3] == "," else f"{line}0" for line in extra), f"Netto | {total}"]
    fields = decided(INVOICE, lines, {"line_items[0].amount": "100,00", "net_total": total}, captions=False)
    assert len(rows(fields, "line_items")) == 1 + added


NAMED = ["Artikelnamn | Belopp", "1 Skruvdragare S18 | 1290,00", "2 Spik lång | 45,00", "Netto | 1335,00"]
SPIKES = {"line_items[1].description": "Spik lång", "line_items[1].amount": "45,00", "net_total": "1335,00"}


def test_a_row_without_a_description_takes_the_words_left_of_its_numbers() -> None:
    fields = decided(INVOICE, NAMED, {**SPIKES, "line_items[0].amount": "1290,00"})
    description = fields["line_items[0].description"]
    assert (description.raw, description.accepted) == ("Skruvdragare S18", False)
    assert [quote.text for quote in description.evidence] == ["Skruvdragare S18"]
    assert [issue.code for issue in description.issues] == ["read_from_line"]


def test_words_of_another_field_and_words_under_a_total_name_no_row() -> None:
    named = decided(INVOICE, NAMED, {**SPIKES, "line_items[0].amount": "1290,00", "buyer_name": "Skruvdragare S18"})
    assert "line_items[0].description" not in named
    lines = [*NAMED[1:], "Betalt kort | 400,00"]
    below = decided(INVOICE, lines, {**SPIKES, "line_items[0].amount": "1290,00", "line_items[2].amount": "400,00"})
    assert "line_items[2].description" not in below


def test_a_row_that_captions_alone_found_is_decided_and_not_accepted() -> None:
    page = page_of(["Teppich 120,00", "Zwischensumme 120,00", "Rabatt 10 % -12,00", "Gesamt 108,00"])
    proposed = [Candidate("line_items[0].amount", "120,00", 0.95), Candidate("net_total", "108,00", 0.95)]
    fields = decided_fields(INVOICE, [page], [*proposed, *read_captions([page], INVOICE)], threshold=0.5)
    discount = fields["allowances_and_charges[0].amount"]
    assert (discount.value, discount.accepted) == (Decimal("-12.00"), False)
