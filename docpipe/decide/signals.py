"""The numbers behind a confidence, each 0-1; docpipe/confidence.py turns them into P(right).

In: the joint choice. Out: signals of the chosen values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from docpipe.data import Evidence, Match
from docpipe.decide.joint import Assignment, JointChoice
from docpipe.decide.options import ScoredOption
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema_ports import Rule, only_objects

_GRADES: dict[Match, float] = {"exact": 1.0, "normalised": 0.8, "fuzzy": 0.4}


class Signals:
    """What speaks for the chosen options of a document, and what against them."""

    def __init__(self, choice: JointChoice, assignment: Assignment, document: DocumentIndex) -> None:
        self._choice, self._assignment, self._document = choice, assignment, document
        scores: list[float] = []
        by_row: dict[str, list[float]] = defaultdict(list)
        for path, index in assignment.items():
            option, score = choice.table[path][index]
            if option is not None and not option.is_calibrated:
                # what captions or sums found is no word of the network's about the page: what it said itself counts
                option, score = _of_network(choice.table[path])
            if option is not None:
                scores.append(min(1.0, score))
                by_row[FieldPath.parse(path).row].append(min(1.0, score))
        # one value that looks sure on a page that is hard to read is less sure than it looks
        self._document_score = _mean(scores)
        self._row_scores = {row: _mean(of_row) for row, of_row in by_row.items()}

    def of(self, path: str) -> dict[str, float]:
        """The signals of one path; none when it is absent."""
        chosen = self._assignment[path]
        option, score = self._choice.table[path][chosen]
        if option is None:
            return {}
        # what was found beside the network takes nothing from the distance to what it said itself
        others = [
            one.score
            for index, one in enumerate(self._choice.table[path])
            if index != chosen and (one.option is None or one.option.is_calibrated)
        ]
        reading, row = self._reading_confidences(option.evidence), FieldPath.parse(path).row
        return {
            **option.signals,
            "score": min(1.0, score),
            "margin": max(0.0, min(1.0, score) - max(others, default=0.0)),
            "ocr_min": min(reading, default=0.0),
            "ocr_mean": _mean(reading),
            "match": min((_GRADES[quote.match] for quote in option.evidence), default=0.0),
            "parsed": float(option.value is not None),
            "undoubted": float(option.parsed.issue is None),
            **self._rules(path),
            "elsewhere": float(option.is_unproposed),
            "cell": float(bool(row)),
            "document": self._document_score,
            **({"row": self._row_scores[row]} if row and row in self._row_scores else {}),
        }

    def _rules(self, path: str) -> dict[str, float]:
        """Whether a rule, or a hint (a row's quantity times price is its amount), holds with the value or breaks."""
        verdicts = [
            (self._choice.applications[number].rule.severity == "info", verdict)
            for number in self._choice.applications_of(path)
            if not ((verdict := self._choice.check(number, self._assignment)) and only_objects(self._rule(number)))
        ]
        return {
            "rules_held": float((False, True) in verdicts),
            "rules_broken": float((False, False) in verdicts),
            "hints_held": float((True, True) in verdicts),
            "hints_broken": float((True, False) in verdicts),
        }

    def _rule(self, number: int) -> Rule:
        return self._choice.applications[number].rule

    def _reading_confidences(self, evidence: tuple[Evidence, ...]) -> list[float]:
        """The reader's confidence in each word of the evidence."""
        pages = self._document.pages
        return [
            pages[quote.page].words[word].confidence
            for quote in evidence
            if quote.page in pages
            for word in pages[quote.page].words_in(quote.box)
        ]


def _of_network(scored: Sequence[ScoredOption]) -> ScoredOption:
    """The likeliest without what was found beside the network; being absent may be that."""
    own = [one for one in scored if one.option is None or one.option.is_calibrated]
    return max(own, key=lambda one: one.score, default=ScoredOption(None, 1.0))


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
