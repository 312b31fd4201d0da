"""What is accepted, and what vetoes it whatever the confidence: a broken rule, a kind's doubt, a low confidence."""

import pytest

from docpipe.acceptance import MIN_ACCEPTED_CONFIDENCE, AcceptancePolicy
from docpipe.confidence import Record, fit
from docpipe.data import PreparedDocument
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.pipeline import understand
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of

RUN = RunIdentity("0" * 64, "scripted", "key")


@pytest.fixture(scope="module")
def trusting():
    """A calibration under which all that is printed and that the extractor says is accepted."""
    records = [
        Record(str(number), group, {"score": 0.9, "match": 1.0}, True)
        for number in range(2_000)
        for group in ("number", "name", "date", "identifier")
    ]
    return AcceptancePolicy(fit(records, "any"))


def understood(lines, values, policy, schema="receipt"):
    """The result of a page with these lines for an extractor that answers these values."""
    extractor = ScriptedExtractor(values)
    prepared = PreparedDocument([with_blank_image(page_of(lines))])
    return understand(prepared, load_schema(schema), extractor=extractor, run=RUN, policy=policy)


def accepted_paths(extraction):
    return {field.path for field in extraction.fields if field.accepted}


def test_a_sum_that_holds_is_accepted(trusting):
    values = {"merchant_name": "Acme Ltd", "subtotal": "70.00", "tax": "10.90", "total": "80.90"}
    extraction = understood(["Acme Ltd", "Subtotal 70.00", "Tax 10.90", "Total 80.90"], values, trusting)
    assert accepted_paths(extraction) == set(values)


def test_no_value_of_a_broken_sum_is_accepted_and_each_says_why(trusting):
    values = {"merchant_name": "Acme Ltd", "subtotal": "70.00", "tax": "10.90", "total": "85.90"}
    extraction = understood(["Acme Ltd", "Subtotal 70.00", "Tax 10.90", "Total 85.90"], values, trusting)
    assert accepted_paths(extraction) == {"merchant_name"}
    reasons = {field.path: [issue.code for issue in field.issues] for field in extraction.fields if field.issues}
    assert reasons == {path: ["broken_rule"] for path in ("subtotal", "tax", "total")}
    assert "total_mismatch" in next(f for f in extraction.fields if f.path == "total").issues[0].message
    assert extraction.status == "needs_review"


def test_a_value_that_is_the_same_print_as_one_of_a_broken_sum_waits_with_it(trusting):
    """The extractor took one amount for two fields, and one of them breaks a sum: the other may be what it is."""
    values = {"net_total": "70.00", "tax_total": "10.90", "gross_total": "70.90", "amount_due": "70.90"}
    lines = ["Net 70.00", "Tax 10.90", "To pay 70.90", "Invoice R-78", "Reference 70.90"]
    extraction = understood(lines[:3], values, trusting, schema="invoice")
    assert accepted_paths(extraction) == set()
    due = next(field for field in extraction.fields if field.path == "amount_due")
    assert [issue.code for issue in due.issues] == ["broken_rule"]
    extraction = understood(lines, {**values, "invoice_number": "R-78"}, trusting, schema="invoice")
    assert "invoice_number" in accepted_paths(extraction)


def test_values_of_a_broken_rule_are_not_called_unsure(trusting):
    """`total (1.00) is not sure enough` would hide the reason."""
    values = {"subtotal": "70.00", "tax": "10.90", "total": "85.90"}
    extraction = understood(["Subtotal 70.00", "Tax 10.90", "Total 85.90"], values, trusting)
    assert "low_confidence" not in {issue.code for issue in extraction.issues}


def test_a_row_that_does_not_multiply_out_vetoes_nothing(trusting):
    """A discount on the line is usual: the rule is a hint."""
    values = {"items": [{"description": "Nails", "quantity": "3", "unit_price": "2.00", "amount": "5.00"}]}
    extraction = understood(["Nails 3 2.00 5.00"], values, trusting)
    assert "row_mismatch" in {issue.code for issue in extraction.issues}
    assert "items[0].amount" in accepted_paths(extraction)


