"""One value per field, chosen so that the fields fit together."""

import datetime as dt
import random
from decimal import Decimal

import pytest

from docpipe.data import Candidate
from docpipe.decide.joint import MAX_EVALUATIONS, JointChoice
from docpipe.decide.options import Option, ScoredOption
from docpipe.rule_scope import applications_of
from docpipe.schema import load_schema
from docpipe.schema_ports import Parsed
from tests.support.decisions import decided, decided_fields
from tests.support.pages import page_of


@pytest.fixture(scope="module")
def invoice():
    return load_schema("invoice")


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


def test_the_likeliest_candidate_is_chosen_when_no_rule_speaks(receipt):
    fields = decided(
        receipt, ["Acme Ltd", "Bolt Inc"], ("merchant_name", "Acme Ltd", 0.4), ("merchant_name", "Bolt Inc", 0.6)
    )
    assert fields["merchant_name"].raw == "Bolt Inc"


def test_a_candidate_that_parses_is_preferred(receipt):
    fields = decided(receipt, ["Total due 80.90"], ("total", "due", 0.7), ("total", "80.90", 0.2))
    assert fields["total"].value == Decimal("80.90")


def test_a_text_that_does_not_parse_is_kept_as_printed_with_an_issue(receipt):
    fields = decided(receipt, ["Total eighty"], ("total", "eighty", 0.8))
    assert (fields["total"].value, fields["total"].raw) == (None, "eighty")
    assert fields["total"].issues
    assert not fields["total"].accepted


def test_the_time_is_trimmed_off_a_date_and_off_its_evidence(receipt):
    fields = decided(receipt, ["Date 25/12/2018 10:35 Till 4"], ("date", "25/12/2018 10:35", 0.9))
    assert fields["date"].value == dt.date(2018, 12, 25)
    assert fields["date"].raw == "25/12/2018"
    assert [quote.text for quote in fields["date"].evidence] == ["25/12/2018"]


def test_a_label_is_trimmed_off_an_amount(receipt):
    fields = decided(receipt, ["Grand Total 80.90 MYR thanks"], ("total", "Total 80.90", 0.9))
    assert [quote.text for quote in fields["total"].evidence] == ["80.90"]


def test_a_number_in_several_words_is_not_trimmed_to_a_part_of_it(invoice):
    fields = decided(invoice, ["Montant total 1 234,50 EUR"], ("gross_total", "1 234,50", 0.9))
    assert fields["gross_total"].value == Decimal("1234.50")


def test_no_part_of_what_is_something_else_as_a_whole_is_taken(invoice):
    lines = ["Your reference 17 March 2031", "VAT no. RE 20310317", "Order 1 834,50 EUR"]
    fields = decided(invoice, lines, ("buyer_reference", "17 March 2031", 0.9), ("seller_vat_id", "RE 20310317", 0.9),
                     ("purchase_order", "1 834,50 EUR", 0.9))  # fmt: skip
    assert {fields[path].value for path in ("buyer_reference", "seller_vat_id", "purchase_order")} == {None}
    assert not fields["buyer_reference"].accepted


def test_six_digits_are_the_date_whose_year_is_that_of_the_documents_other_dates(invoice):
    lines = ["Invoice date 170731", "Due date 16 August 2031"]
    assert decided(invoice, lines, ("issue_date", "170731", 0.9))["issue_date"].value == dt.date(2031, 7, 17)
    assert decided(invoice, lines[:1], ("issue_date", "170731", 0.9))["issue_date"].value is None


def test_a_title_that_offers_two_sorts_is_not_accepted(invoice):
    sure = decided(invoice, ["Facture d'avoir"], ("invoice_type", "Facture d'avoir", 0.99))["invoice_type"]
    open_choice = decided(invoice, ["Facture / Avoir"], ("invoice_type", "Facture / Avoir", 0.99))["invoice_type"]
    assert (sure.value, open_choice.accepted) == ("credit_note", False)
    assert [issue.code for issue in open_choice.issues] == ["several_choices"]


def test_the_extractor_may_say_that_a_field_is_absent(receipt):
    fields = decided(receipt, ["Total 80.90"], ("tip", "80.90", 0.1), absent={"tip": 0.9})
    assert (fields["tip"].value, fields["tip"].raw, fields["tip"].evidence) == (None, None, ())


