"""What a document says about its own way of writing dates and numbers."""

from __future__ import annotations

import pytest

from docpipe.schemas.kinds import conventions
from docpipe.schemas.territories import day_first_in, day_first_of_currency


def test_one_unambiguous_date_decides_the_order_for_the_document():
    read = conventions(["Date 25/12/2018", "Due 03/04/2019"])
    assert read.day_first is True
    assert "25/12/2018" in read.reasons["day_first"]
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
    read = conventions(["03/04/2018", "hello"])
    assert (read.day_first, read.decimal_mark, read.language, read.country, read.currency) == (None,) * 5


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


@pytest.mark.parametrize(
    ("lines", "day_first"),
    [
        (["Boston, Ma 02114"], False),
        (["Coeur d'Alene,Idaho83814"], False),
        (["CALIFORNIA 19210"], False),
        (["800 CANAL ST, NEW ORLEANS. LA"], False),
        (["Tel (212) 555-0142"], False),
        (["+1 212 555 0142"], False),
        (["sales tax 8.875% 1.20"], False),
        (["NOVEMBER 13, 2010 4:03 PM"], False),
        (["TIN#200-741-954-303", "12% VAT Included", "www.example.com.ph"], False),
        (["SINGAPORE 117867"], True),
        (["12 High Road, Dublin, ireland"], True),
        (["Tel: +44 20 7946 0018"], True),
        (["+971 4 339 9789"], True),
        (["tax invoice"], True),
        (["Tax Invaice", "ABN: 83 600 128 739"], True),
        (["VAT:508 037 563"], True),
        (["GST NO:-30ABNPS1185Q1Z2"], True),
        (["AED 12.00"], True),
        (["£4.50"], True),
        (["Rs. 245.00"], True),
        (["A$ 12.00"], True),
        (["Moms 25% 12,00", "ORG. NR 893 336 702 MVA"], True),
        (["kontakt@laden.de"], True),
        (["shop@example.co.uk"], True),
    ],
)
def test_one_sign_of_the_place_decides_when_nothing_speaks_against_it(lines, day_first):
    read = conventions([*lines, "03/04/2018"])
    assert read.day_first is day_first
    assert read.reasons["day_first"]


@pytest.mark.parametrize(
    "lines",
    [
        ["Total $17.40"],
        ["Thank you for your visit to the shop"],
        ["VANCOUVER, BC V6H1L1", "INTERAC", "$85.58"],
        ["Customer ID 12345", "OR 12345"],
        ["Singapore noodles 8.50", "Made in Italy", "Roast Turkey"],
        ["PORTCITY CALIFORNIA 19210", "Incl. VAT (20%)"],
        ["$12.00", "1-800-555-0199"],
    ],
)
def test_signs_that_say_nothing_or_contradict_each_other_decide_nothing(lines):
    read = conventions([*lines, "03/04/2018"])
    assert read.day_first is None
    assert "day_first" not in read.reasons


def test_clearly_more_signs_outweigh_a_single_one():
    british = ["VAT: 508 037 563", "+44 20 7946 0018", "£4.50", "Bill to: Harbor Inc, Springfield, IL 62701"]
    assert conventions(british).day_first is True


def test_the_name_of_a_weekday_decides_the_order_of_the_date_beside_it():
    read = conventions(["CALIFORNIA 19210", "Mon 03/07/2017 10:45AM"])
    assert read.day_first is True
    assert "03/07/2017" in read.reasons["day_first"]
    assert conventions(["Dienstag 03/07/2017"]).day_first is False
    assert conventions(["Friday 03/07/2017"]).day_first is None


def test_the_order_of_a_place_is_that_of_cldr():
    assert [day_first_in(country) for country in ("US", "PH", "GB", "DE", "MY", "SE", "CA", "JP")] == [
        False, False, True, True, True, True, None, None,
    ]  # fmt: skip
    assert [day_first_of_currency(code) for code in ("MYR", "EUR", "USD", "CAD")] == [True, True, None, None]


def test_amounts_without_cents_show_that_their_mark_groups():
    assert conventions(["Nasi 6.500", "Ayam 12.000", "Total 18.500"]).decimal_mark == ","
    assert conventions(["6,500", "12,000", "18,500"]).decimal_mark == "."
    assert conventions(["6.500"]).decimal_mark is None
    assert conventions(["6.513", "12.241", "18.754"]).decimal_mark is None
    assert conventions(["KWD 6.500", "KWD 12.000", "KWD 18.500"]).decimal_mark is None
    assert conventions(["¥2.417", "¥35.880.120", "¥1.006.025"]).decimal_mark == ","


def test_one_number_that_looks_like_cents_does_not_outvote_amounts_in_thousands():
    assert conventions(["Nasi 6.500", "Ayam 12.000", "v 1.50", "Total 18.500"]).decimal_mark == ","
    assert conventions(["1,726 x", "2.589", "72.500", "264.000", "v 1.50", "757.089"]).decimal_mark is None
    assert conventions(["Diesel 1.459", "40.00 l", "58.36", "Total 58.36"]).decimal_mark == "."


@pytest.mark.parametrize(
    "lines",
    [
        ["120.000 JD", "45.000 JD", "165.000 JD"],
        ["DT 120,000", "DT 45,000", "DT 165,000"],
        ["Mecca Street 8, Amman", "120.000", "45.000", "165.000"],
        ["Tel. +216 71 555 010", "120,000", "45,000", "165,000"],
        ["Block 4, Kuwait", "120.000", "45.000", "165.000"],
    ],
)
def test_where_prices_have_three_decimals_round_ones_show_no_grouping(lines):
    assert conventions(lines).decimal_mark is None


@pytest.mark.parametrize(
    ("line", "currency"),
    [
        ("Total KD 3.450", "KWD"), ("BD 1,207.500", "BHD"), ("412.000 JD", "JOD"), ("66,125 DT", "TND"),
        ("R.O. 18.250", "OMR"), ("S/ 38.90", "PEN"), ("S/. 1,038.90", "PEN"),
        ("2.750,00 TL", "TRY"), ("412,50 lei", "RON"), ("38,90 KM", "BAM"), ("Fr. 38.90", "CHF"),
        ("RO 14.50", None), ("CUI RO 14.399.840", None), ("S/N 38.90", None), ("BD 25.00", None), ("c/S/ 38.90", None),
    ],
)  # fmt: skip
def test_letters_mark_a_currency_beside_an_amount_with_its_decimals(line, currency):
    assert conventions([line]).currency == currency


def test_the_country_says_whose_pesos_a_dollar_sign_means():
    assert conventions(["Ferretería Sur, Santiago, Chile", "$ 8.990"]).currency == "CLP"
