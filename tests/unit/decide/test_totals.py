"""Totals that the page's own arithmetic settles: net and gross exchanged, a gross that is printed nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from docpipe.data import Candidate, Field
from docpipe.schema import Schema, load_schema
from tests.support.decisions import decided, decided_fields
from tests.support.pages import page_of

SURE = 0.999
THRESHOLD = 0.0  # everything that may be accepted is


@pytest.fixture(scope="module")
def invoice() -> Schema:
    return load_schema("invoice")


def chosen(fields: dict[str, Field]) -> dict[str, str]:
    paths = ("net_total", "tax_total", "gross_total", "amount_due")
    return {path: str(fields[path].value) for path in paths if path in fields and fields[path].value is not None}


def codes(field: Field) -> list[str]:
    return [issue.code for issue in field.issues]


INCLUSIVE = ["Totaal incl. btw 484,00", "waarvan btw 21% 84,00", "Totaal excl. btw 400,00"]
EXCHANGED = [("net_total", "484,00", SURE), ("gross_total", "400,00", SURE), ("amount_due", "400,00", SURE)]
TAX = ("tax_total", "84,00", SURE)


def test_net_and_gross_that_are_exchanged_change_places_with_all_that_is_taken_from_them(invoice: Schema) -> None:
    fields = decided(invoice, INCLUSIVE, *EXCHANGED, TAX, threshold=THRESHOLD)
    assert chosen(fields) == {
        "net_total": "400.00",
        "tax_total": "84.00",
        "gross_total": "484.00",
        "amount_due": "484.00",
    }
    assert [quote.text for quote in fields["gross_total"].evidence] == ["484,00"]


def test_what_changed_places_is_told_and_not_accepted(invoice: Schema) -> None:
    fields = decided(invoice, INCLUSIVE, *EXCHANGED, TAX, threshold=THRESHOLD)
    changed = [fields[path] for path in ("net_total", "gross_total", "amount_due")]
    assert not any(field.accepted for field in changed)
    assert [codes(field) for field in changed] == [["settled_by_sum"]] * 3
    assert "400.00 + 84.00 = 484.00" in changed[0].issues[0].message
    assert (fields["tax_total"].accepted, fields["tax_total"].issues) == (True, ())


def test_an_amount_due_of_its_own_stays(invoice: Schema) -> None:
    candidates = [*EXCHANGED[:2], ("amount_due", "484,00", SURE), TAX]
    fields = decided(invoice, [*INCLUSIVE, "Te betalen 484,00"], *candidates)
    assert chosen(fields)["amount_due"] == "484.00"
    assert codes(fields["amount_due"]) == []


def test_a_tax_that_no_one_proposed_is_found_where_its_rate_is_printed(invoice: Schema) -> None:
    lines = ["Suma brutto 1 230,00", "w tym VAT 23% 230,00", "Suma netto 1 000,00"]
    fields = decided(invoice, lines, ("net_total", "1 230,00", SURE), ("gross_total", "1 000,00", SURE))
    assert chosen(fields) == {"net_total": "1000.00", "tax_total": "230.00", "gross_total": "1230.00"}
    for rate in ("5%", "30%"):
        other = [lines[0], f"w tym VAT {rate} 230,00", lines[2]]
        fields = decided(invoice, other, ("net_total", "1 230,00", SURE), ("gross_total", "1 000,00", SURE))
        assert "tax_total" not in chosen(fields)


def test_the_taxes_of_two_rates_count_together(invoice: Schema) -> None:
    lines = ["Brutto 215,50", "MwSt. 7 % 6,50", "MwSt. 10 % 9,00", "Netto 200,00"]
    rows = [
        (f"tax_breakdown[{row}].{column}", text, SURE)
        for row, texts in enumerate([("7", "6,50"), ("10", "9,00")])
        for column, text in zip(("rate", "tax"), texts, strict=True)
    ]
    candidates = [("net_total", "215,50", SURE), ("gross_total", "200,00", SURE), *rows]
    assert chosen(decided(invoice, lines, *candidates)) == {"net_total": "200.00", "gross_total": "215.50"}


def test_a_credit_note_is_settled_with_its_signs(invoice: Schema) -> None:
    lines = ["Total TTC -120,00", "dont TVA 20 % -20,00", "Total HT -100,00"]
    candidates = [("net_total", "-120,00", SURE), ("gross_total", "-100,00", SURE), ("tax_total", "-20,00", SURE)]
    fields = decided(invoice, lines, *candidates)
    assert chosen(fields) == {"net_total": "-100.00", "tax_total": "-20.00", "gross_total": "-120.00"}


@pytest.mark.parametrize(
    ("lines", "candidates"),
    [
        # nothing is broken
        (["Net 400.00", "VAT 84.00", "Total 484.00"], [("net_total", "400.00"), ("tax_total", "84.00"),
                                                        ("gross_total", "484.00")]),
        # the sum of a row is printed, too, but no one took its amounts for totals
        (["Bolt 50.00 10.00 60.00", "Net 300.00", "VAT 20% 70.00", "Total 360.00"],
         [("net_total", "300.00"), ("tax_total", "70.00"), ("gross_total", "360.00")]),
        # the gross that would do is printed, but no one took it for a total
        (["Net 300.00", "VAT 20% 60.00", "Total 340.00", "Limit 360.00"],
         [("net_total", "300.00"), ("tax_total", "60.00"), ("gross_total", "340.00")]),
        # the tax would be more than any rate of the page
        (["Total 400.00", "VAT 5% 84.00", "Total 484.00"],
         [("net_total", "484.00"), ("tax_total", "84.00"), ("gross_total", "400.00")]),
    ],
)  # fmt: skip
def test_what_is_not_proven_stays(invoice: Schema, lines: Sequence[str], candidates: Sequence[tuple[str, str]]) -> None:
    fields = decided(invoice, lines, *[(path, text, SURE) for path, text in candidates])
    assert chosen(fields) == dict(candidates)


# -- one total that was taken for the net and the gross ---------------------------------------------------------------

BOTH = [("net_total", "59,50", SURE), ("gross_total", "59,50", SURE)]


@pytest.mark.parametrize("tax", ["tax_total", "tax_breakdown[0].tax"])
def test_a_total_that_holds_its_tax_is_no_net(invoice: Schema, tax: str) -> None:
    lines = ["Gesamtbetrag 59,50", "darin 19 % MwSt. 9,50"]
    fields = decided(invoice, lines, *BOTH, (tax, "9,50", SURE), threshold=THRESHOLD)
    assert chosen(fields).get("gross_total") == "59.50"
    assert "net_total" not in chosen(fields)
    assert codes(fields["net_total"]) == ["net_not_printed"]
    assert fields["gross_total"].accepted


def test_the_net_is_taken_where_it_is_printed(invoice: Schema) -> None:
    lines = ["Gesamtbetrag 59,50", "darin 19 % MwSt. 9,50", "ohne MwSt. 50,00"]
    fields = decided(invoice, lines, *BOTH, ("tax_total", "9,50", SURE), threshold=THRESHOLD)
    assert chosen(fields) == {"net_total": "50.00", "tax_total": "9.50", "gross_total": "59.50"}
    assert not fields["net_total"].accepted


def test_amounts_so_small_that_the_tax_may_be_in_it_or_on_top_stay(invoice: Schema) -> None:
    lines = ["Summe 0,50", "19 % MwSt. 0,08"]
    candidates = [("net_total", "0,50", SURE), ("gross_total", "0,50", SURE), ("tax_total", "0,08", SURE)]
    assert chosen(decided(invoice, lines, *candidates))["net_total"] == "0.50"


@pytest.mark.parametrize("tax", ["11,31", "7,00"])
def test_a_tax_that_is_not_within_the_total_leaves_the_broken_sum(invoice: Schema, tax: str) -> None:
    lines = ["Summe 59,50", f"19 % MwSt. {tax}"]
    fields = decided(invoice, lines, *BOTH, ("tax_total", tax, SURE))
    assert chosen(fields)["net_total"] == "59.50"


# -- a gross that is printed nowhere ----------------------------------------------------------------------------------


def with_captions(
    invoice: Schema, lines: Sequence[str], captioned: dict[str, str], *proposed: tuple[str, str, float]
) -> dict[str, Field]:
    found = [Candidate(path, text, 0.6, signals={"caption": 1.0}) for path, text in captioned.items()]
    candidates = [Candidate(path, text, score) for path, text, score in proposed]
    absent = dict.fromkeys(captioned, 0.4)
    return decided_fields(invoice, [page_of(lines)], [*candidates, *found], absent, THRESHOLD)


WITHHELD = ["Imponibile 900,00", "IVA 22 % 198,00", "Ritenuta d'acconto 20 % -180,00", "Netto a pagare 918,00"]
TAKEN = [("net_total", "900,00", SURE), ("gross_total", "918,00", SURE), ("amount_due", "918,00", SURE)]


def test_what_is_due_after_a_withholding_is_not_the_gross(invoice: Schema) -> None:
    fields = with_captions(invoice, WITHHELD, {"withholding_amount": "-180,00"}, *TAKEN, ("tax_total", "198,00", SURE))
    assert chosen(fields) == {"net_total": "900.00", "tax_total": "198.00", "amount_due": "918.00"}
    assert fields["withholding_amount"].value == Decimal("180.00")
    assert not fields["withholding_amount"].accepted
    assert codes(fields["gross_total"]) == ["gross_not_printed"]
    assert "1098.00" in fields["gross_total"].issues[0].message


def test_nor_is_it_where_no_rule_is_broken_because_the_tax_was_left_open(invoice: Schema) -> None:
    rows = [("tax_breakdown[0].rate", "22", SURE), ("tax_breakdown[0].tax", "198,00", SURE)]
    fields = with_captions(invoice, WITHHELD, {"withholding_amount": "-180,00"}, *TAKEN, *rows)
    assert chosen(fields) == {"net_total": "900.00", "tax_total": "198.00", "amount_due": "918.00"}
    assert not fields["tax_total"].accepted


@pytest.mark.parametrize("printed", ["1.098,00", "1098", "1 098,00 €"])
def test_a_gross_that_is_printed_is_never_left_out(invoice: Schema, printed: str) -> None:
    lines = [*WITHHELD[:2], f"Totale fattura {printed}", *WITHHELD[2:]]
    fields = with_captions(invoice, lines, {"withholding_amount": "-180,00"}, *TAKEN, ("tax_total", "198,00", SURE))
    assert "gross_not_printed" not in codes(fields["gross_total"])


def test_what_was_paid_before_is_no_part_of_the_gross_either(invoice: Schema) -> None:
    lines = ["Nettobetrag 500,00", "19 % USt. 95,00", "Anzahlung -250,00", "Restbetrag 345,00"]
    totals = [("net_total", "500,00", SURE), ("tax_total", "95,00", SURE), ("amount_due", "345,00", SURE)]
    open_gross = [("gross_total", "-250,00", 0.9), ("gross_total", "345,00", 0.05)]
    candidates = [*totals, *open_gross, ("prepaid_amount", "-250,00", 0.6)]
    fields = decided(invoice, lines, *candidates, absent={"prepaid_amount": 0.4})
    assert chosen(fields) == {"net_total": "500.00", "tax_total": "95.00", "amount_due": "345.00"}
    assert fields["prepaid_amount"].value == Decimal("250.00")


def test_a_difference_that_nothing_explains_stays_a_broken_sum(invoice: Schema) -> None:
    lines = ["Nettobetrag 500,00", "19 % USt. 95,00", "Zu zahlen 345,00"]
    candidates = [("net_total", "500,00", SURE), ("tax_total", "95,00", SURE), ("gross_total", "345,00", SURE),
                  ("amount_due", "345,00", SURE)]  # fmt: skip
    assert chosen(decided(invoice, lines, *candidates))["gross_total"] == "345.00"


# -- rows of the tax table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "line", "cells"),
    [
        ("withholding_amount", "Retenção na fonte 25 % -180,00", {"rate": "25", "tax": "-180,00"}),
        ("withholding_amount", "Retenção na fonte 25 % -180,00", {"rate": "25"}),
        ("allowances_and_charges[0].amount", "Desconto 25 % -180,00", {"rate": "25", "tax": "-180,00"}),
    ],
)
def test_an_amount_behind_another_fields_caption_is_no_row_of_the_tax_table(
    invoice: Schema, caption: str, line: str, cells: dict[str, str]
) -> None:
    rows = [("tax_breakdown[0].rate", "23", SURE), ("tax_breakdown[0].tax", "207,00", SURE)]
    false = [(f"tax_breakdown[1].{column}", text, SURE) for column, text in cells.items()]
    fields = with_captions(invoice, ["Base 900,00", "IVA 23 % 207,00", line], {caption: "-180,00"}, *rows, *false)
    assert fields["tax_breakdown[0].tax"].value == Decimal("207.00")
    assert not any(path.startswith("tax_breakdown[1]") for path in fields)
    issue = next(issue for issue in fields[caption].issues if issue.code == "not_a_tax_row")
    assert "25" in issue.message