def test_the_same_value_in_two_places_counts_twice(receipt):
    fields = decided(
        receipt,
        ["80.90", "RM80.90", "85.00"],
        ("total", "85.00", 0.4),
        ("total", "80.90", 0.3),
        ("total", "RM80.90", 0.3),
    )
    assert fields["total"].value == Decimal("80.90")


INVOICE = ["Hammer 20.00", "Nails 80.00", "Net 100.00", "VAT 20.00", "Total 120.00", "Cash 150.00", "Date 25/12/2018"]
ROWS = [("line_items[0].amount", "20.00", 0.95), ("line_items[1].amount", "80.00", 0.95)]


def test_a_printed_candidate_that_makes_the_sum_right_wins_over_a_likelier_one(invoice):
    fields = decided(
        invoice,
        INVOICE,
        *ROWS,
        ("net_total", "100.00", 0.9),
        ("tax_total", "20.00", 0.9),
        ("gross_total", "150.00", 0.8),
        ("gross_total", "120.00", 0.1),
    )
    assert fields["gross_total"].value == Decimal("120.00")
    assert fields["gross_total"].signals["rules_held"] == 1.0


def test_two_totals_that_are_wrong_at_once_are_both_repaired(invoice):
    fields = decided(
        invoice,
        INVOICE,
        *ROWS,
        ("tax_total", "20.00", 0.9),
        ("net_total", "120.00", 0.6),
        ("net_total", "100.00", 0.3),
        ("gross_total", "150.00", 0.7),
        ("gross_total", "120.00", 0.2),
    )
    assert (fields["net_total"].value, fields["gross_total"].value) == (Decimal("100.00"), Decimal("120.00"))


def test_an_amount_that_no_one_proposed_is_taken_from_the_page_when_the_sum_needs_it(invoice):
    fields = decided(
        invoice,
        INVOICE,
        *ROWS,
        ("net_total", "100.00", 0.9),
        ("tax_total", "20.00", 0.9),
        ("gross_total", "150.00", 0.8),
    )
    assert fields["gross_total"].value == Decimal("120.00")
    assert [quote.text for quote in fields["gross_total"].evidence] == ["120.00"]
    assert fields["gross_total"].signals["elsewhere"] == 1.0


def test_a_value_is_never_computed(invoice):
    lines = [line for line in INVOICE if "120.00" not in line]
    fields = decided(
        invoice, lines, *ROWS, ("net_total", "100.00", 0.9), ("tax_total", "20.00", 0.9), ("gross_total", "150.00", 0.8)
    )
    assert fields["gross_total"].value == Decimal("150.00")
    assert fields["gross_total"].signals["rules_broken"] == 1.0


def test_a_sum_that_does_not_add_up_is_no_reason_to_leave_a_value_out(invoice):
    lines = ["Net 100.00", "VAT 20.00", "Total 125.00"]
    fields = decided(
        invoice,
        lines,
        ("net_total", "100.00", 0.9),
        ("tax_total", "20.00", 0.6),
        ("gross_total", "125.00", 0.9),
        absent={"tax_total": 0.4},
    )
    assert fields["tax_total"].value == Decimal("20.00")


def test_a_misread_cell_is_repaired_by_its_sum(invoice):
    fields = decided(
        invoice,
        [*INVOICE, "Nails 60.00"],
        ROWS[0],
        ("line_items[1].amount", "60.00", 0.6),
        ("line_items[1].amount", "80.00", 0.3),
        ("net_total", "100.00", 0.9),
        ("gross_total", "120.00", 0.9),
    )
    assert fields["line_items[1].amount"].value == Decimal("80.00")


def test_an_amount_due_is_not_given_up_because_the_deposit_was_not_found(invoice):
    fields = decided(
        invoice,
        ["Net 500.00", "VAT 0.00", "Total 500.00", "Deposit 120.00", "To pay 380.00"],
        ("net_total", "500.00", 0.9),
        ("tax_total", "0.00", 0.9),
        ("gross_total", "500.00", 0.9),
        ("amount_due", "380.00", 0.9),
    )
    assert fields["amount_due"].value == Decimal("380.00")
    assert fields["amount_due"].signals["elsewhere"] == 0.0
    assert fields["amount_due"].confidence > 0.3


