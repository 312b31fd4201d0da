"""Signs, scales and marks beside a number: what changes a value is read, or the value is doubtful."""

from decimal import Decimal

import pytest

from docpipe.schema_ports import Conventions
from docpipe.schemas.conventions import conventions
from docpipe.schemas.kinds import Money, Quantity, Rate

SILENT = Conventions()


def read(printed, conventions=SILENT, kind=None):
    parsed = (kind or Money()).parse(printed, conventions)
    return None if parsed.value is None else str(parsed.value), parsed.issue


@pytest.mark.parametrize(
    "printed",
    [
        "27,80-", "27.80 -", "27,80 € -", "€ -27,80", "-kr 27,80", "Netto -kr 27,80", "-27,80 zł", "27.80 CR",
        "27.80 Cr.", "CR 27.80", "27.80-CR", "27.80 (CR)", "$27.80 cr", "27,80- EUR", "—27.80", "－27.80",
        "▲27.80", "(SFr. 27.80)", "‒27.80", "―27.80",
    ],
)  # fmt: skip
def test_a_sign_is_read_wherever_it_stands(printed):
    assert read(printed) == ("-27.80", None)


@pytest.mark.parametrize(
    "printed", ["27.80 DR", "Total - 27.80", "27.80 net", "27.80 S", "27,80 Kč", "27.80/kg", "27.80 SR"]
)
def test_what_stands_beside_a_number_and_changes_nothing_is_no_doubt(printed):
    assert read(printed) == ("27.80", None)


@pytest.mark.parametrize("printed", ["48,200-", "¥48,200-", "¥ 48,200.-"])
def test_a_dash_closes_an_amount_that_has_no_cents(printed):
    assert read(printed, Conventions(currency="JPY")) == ("48200", None)


def test_indian_amounts_end_with_a_stroke_or_a_dash():
    assert read("Rs. 750/-") == read("₹750-") == ("750", None)


def test_a_dash_behind_a_whole_amount_of_other_currencies_is_doubtful():
    assert read("$750-")[1] == read("750 -")[1] == "sign_unknown"


@pytest.mark.parametrize(
    "printed",
    [
        "12 k",
        "T€ 12",
        "12 T€",
        "1,2 Mio.",
        "$1.2M",
        "minus 5.00",
        "5.00 ½",
        "(5.00",
        "01.02.2023 5.00",
        "5.00 weekly",
        "£14S.SS",
        "70¢",
        "70p",
        "27.80-EUR",
    ],
)
def test_what_is_not_understood_makes_the_amount_doubtful(printed):
    value, issue = read(printed)
    assert value is not None
    assert issue == "text_ignored"


def test_crores_are_no_credit():
    assert read("Rs. 2.5 Cr")[1] == "sign_unknown"


@pytest.mark.parametrize("where", [{"country": "SE"}, {"language": "nb"}, {"language": "da"}])
def test_a_colon_separates_kroner_from_oere(where):
    assert read("1 482:50 kr", Conventions(**where)) == ("1482.50", None)
    assert read("-0:45", Conventions(**where)) == ("-0.45", None)


@pytest.mark.parametrize("printed", ["12:30", "kl. 09:15", "2:05"])
def test_a_time_of_day_is_money_only_where_the_document_has_amounts_with_a_colon(printed):
    assert read(printed, Conventions(country="SE"))[0] is None
    colon = conventions(["Kvitto 2:05", "Summa 2 714:00 kr", "Moms 25 %", "Tack och välkommen till butiken"])
    assert read("12:30", colon) == ("12.30", None)
    comma = conventions(["Kvitto kl. 12:30", "Summa 309,00 kr", "Moms 25 %", "Tack och välkommen till butiken"])
    assert read("12:30", comma)[0] is None


@pytest.mark.parametrize("printed", ["12:50 kr", "kr 12:50", "SEK 12:50", "12:75", "24:00", "1 012:30"])
def test_what_says_itself_that_it_is_no_time_is_an_amount(printed):
    assert read(printed, Conventions(language="sv"))[1] is None


BOOKED = ["Kontoauszug der Stadtwerke", "Rechnung vom und für Mai", "Abschlag 96,10 S", "Guthaben 41,73 H"]


def test_haben_and_soll_are_signs_where_the_document_books_with_them():
    booked = conventions(BOOKED)
    assert read("41,73 H", booked) == read("41,73 € H", booked) == ("-41.73", None)
    assert read("96,10 S", booked) == ("96.10", None)
    alone = conventions([line for line in BOOKED if not line.endswith("S")])
    assert read("41,73H", alone) == ("-41.73", None)


@pytest.mark.parametrize(
    "lines",
    [
        ["Rechnung der Drogerie für Sie", "Seife 1,95 H", "Brot 2,10 B", "Summe 4,05 S"],  # letters of taxes
        ["Rechnung der Drogerie für Sie", "Seife 1,95 H", "Summe 1,95"],
        ["Receipt of the shop for you", "Soap 1.95 H", "Bread 2.10 S", "Total 4.05"],
    ],
)
def test_letters_of_taxes_are_no_signs(lines):
    assert read("1,95 H", conventions(lines))[0] == "1.95"


def test_a_colon_elsewhere_is_no_decimal_mark():
    assert read("12:30", Conventions(country="DE"))[0] is None


def test_three_decimals_are_no_thousands():
    """A factor of 1000 that is open is doubtful, and read as the currency is written (ISO 4217)."""
    for currency in ("KWD", "BHD", "TND"):
        assert read("82.250", Conventions(currency=currency)) == ("82.250", "decimal_mark_unknown")
        assert read(f"{currency} 82.250") == ("82.250", "decimal_mark_unknown")
        assert read("82.250", Conventions(currency=currency, decimal_mark=".")) == ("82.250", None)


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1½", "1.5"),
        ("3 ¼ hrs", "3.25"),
        ("3/4", "0.75"),
        ("1 1/2", "1.5"),
        ("2⅓", "2.3333"),
        ("7 kg", "7"),
        ("2 dozen", "2"),
    ],
)
def test_fractions_of_a_quantity_are_read(printed, value):
    assert read(printed, kind=Quantity()) == (value, None)


def test_a_product_is_calculated_and_says_so_but_no_price_is_taken_for_a_size():
    assert read("4 x 1.5 m", kind=Quantity()) == ("6.0", "calculated")
    assert read("4 x 1.50", kind=Quantity()) == (None, "several_numbers")
    assert Quantity().parse("4 x 1.5 m", SILENT).severity == "info"


@pytest.mark.parametrize("printed", ["-19 %", "524,00-", "120 %"])
def test_no_rate_of_a_tax_is_negative_or_above_a_hundred(printed):
    assert read(printed, kind=Rate()) == (None, "not_a_rate")


def test_a_text_of_many_numbers_is_not_read_as_one_of_them():
    assert Money().parse("27.80 31.20", SILENT).value is None


def test_the_value_is_exact():
    assert Money().parse("27.80 CR", SILENT).value == Decimal("-27.80")


@pytest.mark.parametrize("printed", ["₹ 3.75 Cr", "3.75 CR"])
def test_a_small_credit_may_be_crores_where_these_are_counted(printed):
    assert read(printed, Conventions(currency="INR")) == ("-3.75", "sign_unknown")
    assert read("₹ 1,375.00 Cr", Conventions(currency="INR")) == ("-1375.00", None)


def test_a_dash_in_the_place_of_whole_units_may_be_no_minus():
    assert read("-,80")[1] == "sign_unknown"
