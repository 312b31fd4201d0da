"""Numbers that name something: what is one, what is something else, and whose country it is."""

from __future__ import annotations

import pytest

from docpipe.schema_ports import Conventions
from docpipe.schemas.kinds import Iban, Identifier, VatId

SILENT = Conventions()


@pytest.mark.parametrize(
    "printed",
    ["09:30", "23:59:59", "4:15 pm", "10:15 Uhr", "17.06.2031", "2031-06-17", "2031-06-17 09:30", "17/06/2031 09:30:00",
     "17 czerwca 2031", "June 17, 2031", "1.834,50", "1,834.50", "73,80", "£73.80", "500 €", "-$12", "(EUR 73.80)",
     "73,80 EUR", "kr 1.834,50"],
)  # fmt: skip
def test_a_time_a_date_and_an_amount_are_no_identifiers(printed):
    parsed = Identifier().parse(printed, SILENT)
    assert (parsed.value, parsed.issue, parsed.severity) == (None, "not_an_identifier", "warning")
    assert parsed.is_something_else


@pytest.mark.parametrize("printed", ["17/06/2031", "17-06-2031", "17.06.31", "30/06/17", "118.31", "5/III/2031"])
def test_what_may_be_an_identifier_or_not_is_kept_and_doubtful(printed):
    parsed = Identifier().parse(printed, SILENT)
    assert (parsed.value, parsed.issue, parsed.severity) == (printed, "not_an_identifier", "warning")


@pytest.mark.parametrize(
    "printed",
    ["4711", "20310617", "170631", "06/2031", "12.2031", "2031-03", "2031/5673", "F/22/09/51", "000.653.259", "1.234",
     "R31-118", "17JUN31", "RM1250", "EUR 500", "45.13.2031", "2-001", "14-1-1", "A 12:30", "06 2031", "June 2031",
     "17 06 2031", "MSFT0011223344", "04011000-12345-34", "3/17.06.2031"],
)  # fmt: skip
def test_numbers_of_invoices_in_all_their_forms_are_identifiers(printed):
    parsed = Identifier().parse(printed, SILENT)
    assert (parsed.value, parsed.issue) == (printed, None)


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("ATU 7270 6128", "ATU72706128"), ("AT U72706128", "ATU72706128"), ("UID: ATU.727.061.28", "ATU72706128"),
        ("DE 136 695 976", "DE136695976"), ("DE.136.695.976", "DE136695976"), ("IE 3668997 OH", "IE3668997OH"),
        ("CY 1025 9033 P", "CY10259033P"), ("ES B 98602642", "ESB98602642"), ("NL 8109.43.439 B 01", "NL810943439B01"),
        ("VAT No. GB 980 7806 84", "GB980780684"), ("PL 526-025-02-74", "PL5260250274"),
    ],
)  # fmt: skip
def test_a_vat_number_is_one_code_however_it_is_set_apart(printed, number):
    parsed = VatId().parse(printed, SILENT)
    assert parsed.value == number
    assert parsed.issue == (None if number != "NL810943439B01" else "check_digit")


def test_a_vat_number_whose_check_digit_fails_is_doubtful():
    parsed = VatId().parse("ATU 7270 6129", SILENT)
    assert (parsed.value, parsed.issue, parsed.severity) == ("ATU72706129", "check_digit", "warning")


@pytest.mark.parametrize("printed", ["RE 20310617", "RE-20310617", "FV 17/2031", "KD 4711-12"])
def test_a_running_number_behind_two_letters_is_no_vat_number(printed):
    parsed = VatId().parse(printed, SILENT)
    assert (parsed.value, parsed.issue) == (None, "not_a_vat_id")
    assert parsed.is_something_else


def test_two_letters_of_a_country_elsewhere_are_checked_by_its_rules():
    assert VatId().parse("CN 20310617", SILENT).issue == "check_digit"
    assert VatId().parse("AU 51 824 753 556", SILENT).issue is None


@pytest.mark.parametrize("printed", ["12/345/6789", "526-025-02-74", "80.730.215/0001-73", "123456-7"])
def test_tax_numbers_without_a_country_stay_as_printed(printed):
    assert (VatId().parse(printed, SILENT).value, VatId().parse(printed, SILENT).issue) == (printed, None)


@pytest.mark.parametrize(
    "printed",
    ["IT 60 X 05428 11101 000000123456", "IBAN IT60 X054 2811 1010 0000 0123 456", "IT60.X054.2811.1010.0000.0123.456"],
)
def test_an_iban_is_one_code_over_many_words(printed):
    assert (Iban().parse(printed, SILENT).value, Iban().parse(printed, SILENT).issue) == (
        "IT60X0542811101000000123456",
        None,
    )