def test_a_deposit_that_is_a_candidate_mends_the_sum(invoice):
    fields = decided(
        invoice,
        ["Total 500.00", "Deposit 120.00", "To pay 380.00"],
        ("gross_total", "500.00", 0.9),
        ("prepaid_amount", "120.00", 0.1),
        ("amount_due", "380.00", 0.9),
        absent={"prepaid_amount": 0.9},
    )
    assert fields["prepaid_amount"].value == Decimal("120.00")


def test_a_subtotal_is_not_made_the_total_because_a_charge_is_missing_from_the_sum(receipt):
    fields = decided(
        receipt,
        ["Subtotal 40.00", "Service 4.00", "Tax 3.20", "Total 47.20"],
        ("subtotal", "40.00", 0.9),
        ("tax", "3.20", 0.9),
        ("total", "47.20", 0.9),
    )
    assert fields["subtotal"].value == Decimal("40.00")


def test_a_tip_is_not_left_out_because_the_total_was_printed_before_it(receipt):
    fields = decided(
        receipt,
        ["Subtotal 40.00", "Tax 3.20", "Total 43.20", "Tip 6.00"],
        ("subtotal", "40.00", 0.9),
        ("tax", "3.20", 0.9),
        ("total", "43.20", 0.9),
        ("tip", "6.00", 0.9),
    )
    assert fields["tip"].value == Decimal("6.00")


def test_one_printed_amount_is_not_the_tax_and_the_tip(receipt):
    fields = decided(
        receipt,
        ["Subtotal 40.00", "Tax 3.20", "Total 46.40", "Tip 6.00"],
        ("subtotal", "40.00", 0.9),
        ("tax", "3.20", 0.9),
        ("total", "46.40", 0.9),
        ("tip", "6.00", 0.9),
    )
    assert fields["tip"].value == Decimal("6.00")


def test_a_discount_between_the_rows_and_the_net_total_changes_no_total(invoice):
    fields = decided(
        invoice,
        ["Hammer 20.00", "Nails 80.00", "Lines 100.00", "Discount 10.00", "Net 90.00", "Total 108.00"],
        *ROWS,
        ("net_total", "90.00", 0.9),
        ("gross_total", "108.00", 0.9),
    )
    assert (fields["net_total"].value, fields["gross_total"].value) == (Decimal("90.00"), Decimal("108.00"))


def test_rows_that_are_printed_twice_do_not_double_the_total(invoice):
    lines = ["Hammer 20.00", "Nails 80.00", "Copy", "Hammer 20.00", "Nails 80.00", "Net 100.00", "Turnover 200.00"]
    cells = [(f"line_items[{row}].amount", amount, 0.9) for row, amount in enumerate(["20.00", "80.00"] * 2)]
    fields = decided(invoice, lines, *cells, ("net_total", "100.00", 0.9), ("gross_total", "119.00", 0.9))
    assert fields["net_total"].value == Decimal("100.00")


def test_two_rules_together_bring_in_an_amount_that_no_one_proposed(invoice):
    """The rows add up to it, and it is what is to be paid."""
    fields = decided(
        invoice,
        ["Hammer 20.00", "Nails 80.00", "Total 100.00", "Cash 150.00"],
        *ROWS,
        ("net_total", "90.00", 0.5),
        ("gross_total", "150.00", 0.8),
        ("amount_due", "100.00", 0.9),
    )
    assert fields["gross_total"].value == Decimal("100.00")


def test_a_mended_net_total_mends_the_gross_total(invoice):
    fields = decided(
        invoice,
        INVOICE,
        *ROWS,
        ("tax_breakdown[0].net", "100.00", 0.9),
        ("net_total", "150.00", 0.8),
        ("tax_total", "20.00", 0.9),
        ("gross_total", "80.00", 0.8),
    )
    assert (fields["net_total"].value, fields["gross_total"].value) == (Decimal("100.00"), Decimal("120.00"))


def test_a_discount_on_a_line_changes_no_cell(invoice):
    fields = decided(
        invoice,
        ["Hammer 2 10.00 -10% 18.00", "Saw 20.00"],
        ("line_items[0].quantity", "2", 0.9),
        ("line_items[0].unit_price", "10.00", 0.9),
        ("line_items[0].amount", "18.00", 0.9),
        ("line_items[0].amount", "20.00", 0.09),
    )
    assert fields["line_items[0].amount"].value == Decimal("18.00")


