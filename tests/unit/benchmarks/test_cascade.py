"""The two benchmarks behind a second look: what counts as asked and caught, and what counts as read."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.cascade import Answered, asked_lists, asked_single, slots, tally
from benchmarks.accuracy.print_height import Sheet, bare, side, tokens
from docpipe.data import Field
from docpipe.evaluate import LabelledDocument, ResultLine, evaluate
from docpipe.result import put
from docpipe.schema import load_schema
from tests.support.pages import page_of

TRUTH = {"merchant_name": "Acme Ltd", "total": "80.90", "tax": "10.90", "subtotal": "70.00", "tip": None, "time": None}
FIELDS = (
    Field("merchant_name", "Acme Ltd", "Acme Ltd", 0.99, accepted=True),  # right and sure
    Field("total", "70.00", "70.00", 0.99, accepted=True),  # wrong and sure: nobody will ask
    Field("tax", "70.00", "70.00", 0.50),  # wrong and not sure
    Field("subtotal", None, None, 0.93),  # missed
    Field("tip", "1.00", "1.00", 0.30),  # there is none
    Field("time", None, None, 0.99),  # rightly absent
    *(Field(path, None, None, 1.0) for path in ("merchant_address", "merchant_phone", "currency", "payment_method")),
    Field("date", None, None, 1.0),
)


@pytest.fixture(scope="module")
def answered() -> Answered:
    schema = load_schema("receipt")
    given: dict[str, object] = {}
    for one in FIELDS:
        put(given, one.path, None if one.raw is None else {"value": one.value, "raw": one.raw})
    evaluation = evaluate(
        [LabelledDocument("a.pdf", TRUTH)], [ResultLine("a.pdf", "receipt", "complete", given)], schema
    )
    return Answered(FIELDS, slots(evaluation.documents[0], FIELDS, schema), schema)


def test_errors_are_caught_when_their_field_is_asked_for(answered: Answered) -> None:
    found = tally(asked_single([answered], 0.9))
    assert (found.slots, found.errors) == (11, 4)
    assert "total" not in answered.asked(0.9)
    assert found.errors_asked == 2, "tax and tip; the total is sure, the subtotal's absence too"
    assert (found.now.right, found.now.wrong, found.now.missed, found.now.spurious) == (1, 2, 1, 1)
    assert (found.at_best.right, found.at_best.wrong, found.at_best.missed, found.at_best.spurious) == (2, 1, 1, 0)


def test_who_wants_absence_surer_asks_more_and_catches_more(answered: Answered) -> None:
    low, high = (tally(asked_single([answered], choice)) for choice in (0.9, 0.95))
    assert high.asked == low.asked + 1
    assert high.errors_asked == low.errors_asked + 1
    assert high.in_vain == low.in_vain


def test_a_list_is_asked_as_one(answered: Answered) -> None:
    whole = tally(asked_lists([answered], None, empty=True))
    assert (whole.slots, whole.asked) == (1, 1)
    assert tally(asked_lists([answered], None, empty=False)).asked == 0, "it has no rows"


def test_a_lost_decimal_point_is_not_read() -> None:
    assert bare("Total 80.90") == bare("TOTAL80.90")
    assert bare("80.90") not in bare("Total 8090")


def test_the_picture_is_as_small_as_its_print_may_be() -> None:
    sheet = Sheet(page_of(["Acme Ltd", "Total 80.90"]), (), ())  # 1,000 x 1,400 pixels, lines of 28
    assert side(sheet, 14) == 700
    assert side(sheet, 100) == 1_400
    assert tokens((1_000, 1_400), 28) == 36 * 50
