"""The numbers behind a confidence, each 0-1; docpipe/confidence.py turns them into P(right).

In: the joint choice. Out: signals of one chosen value.
"""

from __future__ import annotations

from collections.abc import Mapping

from docpipe.align import PageIndex
from docpipe.data import Evidence, Match
from docpipe.decide.joint import Assignment, JointChoice
from docpipe.decide.options import Option

_GRADES: dict[Match, float] = {"exact": 1.0, "normalised": 0.8, "fuzzy": 0.4}


def signals_of(path: str, choice: JointChoice, taken: Assignment, indexes: Mapping[int, PageIndex]) -> dict[str, float]:
    """What speaks for the chosen option of a path, and what against it."""
    option, score = choice.table[path][taken[path]]
    if option is None:
        return {}
    others = [other for place, (_, other) in enumerate(choice.table[path]) if place != taken[path]]
    verdicts = [
        choice.check(number, taken)
        for number, unit in enumerate(choice.units)
        if path in unit.paths and unit.rule.severity != "info"
    ]
    ocr = _ocr(option.evidence, indexes)
    return {
        **option.signals,
        "score": min(1.0, score),
        "margin": max(0.0, min(1.0, score) - max(others, default=0.0)),
        "ocr_min": min(ocr, default=0.0),
        "ocr_mean": sum(ocr) / len(ocr) if ocr else 0.0,
        "match": _grade(option),
        "parsed": float(option.value is not None),
        "undoubted": float(option.parsed.issue is None),
        "rules_held": float(any(verdict is True for verdict in verdicts)),
        "rules_broken": float(any(verdict is False for verdict in verdicts)),
        "elsewhere": float(option.elsewhere),
        "cell": float("[" in path),
    }


def _grade(option: Option) -> float:
    return min((_GRADES[quote.match] for quote in option.evidence), default=0.0)


def _ocr(evidence: tuple[Evidence, ...], indexes: Mapping[int, PageIndex]) -> list[float]:
    """The reader's confidence in each word of the evidence."""
    return [
        indexes[quote.page].words[word].confidence
        for quote in evidence
        if quote.page in indexes
        for word in indexes[quote.page].words_in(quote.box)
    ]
