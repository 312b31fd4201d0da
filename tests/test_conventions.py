"""What a document says about its own way of writing dates and numbers."""

from __future__ import annotations

import pytest

from schemas.kinds import conventions


def test_one_unambiguous_date_decides_the_order_for_the_document():
    found = conventions(["Date 25/12/2018", "Due 03/04/2019"])
    assert found.day_first is True
    assert "25/12/2018" in found.why["day_first"]
    assert conventions(["Date 12/25/2018"]).day_first is False


def test_dates_that_contradict_each_other_decide_nothing():
    assert conventions(["25/12/2018", "12/25/2018"]).day_first is None


def test_the_order_follows_from_where_the_document_comes_from():
    american = conventions(
        ["Harbor Media Inc", "120 Main Street, Springfield, IL 62701", "Total $1,200.00", "03/04/2018"]
    )
    assert (american.country, american.currency, american.day_first) == ("US", "USD", False)
    german = conventions(["Nordlicht Werkzeuge GmbH", "Die Rechnung ist bis zum 03.04.2018 fällig", "Summe 1.200,00 €"])
    assert (german.language, german.currency, german.day_first) == ("de", "EUR", True)


def test_a_document_without_signs_has_no_conventions():
    found = conventions(["03/04/2018", "hello"])
    assert (found.day_first, found.decimal_mark, found.language, found.country, found.currency) == (None,) * 5


def test_numbers_that_merely_look_like_dates_decide_nothing():
    assert conventions(["2- 25/05/2018", "Tel 03-5121 3881", "30 5.29"]).day_first is True
    assert conventions(["item 30 5.29", "2 x 25.05"]).day_first is None


@pytest.mark.parametrize(
    ("lines", "mark"),
    [(["1.234,50", "12,00"], ","), (["1,234.50", "3.20"], "."), (["12,00", "12.00"], None), (["12,50", "8,30"], ",")],
)
def test_the_decimal_mark_is_read_from_amounts(lines, mark):
    assert conventions(lines).decimal_mark == mark


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("Thank you for your payment to the bank by cash", "en"),
        ("Bitte zahlen Sie die Rechnung bis zum Datum", "de"),
        ("La facture est à régler à la date de votre échéance par virement", "fr"),
        ("La fecha de la factura y el importe total con IVA", "es"),
        ("La fattura con la data di scadenza e il totale della IVA", "it"),
        ("Het bedrag van de factuur voor uw datum op de bank", "nl"),
    ],
)
def test_the_language_is_known_by_its_small_words(line, language):
    assert conventions([line]).language == language
