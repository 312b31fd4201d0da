"""The benchmark of accuracy says in words what the confidence was worth."""

from __future__ import annotations

from benchmarks.accuracy.quality import confidence_lines
from docpipe.evaluate.scores import ScoredAnswer, calibration_report


def test_confidence_is_a_sentence_and_a_table() -> None:
    answers = [ScoredAnswer(0.99, accepted=True, right=True)] * 199 + [ScoredAnswer(0.35, accepted=False, right=False)]
    lines = "\n".join(confidence_lines(calibration_report(answers))).strip().splitlines()
    assert lines == [
        "Accepted: 199 of 200 answers, 0 of them wrong (at most 1.8% with 95 % confidence).",
        "At 1 % error the confidence could accept 100.0%. Expected calibration error: 0.012.",
        "",
        "| confidence | 0.3-0.4 | 0.9-1.0 |",
        "|---|---|---|",
        "| answers | 1 | 199 |",
        "| right | 0 | 199 |",
    ]


def test_without_answers_nothing_is_said_of_confidence() -> None:
    assert list(confidence_lines(calibration_report([]))) == []
