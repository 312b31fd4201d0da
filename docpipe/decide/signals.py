"""The numbers behind a confidence, each 0-1; docpipe/confidence.py turns them into P(right).

In: the joint choice. Out: signals of the chosen values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from docpipe.data import Evidence, Match
from docpipe.decide.joint import Assignment, JointChoice
from docpipe.paths import FieldPath
from docpipe.text_search import PageIndex

_GRADES: dict[Match, float] = {"exact": 1.0, "normalised": 0.8, "fuzzy": 0.4}


class Signals:
    """What speaks for the chosen options of a document, and what against them."""

    def __init__(self, choice: JointChoice, taken: Assignment, indexes: Mapping[int, PageIndex]) -> None:
        self._choice, self._taken, self._indexes = choice, taken, indexes
        self._document, self._rows = _mean_scores(choice, taken)
        self._units: dict[str, list[int]] = defaultdict(list)
        for number, unit in enumerate(choice.units):
            for path in unit.paths:
                self._units[path].append(number)

    def of(self, path: str) -> dict[str, float]:
        """The signals of one path; none when it is absent."""
        option, score = self._choice.table[path][self._taken[path]]
        if option is None:
            return {}
        others = [other for place, (_, other) in enumerate(self._choice.table[path]) if place != self._taken[path]]
        ocr, row = _ocr(option.evidence, self._indexes), FieldPath.parse(path).row
        return {
            **option.signals,
            "score": min(1.0, score),
            "margin": max(0.0, min(1.0, score) - max(others, default=0.0)),
            "ocr_min": min(ocr, default=0.0),
            "ocr_mean": _mean(ocr),
            "match": min((_GRADES[quote.match] for quote in option.evidence), default=0.0),
            "parsed": float(option.value is not None),
            "undoubted": float(option.parsed.issue is None),
            **self._rules(path),
            "elsewhere": float(option.elsewhere),
            "cell": float(bool(row)),
            "document": self._document,
            **({"row": self._rows[row]} if row else {}),
        }

    def _rules(self, path: str) -> dict[str, float]:
        """Whether a rule, or a hint (a row's quantity times price is its amount), holds with the value or breaks."""
        units = self._choice.units
        verdicts = [
            (units[number].rule.severity == "info", self._choice.check(number, self._taken))
            for number in self._units[path]
        ]
        return {
            "rules_held": float((False, True) in verdicts),
            "rules_broken": float((False, False) in verdicts),
            "hints_held": float((True, True) in verdicts),
            "hints_broken": float((True, False) in verdicts),
        }


def _mean_scores(choice: JointChoice, taken: Assignment) -> tuple[float, dict[str, float]]:
    """Of all values of the document, and of those of each row. One value that looks sure on a page that is hard to read
    is less sure than it looks."""
    everything: list[float] = []
    rows: dict[str, list[float]] = defaultdict(list)
    for path, place in taken.items():
        option, score = choice.table[path][place]
        if option is not None:
            everything.append(min(1.0, score))
            rows[FieldPath.parse(path).row].append(min(1.0, score))
    return _mean(everything), {row: _mean(found) for row, found in rows.items()}


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _ocr(evidence: tuple[Evidence, ...], indexes: Mapping[int, PageIndex]) -> list[float]:
    """The reader's confidence in each word of the evidence."""
    return [
        indexes[quote.page].words[word].confidence
        for quote in evidence
        if quote.page in indexes
        for word in indexes[quote.page].words_in(quote.box)
    ]
