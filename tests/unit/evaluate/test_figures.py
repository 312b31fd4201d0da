"""Evaluation: rows matched with rows, F1 with intervals, calibration, grounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from docpipe.data import Box
from docpipe.evaluate import Counts
from docpipe.evaluate.grounding import printed_boxes
from docpipe.evaluate.labels import LabelWord
from docpipe.evaluate.scores import ScoredAnswer, calibration_report, score_documents
from tests.support.labelled import RIGHT, WRONG, Evaluator, label_line, predicted, result_line


@pytest.fixture
def evaluator(tmp_path: Path) -> Evaluator:
    return Evaluator(tmp_path)


ROWS = [("Nougat 250g", "20", "81.90"), ("Biscuits", "15", "48.00"), ("Huile d'olive", "25", "495.00")]


def given_rows(rows: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [
        {"description": predicted(name), "quantity": predicted(quantity), "amount": predicted(amount)}
        for name, quantity, amount in rows
    ]


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([ROWS[2], ROWS[0], ROWS[1]], Counts(right=3)),
        (ROWS[1:], Counts(right=2, missed=1)),
        ([*ROWS, ("Total", "7", "624.90")], Counts(right=3, spurious=1)),
        ([ROWS[0], ROWS[1], ("Huile d'olive", "25", "49.50")], Counts(right=2, wrong=1)),
        ([ROWS[0], ROWS[1], ("Huile d' olive.", "25.000", "495.00")], Counts(right=3)),
    ],
)
def test_rows_are_matched_as_well_as_they_can_be(
    evaluator: Evaluator, rows: list[tuple[str, str, str]], counts: Counts
) -> None:
    names = ("name", "quantity", "line_total")
    label = label_line("a.pdf", {"line_items": [{**dict(zip(names, row, strict=True)), "unit": "C62"} for row in ROWS]})
    results = [result_line("a.pdf", {"line_items": given_rows(rows)})]
    evaluation = evaluator.evaluate([label], results, schema="invoice", maps=("einvoices",))
    assert evaluation.rows["line_items"].counts == counts
    assert set(evaluation.cells.fields) == {f"line_items[].{name}" for name in ("description", "quantity", "amount")}


def test_rows_that_look_alike_are_not_paired_greedily(evaluator: Evaluator) -> None:
    """The first answer resembles both labels, the second only the first: a greedy pairing gets one right, not two."""
    labels = [{"description": "Coffee", "amount": "2.00"}, {"description": "Coffee", "amount": "3.00"}]
    answers = [
        {"description": predicted("Coffee"), "amount": predicted("3.00")},
        {"description": predicted("Coffee"), "amount": predicted("2.00")},
    ]
    evaluation = evaluator.evaluate_one({"line_items": labels}, {"line_items": answers}, schema="invoice")
    assert evaluation.rows["line_items"].counts == Counts(right=2)


def test_the_tax_breakdown_is_compared_in_all_labelled_columns(evaluator: Evaluator) -> None:
    label = label_line("a.pdf", {"vat_breakdown": [{"rate": "20.00", "basis": "81.90", "tax": "16.38"}]})
    for tax, counts in (("16.38", RIGHT), ("16.83", WRONG)):
        row = {"rate": predicted("20"), "net": predicted("81.90"), "tax": predicted(tax)}
        evaluation = evaluator.evaluate(
            [label], [result_line("a.pdf", {"tax_breakdown": [row]})], schema="invoice", maps=("einvoices",)
        )
        assert evaluation.rows["tax_breakdown"].counts == counts


def test_questions_and_answers_of_a_form_become_rows(evaluator: Evaluator) -> None:
    label = label_line("a.png", {"Date:": "9/3/92", "To:": "M. Hamann"})
    pairs = [
        {"label": predicted("To:"), "value": predicted("M. Hamann")},
        {"label": predicted("Date:"), "value": predicted("")},
    ]
    evaluation = evaluator.evaluate([label], [result_line("a.png", {"pairs": pairs})], schema="form", maps=("funsd",))
    assert evaluation.rows["pairs"].counts == Counts(right=1, wrong=1)


def test_intervals_are_the_same_each_time_and_absent_for_few_documents() -> None:
    documents = [{"total": RIGHT if index % 5 else WRONG} for index in range(50)]
    first, second = score_documents(documents), score_documents(documents)
    assert first == second
    assert first.micro.interval is not None
    low, high = first.micro.interval
    assert 0.6 < low < 0.8 < high < 0.95
    assert score_documents(documents[:5]).micro.interval is None


def test_micro_counts_values_and_macro_counts_fields() -> None:
    scores = score_documents([{"total": RIGHT, "tip": WRONG}, {"total": RIGHT}, {"total": RIGHT}])
    assert scores.micro.counts.f1 == pytest.approx(3 / 4)
    assert scores.macro.f1 == pytest.approx(1 / 2)


def test_calibration_says_how_many_accepted_values_were_wrong() -> None:
    answers = [ScoredAnswer(0.99, accepted=True, right=True)] * 198
    answers += [ScoredAnswer(0.97, accepted=True, right=False)] * 2
    answers += [ScoredAnswer(0.4, accepted=False, right=False)] * 100
    report = calibration_report(answers)
    assert (report.accepted, report.accepted_wrong, report.wrong) == (200, 2, 102)
    assert report.coverage_at_1_percent == pytest.approx(200 / 300)
    assert report.error_at_most is not None
    assert 0.02 < report.error_at_most < 0.05


def test_the_calibration_error_is_how_far_confidence_is_from_the_share_of_right_answers() -> None:
    answers = [ScoredAnswer(0.9, accepted=True, right=number < 7) for number in range(10)]  # 0.2 too sure
    answers += [ScoredAnswer(0.25, accepted=False, right=number < 4) for number in range(10)]  # 0.15 not sure enough
    report = calibration_report(answers)
    assert report.expected_calibration_error == pytest.approx((0.2 + 0.15) / 2)
    assert calibration_report([]).expected_calibration_error is None


def test_a_threshold_cannot_separate_answers_of_one_confidence() -> None:
    answers = [ScoredAnswer(0.9, accepted=False, right=True)] * 50
    answers += [ScoredAnswer(0.9, accepted=False, right=False)] * 50
    assert calibration_report(answers).coverage_at_1_percent == 0.0


LINES = (
    LabelWord("Yongfatt", Box(0.1, 0.10, 0.3, 0.12)),
    LabelWord("Enterprise", Box(0.32, 0.10, 0.5, 0.12)),
    LabelWord("Date: 25/12/2018", Box(0.2, 0.2, 0.6, 0.22)),
)


def test_a_value_is_found_across_words_and_within_a_line() -> None:
    assert list(printed_boxes("YONGFATT ENTERPRISE", LINES)) == [Box(0.1, 0.10, 0.5, 0.12)]
    (date,) = printed_boxes("25/12/2018", LINES)
    assert date.left == pytest.approx(0.2 + 0.4 * 4 / 12)  # after the four letters of "Date"
    assert date.right == pytest.approx(0.6)
    assert not list(printed_boxes("26/12/2018", LINES))


def test_grounding_counts_right_values_whose_evidence_lies_on_the_print(evaluator: Evaluator) -> None:
    words = [{"text": "Total 5.00", "box": [100, 100, 300, 120]}, {"text": "7.00", "box": [100, 200, 150, 220]}]

    def evidence(*box: float) -> list[dict[str, Any]]:
        return [{"page": 1, "box": list(box), "text": "", "match": "exact"}]

    fields = {
        "total": predicted("5.00", evidence=evidence(0.21, 0.10, 0.30, 0.12)),
        "subtotal": predicted("7.00", evidence=evidence(0.10, 0.70, 0.15, 0.72)),
        "tip": predicted("9.99", evidence=evidence(0.0, 0.0, 1.0, 1.0)),
    }
    label = {"total": "5.00", "subtotal": "7.00", "tip": "9.99"}
    evaluation = evaluator.evaluate_one(label, fields, width=1000, height=1000, words=words)
    assert evaluation.scores.micro.counts == Counts(right=3)
    assert (evaluation.groundable, evaluation.grounded) == (2, 1)  # 9.99 is in no transcript