def test_rows_are_numbered_in_reading_order_and_empty_ones_are_dropped(invoice):
    fields = decided(
        invoice,
        ["Hammer 20.00", "Nails 80.00"],
        ("line_items[0].description", "Nails", 0.9),
        ("line_items[3].amount", "20.00", 0.9),
        ("line_items[3].description", "Hammer", 0.9),
        ("line_items[2].amount", " ", 0.9),
        ("line_items[1].unit", "80.00", 0.01),
    )
    assert {path: field.raw for path, field in fields.items() if path.startswith("line_items")} == {
        "line_items[0].description": "Hammer",
        "line_items[0].amount": "20.00",
        "line_items[1].description": "Nails",
    }


def test_candidates_for_fields_that_the_schema_does_not_have_are_passed_over(receipt):
    fields = decided(receipt, ["Total 80.90"], ("colour", "80.90", 0.9), ("items[].amount", "80.90", 0.9))
    assert "colour" not in fields
    assert not any(path.startswith("items") for path in fields)


def test_every_single_field_of_the_schema_is_answered_even_without_candidates(receipt):
    fields = decided(receipt, ["nothing"])
    assert set(fields) == {spec.path for spec in receipt.fields if spec.list_path is None}
    assert all(field.value is None for field in fields.values())


def test_a_value_without_evidence_is_never_accepted(receipt):
    fields = decided(
        receipt,
        ["Acme Ltd"],
        ("merchant_name", "Acme Ltd", 0.99),
        ("payment_method", "Gold coins", 0.99),
        threshold=0.01,
    )
    assert fields["merchant_name"].accepted
    assert not fields["payment_method"].accepted
    assert [issue.code for issue in fields["payment_method"].issues] == ["no_evidence"]


def test_without_a_threshold_nothing_is_accepted(receipt):
    fields = decided(receipt, ["Acme Ltd"], ("merchant_name", "Acme Ltd", 0.99))
    assert not fields["merchant_name"].accepted


def test_the_last_of_several_pages_competes_with_the_first(invoice):
    pages = [page_of(["Carried over 70.00"], number=1), page_of(["Total 120.00"], number=2)]
    candidates = [Candidate("gross_total", "70.00", 0.4), Candidate("gross_total", "120.00", 0.5)]
    fields = decided_fields(invoice, pages, candidates)
    assert fields["gross_total"].evidence[0].page == 2


def test_the_search_is_bounded_on_a_long_list(invoice):
    """Two hundred rows with six readings each and a total that none of them explains."""
    dice = random.Random(7)
    table = {
        f"line_items[{row}].amount": [
            ScoredOption(Option(Decimal(dice.randint(1, 99999)) / 100, "", 0.9 / place, (), Parsed(1)), 0.9 / place)
            for place in range(1, 7)
        ]
        for row in range(200)
    }
    for path in ("net_total", "gross_total"):
        cent = Option(Decimal("0.01"), "", 0.9, (), Parsed(1))
        table[path] = [ScoredOption(cent, 0.9), ScoredOption(None, 0.1)]
    choice = JointChoice(table, [applied for rule in invoice.rules for applied in applications_of(rule, table)])
    assert set(choice.best()) == set(table)
    assert choice.evaluations <= MAX_EVALUATIONS + 500


def test_two_amounts_that_are_alike_do_not_overrule_a_sum_with_the_likelier_one(invoice):
    fields = decided(
        invoice,
        ["Total TTC 671,15", "Virement 201,00", "Solde à payer 470,15"],
        ("gross_total", "671,15", 0.99),
        ("prepaid_amount", "201,00", 0.04),
        ("amount_due", "470,15", 0.55),
        ("amount_due", "671,15", 0.4),
        absent={"prepaid_amount": 0.957},
    )
    assert (fields["amount_due"].value, fields["prepaid_amount"].value) == (Decimal("470.15"), Decimal("201.00"))


def test_a_deposit_printed_with_a_minus_is_taken_off(invoice):
    fields = decided(
        invoice,
        ["Total 250,00", "Anzahlung -50,00", "Zahlbetrag 200,00"],
        ("gross_total", "250,00", 0.9),
        ("prepaid_amount", "-50,00", 0.9),
        ("amount_due", "200,00", 0.9),
    )
    assert fields["prepaid_amount"].value == Decimal("50.00")
    assert fields["amount_due"].signals["rules_held"] == 1.0
