"""The two benchmarks behind a second look: what counts as asked and caught, and what counts as read."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.cascade import FirstAnswer, field_units, select_fields, select_lists, tally
from benchmarks.accuracy.print_height import comparable, longer_side, tokens
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
    *(Field(path, None, None, 1.0) for path in ("date", "discount", "deposit", "change")),
)


@pytest.fixture(scope="module")
def answered() -> FirstAnswer:
    schema = load_schema("receipt")
    given: dict[str, object] = {}
    for field in FIELDS:
        put(given, field.path, None if field.raw is None else {"value": field.value, "raw": field.raw})
    evaluation = evaluate(
        [LabelledDocument("a.pdf", TRUTH)], [ResultLine("a.pdf", "receipt", "complete", given)], schema
    )
    return FirstAnswer(FIELDS, field_units(evaluation.documents[0], FIELDS, schema), schema)


def test_errors_are_caught_when_their_field_is_asked_for(answered: FirstAnswer) -> None:
    counts = tally(select_fields([answered], 0.9))
    assert (counts.units, counts.errors) == (14, 4)
    assert "total" not in answered.second_model_paths(0.9)
    assert counts.errors_selected == 2, "tax and tip; the total is sure, the subtotal's absence too"
    assert (counts.now.right, counts.now.wrong, counts.now.missed, counts.now.spurious) == (1, 2, 1, 1)
    assert (counts.at_best.right, counts.at_best.wrong, counts.at_best.missed, counts.at_best.spurious) == (2, 1, 1, 0)


def test_who_wants_absence_surer_asks_more_and_catches_more(answered: FirstAnswer) -> None:
    low, high = (tally(select_fields([answered], choice)) for choice in (0.9, 0.95))
    assert high.selected == low.selected + 1
    assert high.errors_selected == low.errors_selected + 1
    assert high.selected_without_error == low.selected_without_error


def test_a_list_is_asked_as_one(answered: FirstAnswer) -> None:
    whole = tally(select_lists([answered], None, empty=True))
    assert (whole.units, whole.selected) == (1, 1)
    assert tally(select_lists([answered], None, empty=False)).selected == 0, "it has no rows"


def test_a_lost_decimal_point_is_not_read() -> None:
    assert comparable("Total 80.90") == comparable("TOTAL80.90")
    assert comparable("80.90") not in comparable("Total 8090")


def test_the_picture_is_as_small_as_its_print_may_be() -> None:
    page = page_of(["Acme Ltd", "Total 80.90"])  # 1,000 x 1,400 pixels, lines of 28
    assert longer_side(page, 14) == 700
    assert longer_side(page, 100) == 1_400
    assert tokens((1_000, 1_400), 28) == 36 * 50
