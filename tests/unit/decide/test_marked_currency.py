"""The currency that stands beside the amounts is found where the extractor says none, and speaks against another."""

from __future__ import annotations

import pytest

from docpipe.data import Field
from docpipe.schema import load_schema
from tests.support.decisions import decided

INVOICE = load_schema("invoice")
TOTALS = (("net_total", 0.99), ("gross_total", 0.99))


def currency(lines: list[str], *proposed: tuple[str, float], absent: float, threshold: float | None = None) -> Field:
    """The last two lines of a page are its net and gross total, whose numbers the extractor finds."""
    candidates = [
        (path, next(word for word in line.split() if any(map(str.isdigit, word))), score)
        for (path, score), line in zip(TOTALS, lines[-2:], strict=True)
    ]
    candidates += [("currency", text, score) for text, score in proposed]
    return decided(INVOICE, lines, *candidates, absent={"currency": absent}, threshold=threshold)["currency"]


@pytest.mark.parametrize(
    ("lines", "code", "raw"),
    [
        (["Nasi lemak 9.50", "Net 9.50", "Total RM 10.07"], "MYR", "RM"),
        (["Netto 90,00", "Razem 110,70 zł"], "PLN", "zł"),
        (["Neto 1.250 KWD", "Total KWD 1.375"], "KWD", "KWD"),
        (["Subtotal ¥8,000-", "Total ¥8,800-"], "JPY", "¥8,800-"),
        (["Köpenhamn, Sverige +46 8 555 010", "Netto 80,00 kr", "Summa 100,00 kr"], "SEK", "kr"),
    ],
)
def test_a_currency_beside_the_totals_that_was_not_found(lines: list[str], code: str, raw: str) -> None:
    found = currency(lines, absent=0.9996)
    assert (found.value, found.raw) == (code, raw)
    assert found.evidence[0].text == raw


def test_the_mark_may_stand_beside_the_same_amount_elsewhere() -> None:
    assert currency(["Visa 10.07 £", "Net 9.50", "Total 10.07"], absent=0.9).value == "GBP"
    assert currency(["Gift card 20.00 £", "Net 9.50", "Total 10.07"], absent=0.9).value is None


def test_it_is_never_accepted() -> None:
    found = currency(["Net 9.50 CHF", "Total 10.07 CHF"], absent=0.9, threshold=0.0)
    assert found.value == "CHF"
    assert not found.accepted


@pytest.mark.parametrize(
    "lines",
    [
        ["Netto 80,00 kr", "Summa 100,00 kr"],  # of which country?
        ["Net 80.00 USD", "Total 100.00 EUR"],
        ["We accept EUR and USD", "Net 80.00", "Total 100.00"],
        ["Apples 2 pounds", "Net 80.00", "Total 100.00"],
        ["Screws PEN 5", "Net 80.00", "Total 100.00"],  # letters that are a code, too, and mostly no currency
    ],
)
def test_nothing_is_found_where_the_marks_do_not_say_which(lines: list[str]) -> None:
    assert currency(lines, absent=0.9).value is None


def test_the_currency_of_a_converted_amount_gives_way_to_that_of_the_totals() -> None:
    lines = ["Drill USD 310.00", "Converted at 18.2000 ZAR 5,642.00", "Net USD 310.00", "Total USD 310.00"]
    found = currency(lines, ("ZAR", 0.62), ("USD", 0.3), absent=0.01, threshold=0.0)
    assert (found.value, found.accepted) == ("USD", False)
    assert [issue.code for issue in found.issues] == ["currency_differs"]


def test_a_sure_answer_that_the_totals_speak_against_is_doubtful() -> None:
    lines = ["Drill USD 310.00", "Converted at 18.2000 ZAR 5,642.00", "Net USD 310.00", "Total USD 310.00"]
    found = currency(lines, ("ZAR", 0.97), absent=0.01, threshold=0.0)
    assert (found.value, found.accepted) == ("ZAR", False)
    assert [issue.code for issue in found.issues] == ["currency_differs"]


@pytest.mark.parametrize(
    ("lines", "proposed"),
    [
        (["Drill USD 90.00", "Saw USD 12.00", "Bit USD 3.00", "Net EUR 95.00", "Total EUR 110.00"], "EUR"),
        (["All amounts in PKR", "Net Rs. 950", "Total Rs. 1,100"], "PKR"),  # rupees are of several countries
        (["Currency: GBP", "Net 95.00", "Total EUR 110.00"], "GBP"),  # one mark alone may be misread
    ],
)
def test_what_the_marks_do_not_speak_against_stays_as_it_was(lines: list[str], proposed: str) -> None:
    found = currency(lines, (proposed, 0.8), absent=0.1)
    assert (found.value, found.issues, "witness" in found.signals) == (proposed, (), False)


def test_the_totals_of_a_very_long_document_are_looked_at() -> None:
    rows = [f"Screw {number} USD 1.00 USD 2.00" for number in range(1100)]
    assert currency([*rows, "Net EUR 95.00", "Total EUR 110.00"], absent=0.9).value == "EUR"
