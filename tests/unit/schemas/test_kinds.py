"""How printed texts become values: amounts, dates, codes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from docpipe.schema_ports import Conventions
from docpipe.schemas.kinds import (
    Address,
    Boolean,
    Choice,
    ClockTime,
    Currency,
    Deduction,
    Iban,
    Identifier,
    Integer,
    InvoiceType,
    IsoDate,
    Money,
    Name,
    Phone,
    Quantity,
    Rate,
    Text,
    Unit,
    VatId,
)
from docpipe.schemas.ocr_repairs import repair_date, repair_number

SILENT = Conventions()
"""A document that says nothing about itself."""


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234\u202f567,89", "1234567.89"),
        ("1,23,456.78", "123456.78"),
        ("RM 47.30", "47.30"),
        ("EUR 12.50 net", "12.50"),
        ("12,-", "12"),
        ("€ 1.234,-", "1234"),
        ("CHF 12.–", "12"),
        (".50", "0.50"),
        ("0.125", "0.125"),
        ("1.234.567", "1234567"),
        ("$1,234", "1234"),
        ("19% 12.50", "12.50"),
        ("10.60S", "10.60"),
    ],
)
def test_an_amount_is_read_as_printed_in_any_country(printed, value):
    parsed = Money().parse(printed, SILENT)
    assert (parsed.value, parsed.issue) == (Decimal(value), None)


@pytest.mark.parametrize(
    "printed", ["(12.50)", "12.50-", "-12,50 €", "−12.50", "-$12.50", "$-12.50", "(RM 12.50)", "12.50 EUR-"]
)
def test_a_minus_is_seen_wherever_it_is_printed(printed):
    assert Money().parse(printed, SILENT).value == Decimal("-12.50")


@pytest.mark.parametrize("printed", ["Total - 12.50", "INV-12.50"])
def test_a_dash_that_joins_words_is_no_minus(printed):
    assert Money().parse(printed, SILENT).value == Decimal("12.50")


def test_the_document_decides_what_the_mark_in_1_234_means():
    assert Money().parse("1.234", Conventions(decimal_mark=",")).value == 1234
    assert Money().parse("1.234", Conventions(decimal_mark=".")).value == Decimal("1.234")
    assert Money().parse("1,234", Conventions(decimal_mark=".")).value == 1234


def test_an_undecided_mark_is_reported_and_read_as_thousands_in_amounts_and_as_decimals_in_quantities():
    assert Money().parse("1.234", SILENT).issue == "decimal_mark_unknown"
    assert Money().parse("1.234", SILENT).value == 1234
    assert Quantity().parse("1.234 kg", SILENT).issue == "decimal_mark_unknown"
    assert Quantity().parse("1.234 kg", SILENT).value == Decimal("1.234")


@pytest.mark.parametrize("conventions", [Conventions(currency=code) for code in ("IDR", "VND", "CLP", "JPY", "HUF")])
def test_in_a_currency_without_cents_the_mark_groups(conventions):
    for printed in ("6.500", "6,500"):
        assert (Money().parse(printed, conventions).value, Money().parse(printed, conventions).issue) == (6500, None)
    assert Money().parse("6.50", conventions).value == Decimal("6.50")
    assert Quantity().parse("6.500", conventions).issue == "decimal_mark_unknown"


def test_the_currency_of_the_country_counts_where_none_is_printed():
    assert Money().parse("6.500", Conventions(country="ID")).issue is None
    assert Money().parse("6.500", Conventions(country="ID", currency="USD")).issue == "decimal_mark_unknown"
    assert Money().parse("6.500", Conventions(country="SE")).issue == "decimal_mark_unknown"


@pytest.mark.parametrize(
    ("printed", "meant"),
    [("Rs.500.00", "500.00"), ("Fr.12.50", "12.50"), ("Rp.17.820.000", "17820000"), ("RM.50", "0.50"), (".50", "0.50")],
)
def test_the_point_of_an_abbreviated_currency_is_no_decimal_point(printed, meant):
    assert Money().parse(printed, SILENT).value == Decimal(meant)


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        ("kg", "kg"), ("EUR/kg", "kg"), ("¥/mes", "mes"), ("0,1829/pz", "pz"), ("25,416boîte", "boîte"),
        ("160,00 €/h", "h"), ("km/h", "km/h"), ("10 Stk.", "Stk."), ("m²", "m²"), ("100", "100"),
        ("Euro/Std.", "Std."), ("PCS/BOX", "PCS/BOX"),
    ],
)  # fmt: skip
def test_a_unit_is_told_from_the_price_or_the_number_that_it_is_printed_with(printed, unit):
    assert Unit().parse(printed, SILENT).value == unit


@pytest.mark.parametrize("printed", ["250:00", "1.250,00", "-12.50", "0,50-"])
def test_an_amount_alone_is_no_unit(printed):
    parsed = Unit().parse(printed, SILENT)
    assert (parsed.value, parsed.issue) == (None, "not_a_unit")


def test_an_amount_that_is_taken_off_has_no_sign():
    assert Deduction().parse("-50,00", SILENT).value == Decimal("50.00")
    assert Deduction().parse("50,00", SILENT).value == Decimal("50.00")
    assert Deduction().same(Decimal("-50"), Decimal(50))
    assert Deduction().parse("none", SILENT).issue == "not_a_number"


@pytest.mark.parametrize(
    ("printed", "repaired"),
    [
        ("8O.9O", "80.90"),
        ("£34O.OO", "£340.00"),
        ("1,2OO.OO", "1,200.00"),
        ("l2.50", "12.50"),
        ("29. 16", "29.16"),
        ("29 .16", "29.16"),
        ("1, 234.50", "1,234.50"),
        ("1.234.50", "1234.50"),
        ("RM 8O", "RM 80"),
        ("RM5:00", "RM5.00"),
    ],
)
def test_a_slip_of_the_ocr_is_repaired_and_reported_at_low_severity(printed, repaired):
    assert repair_number(printed) == repaired
    parsed = Money().parse(printed, SILENT)
    assert (parsed.issue, parsed.severity) == ("ocr_repaired", "info")
    assert parsed.value == Money().parse(repaired, SILENT).value


@pytest.mark.parametrize("printed", ["5l", "10.60S", "1. 50.00", "SOLD 12.50", "B12", "12.03.2018", "Box 12"])
def test_what_could_be_something_else_is_not_repaired(printed):
    assert repair_number(printed) == printed


def test_two_numbers_in_one_text_are_not_guessed_between():
    assert Money().parse("2 x 5.00", SILENT).issue == "several_numbers"
    assert Money().parse("2 x 5.00", SILENT).value is None
    assert Money().parse("2 100.00", SILENT).issue == "several_numbers"
    assert Money().parse("5.00 5.00", SILENT).value == 5


def test_a_date_or_a_word_is_no_amount():
    assert Money().parse("12.03.2018", SILENT).issue == "not_a_number"
    assert Money().parse("total", SILENT).issue == "not_a_number"


def test_rates_and_integers_take_their_own_number():
    assert Rate().parse("MwSt. 19,00 % von 100,00", SILENT).value == 19
    assert Integer().parse("12 pcs", SILENT).value == 12
    assert Integer().parse("1.5", SILENT).issue == "not_an_integer"


@pytest.mark.parametrize(
    "printed",
    [
        "2018-03-27", "20180327", "27032018", "27/03/2018", "27.3.18", "27-03-2018", "27 03 2018", "03/27/2018",
        "2018/03/27", "27 / 03 / 2018", "27-Mar-2018", "27MAR2018", "Mar 27, 2018", "March 27th, 2018",
        "Tuesday,March27th2018",
        "27. März 2018", "27. Maerz 2018", "le 27 mars 2018", "27 de marzo de 2018", "27 marzo 2018", "27 maart 2018",
        "27 mrt. 2018", "Mar/27/2018", "MAR27'18", "2018 Mar 27", "Tue 27 Mar 2018 10:35", "27/03/18 10:35",
        "27.03.18-10:35", "2018-03-27T10:35:00", "Date: 27.03.2018",
    ],
)  # fmt: skip
def test_a_date_that_can_be_read_only_one_way_needs_no_convention(printed):
    assert IsoDate().parse(printed, SILENT).value == dt.date(2018, 3, 27)
    assert IsoDate().parse(printed, SILENT).issue is None


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1er mars 2018", dt.date(2018, 3, 1)),
        ("13. November 2017", dt.date(2017, 11, 13)),
        ("3 août 2021", dt.date(2021, 8, 3)),
        ("3 aout 2021", dt.date(2021, 8, 3)),
        ("5 dic 2019", dt.date(2019, 12, 5)),
        ("1 gennaio 2020", dt.date(2020, 1, 1)),
        ("15-Okt-99", dt.date(1999, 10, 15)),
        ("4/4/2018", dt.date(2018, 4, 4)),
    ],
)
def test_month_names_of_six_languages_are_read(printed, value):
    assert IsoDate().parse(printed, SILENT).value == value


def test_the_order_of_day_and_month_is_the_documents_and_never_guessed():
    assert IsoDate().parse("03/04/2018", Conventions(day_first=True)).value == dt.date(2018, 4, 3)
    assert IsoDate().parse("03/04/2018", Conventions(day_first=False)).value == dt.date(2018, 3, 4)
    undecided = IsoDate().parse("03/04/2018", SILENT)
    assert (undecided.value, undecided.issue) == (None, "date_order_unknown")
    assert "2018-04-03" in undecided.message and "2018-03-04" in undecided.message


@pytest.mark.parametrize("printed", ["31/02/2018", "30 February 2018", "2018-13-45", "32.01.2018"])
def test_a_day_that_the_calendar_does_not_have_is_no_date(printed):
    parsed = IsoDate().parse(printed, Conventions(day_first=True))
    assert (parsed.value, parsed.issue) == (None, "impossible_date")


@pytest.mark.parametrize("printed", ["10:35", "March 2018", "12.50", "0123456789", "03-51213881", "net 30 days"])
def test_what_is_no_complete_date_says_so(printed):
    assert IsoDate().parse(printed, SILENT).issue == "not_a_date"


def test_two_dates_in_one_text_are_not_guessed_between():
    assert IsoDate().parse("27/03/2018 - 30/03/2018", SILENT).issue == "several_dates"
    assert IsoDate().parse("27/03/2018 (27 Mar 2018)", SILENT).value == dt.date(2018, 3, 27)


@pytest.mark.parametrize(
    "printed",
    [
        "2703/2018",
        "27/032018",
        "27/03/201810:35",
        "2018-03-271035",
        "27/O3/2O18",
        "27/03/20l8",
        "27-Mar-201810:35",
        "27-Mar-1810:35pm",
        "mar.27'1810:35",
    ],
)
def test_lost_separators_and_letters_in_dates_are_repaired_and_reported(printed):
    parsed = IsoDate().parse(printed, SILENT)
    assert (parsed.value, parsed.issue, parsed.severity) == (dt.date(2018, 3, 27), "ocr_repaired", "info")


def test_digits_in_the_name_of_a_month_are_repaired():
    assert IsoDate().parse("21-0ct-26", SILENT).value == dt.date(2026, 10, 21)
    assert IsoDate().parse("11 Apri1 2017", SILENT).value == dt.date(2017, 4, 11)
    assert IsoDate().parse("room 101 2017", SILENT).value is None


def test_months_are_known_in_indonesian():
    assert IsoDate().parse("23 Agustus 2000", SILENT).value == dt.date(2000, 8, 23)
    assert IsoDate().parse("07 Des 2016", SILENT).value == dt.date(2016, 12, 7)


def test_words_beside_a_date_are_not_repaired():
    assert repair_date("Ol/O3/2018 Oslo") == "01/03/2018 Oslo"
    assert repair_date("Solo 2018") == "Solo 2018"


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("10:35", dt.time(10, 35)),
        ("10:35:22", dt.time(10, 35, 22)),
        ("2:52PM", dt.time(14, 52)),
        ("12:05 a.m.", dt.time(0, 5)),
        ("14h30", dt.time(14, 30)),
        ("12 31 00", dt.time(12, 31)),
        ("02/02/16 10:35", dt.time(10, 35)),
    ],
)
def test_a_time_of_day_is_read(printed, value):
    assert ClockTime().parse(printed, SILENT).value == value


def test_a_time_is_the_same_to_the_minute():
    assert ClockTime().same(dt.time(10, 35), dt.time(10, 35, 22))
    assert not ClockTime().same(dt.time(10, 35), dt.time(10, 36))
    assert ClockTime().parse("25:70", SILENT).issue == "not_a_time"


@pytest.mark.parametrize(
    ("printed", "code"),
    [("€", "EUR"), ("12,50 €", "EUR"), ("RM", "MYR"), ("zł", "PLN"), ("Kč", "CZK"), ("US$", "USD"), ("CHF 5.00", "CHF"),
     ("£", "GBP"), ("US Dollar", "USD"), ("Schweizer Franken", "CHF"), ("BHD 12.500", "BHD")],
)  # fmt: skip
def test_a_currency_is_read_from_symbols_codes_and_names(printed, code):
    assert Currency().parse(printed, SILENT).value == code


def test_a_symbol_that_several_countries_use_is_decided_by_the_document():
    assert Currency().parse("$", SILENT).issue == "currency_unknown"
    assert Currency().parse("$", Conventions(country="CA")).value == "CAD"
    assert Currency().parse("kr", Conventions(currency="SEK")).value == "SEK"
    assert Currency().parse("kr", SILENT).value is None


def test_an_iban_is_found_beside_other_words_and_its_check_digits_are_checked():
    assert Iban().parse("IBAN: DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX", SILENT).value == "DE89370400440532013000"
    assert Iban().parse("GB82 WEST 1234 5698 7654 32", SILENT).value == "GB82WEST12345698765432"
    assert Iban().parse("DE89370400440532013001", SILENT).issue == "check_digit"
    assert Iban().parse("DE8937O400440532013000", SILENT).issue == "ocr_repaired"
    assert Iban().parse("no account", SILENT).issue == "not_an_iban"
    assert Iban().same("DE89 3704 0044 0532 0130 00", "de89370400440532013000")


def test_a_vat_number_is_checked_where_its_country_is_known():
    assert VatId().parse("USt-IdNr.: DE 811 907 980", SILENT).value == "DE811907980"
    assert VatId().parse("VAT FR40303265045 TVA", SILENT).value == "FR40303265045"
    assert VatId().parse("CHE-116.281.710 MWST", SILENT).issue is None
    assert VatId().parse("DE811907981", SILENT).issue == "check_digit"
    assert VatId().parse("GST NO 001122334455", SILENT).value == "001122334455"


def test_names_and_addresses_are_the_same_at_nine_tenths_of_letters_and_digits():
    assert Name().same("Müller & Söhne GmbH", "MULLER SOHNE GMBH")
    assert Address().same("12 High Street, Leeds LS1 4AP", "12 HIGH STREET LEEDS LS14AP")
    assert not Name().same("Nordlicht Werkzeuge GmbH", "Atelier Rivage SARL")


def test_identifiers_are_the_same_without_blanks_and_case_only():
    assert Identifier().same("INV 33-81", "inv33-81")
    assert not Identifier().same("INV-3381", "INV-3382")
    assert Identifier().parse(" : INV-3381 ", SILENT).value == "INV-3381"


def test_telephone_numbers_are_the_same_by_their_digits():
    assert Phone().parse("Tel: +44 20 7946 0018", SILENT).value == "+44 20 7946 0018"
    assert Phone().same("+44 20 7946 0018", "020-79460018")
    assert not Phone().same("020-79460018", "020-79460019")
    assert Phone().parse("Tel:", SILENT).issue == "not_a_phone"


@pytest.mark.parametrize(
    ("printed", "value"),
    [("RECHNUNG", "invoice"), ("Tax Invoice", "invoice"), ("Gutschrift", "credit_note"), ("Credit Memo", "credit_note"),
     ("Avoir n° 12", "credit_note"), ("Stornorechnung", "credit_note"), ("Pro-forma Invoice", "proforma")],
)  # fmt: skip
def test_the_type_of_an_invoice_comes_from_its_title(printed, value):
    assert InvoiceType().parse(printed, SILENT).value == value


def test_a_choice_outside_of_the_list_is_reported():
    size = Choice(("small", "large"), {"large": ("big",)})
    assert size.parse("Big", SILENT).value == "large"
    assert size.parse("medium", SILENT).issue == "not_a_choice"


def test_yes_and_no_are_read_in_several_languages():
    assert Boolean().parse("[x]", SILENT).value is True
    assert Boolean().parse("Nein", SILENT).value is False
    assert Boolean().parse("maybe", SILENT).issue == "not_a_boolean"


def test_text_keeps_its_words_and_loses_its_line_breaks():
    assert Text().parse(" two\n lines ", SILENT).value == "two lines"


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("37'90 €", "37.90"), ("1’200.50", "1200.50"), ("12’600", "12600"), ("1'00'000.00", "100000.00"),
        ("３７．９０", "37.90"), ("３７，９００", "37900"), ("٣٧٫٩٠", "37.90"),
    ],
)  # fmt: skip
def test_an_apostrophe_groups_threes_and_figures_of_other_scripts_are_read(printed, value):
    parsed = Money().parse(printed, Conventions(decimal_mark="."))
    assert (parsed.value, parsed.issue) == (Decimal(value), None)


def test_figures_that_are_grouped_in_no_known_way_are_no_amount():
    assert Money().parse("3'7'90", SILENT).value is None