def test_an_id_with_a_wrong_check_digit_is_not_accepted(trusting):
    values = {"iban": "DE89 3704 0044 0532 0130 01", "invoice_number": "R-77"}
    lines = ["Invoice R-77", "IBAN DE89 3704 0044 0532 0130 01"]
    extraction = understood(lines, values, trusting, schema="invoice")
    assert accepted_paths(extraction) == {"invoice_number"}


def test_an_amount_that_may_be_a_thousand_times_as_much_is_not_accepted(trusting):
    extraction = understood(["Total 6.000"], {"total": "6.000"}, trusting)
    (total,) = (field for field in extraction.fields if field.path == "total")
    assert (total.accepted, [issue.code for issue in total.issues]) == (False, ["decimal_mark_unknown"])


def test_no_allowed_error_lets_in_what_is_more_likely_wrong_than_right():
    """With half of the accepted allowed to be wrong the bound is kept by the sure ones alone."""
    records = [
        Record(f"{number}-{score}", "number", {"score": score, "match": 1.0}, right)
        for number in range(1_000)
        for score, right in ((0.99, True), (0.2, number % 5 == 0))
    ]
    policy = AcceptancePolicy(fit(records, "any"), accept_error=0.5)
    assert policy.calibration.threshold(0.5) < MIN_ACCEPTED_CONFIDENCE
    assert policy.threshold(policy.calibration) == MIN_ACCEPTED_CONFIDENCE


def test_without_a_proof_the_reason_is_named_and_not_the_confidence():
    records = [Record(str(number), "number", {"score": 0.99, "match": 1.0}, True) for number in range(50)]
    extraction = understood(["Total 80.90"], {"total": "80.90"}, AcceptancePolicy(fit(records, "any")))
    codes = {issue.code for issue in extraction.issues}
    assert accepted_paths(extraction) == set()
    assert "not_calibrated" in codes
    assert "low_confidence" not in codes


@pytest.mark.parametrize(
    ("printed", "is_accepted"),
    [("1200", False), ("47.3", False), ("S 12", False), ("12,-", True), ("8,000", True), ("12.00", True)],
)
def test_an_amount_with_fewer_decimals_than_the_others_is_doubtful(trusting, printed, is_accepted):
    """Of `1200` among `12.00` the mark was lost; `12,-` and `8,000` have no cents in so many words."""
    extraction = understood(["Bread 4.50", "Cheese 7.50", f"Total {printed}"], {"total": printed}, trusting)
    (total,) = (field for field in extraction.fields if field.path == "total")
    assert total.accepted is is_accepted
    assert [issue.code for issue in total.issues] == ([] if is_accepted else ["decimals_missing"])


def test_where_amounts_have_no_cents_none_are_missing(trusting):
    extraction = understood(["Bread 450", "Cheese 7500", "Total 7950 Yen"], {"total": "7950"}, trusting)
    assert "total" in accepted_paths(extraction)


@pytest.mark.parametrize(
    ("lines", "is_accepted"),
    [
        (["Paku 15.000", "Kayu 300.000", "Total 315.000"], False),
        (["Paku Rp 15.000", "Kayu 300.000", "Total 315.000"], True),  # rupiahs have no third decimal
        (["Paku 15.000", "Rumah 2.300.000", "Total 315.000"], True),  # two groups: the mark can only group
    ],
)
def test_a_factor_of_a_thousand_that_is_open_is_not_accepted(trusting, lines, is_accepted):
    extraction = understood(lines, {"total": "315.000"}, trusting)
    (total,) = (field for field in extraction.fields if field.path == "total")
    assert total.accepted is is_accepted
    assert ("decimal_mark_unknown" in {issue.code for issue in total.issues}) is not is_accepted
