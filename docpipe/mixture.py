"""One answer of two. What is not printed never displaces what is, and a second model counts by what is known of it.

In: two grounded answers about the same pages, and for which fields the first has a value. Out: one Answer, with an
issue for what was left out. docs/decisions/0035-what-a-second-model-may-change.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from docpipe.copied_values import IN_PROMPT, named
from docpipe.cost import with_cost
from docpipe.data import Answer, Candidate, Issue
from docpipe.paths import FieldPath
from docpipe.text_normalisation import squeeze

LEFT_OUT = "second_not_printed"
AGREED = "agreed"  # the signal of a value that both gave


@dataclass(frozen=True, slots=True)
class MixtureWeights:
    """What the scores of each answer count for a field."""

    first: float
    second: float


EQUAL = MixtureWeights(0.5, 0.5)
# Of a second model of which nothing is known, where the first has a value: one at .54 (.35) outweighs whatever the
# second answers (.35 at most, for a score of 1). `python -m benchmarks.accuracy.second_model` shows what that costs.
CAUTIOUS = MixtureWeights(0.65, 0.35)


@dataclass(frozen=True)
class Mixture:
    """`paths` are those of single fields and of lists that the second was asked about, `valued` those for which the
    first has decided on a value. `is_known`: the two are the same model, or a calibration was fitted to them together;
    then each counts as much as the other, and null of the second is worth as much as a value."""

    first: Answer
    second: Answer
    paths: Collection[str]
    valued: Collection[str]
    is_known: bool

    def answer(self, lists_of_second: Collection[str]) -> Answer:
        """Single fields that both were asked about are mixed; the rows of these lists are the second's."""
        second = self._without_invented()
        proposed = {candidate.path for candidate in second.candidates}
        answered = proposed | {path for path in second.absent if self.is_known or path not in self.valued}
        mixed = answered.intersection(self.paths) - set(lists_of_second)
        absent = {path: p for path, p in self.first.absent.items() if _list(path) not in lists_of_second}
        absent |= {path: p for path, p in second.absent.items() if _list(path) in lists_of_second}
        absent |= {path: self._absence(path, second) for path in mixed}
        of_second = (cell for cell in _printed_rows(second.candidates) if _list(cell.path) in lists_of_second)
        merged = replace(
            self.first,
            candidates=(
                *(candidate for candidate in self.first.candidates
                  if candidate.path not in mixed and _list(candidate.path) not in lists_of_second),
                *self._mixed(second.candidates, mixed),
                *of_second,
            ),
            absent=absent,
            finish=self.first.finish if self.first.finish != "complete" else second.finish,
            issues=(*self.first.issues, *second.issues),
        )  # fmt: skip
        return with_cost(merged, second.cost)

    def rows_of_first(self, list_path: str) -> int:
        return _row_count(self.first.candidates, list_path)

    def rows_of_second(self, list_path: str) -> int:
        """Those of which at least a part is printed."""
        return _row_count(_printed_rows(self.second.candidates), list_path)

    def may_replace_rows(self, list_path: str) -> bool:
        """Whether the second has rows that may stand in the first's place: no row is printed nowhere, nor a number in
        one, and where its list broke off there are more than the first has."""
        rows = self.rows_of_second(list_path)
        if not rows or not self.rows_of_first(list_path):
            return bool(rows)
        is_partial = any(issue.code == "partial" and issue.field == list_path for issue in self.second.issues)
        cells = [cell for cell in self.second.candidates if _list(cell.path) == list_path]
        is_printed = rows == _row_count(cells, list_path) and all(cell.evidence for cell in cells if _has_digit(cell))
        return is_printed and rows > (self.rows_of_first(list_path) if is_partial else 0)

    def _without_invented(self) -> Answer:
        """The second answer without values of single fields that are printed nowhere, where another value is: one of
        the first's, or of its own; and without words of its instructions where the first has another value: they are
        printed on many a page, and say nothing. An issue names them."""
        printed = {candidate.path for candidate in self.second.candidates if candidate.evidence}
        taken = printed.union(self.valued)
        of_first = {_key(candidate) for candidate in self.first.candidates}
        kept: list[Candidate] = []
        left_out: list[Candidate] = []
        for candidate in self.second.candidates:
            is_invented = not candidate.evidence and candidate.path in taken
            is_copied = IN_PROMPT in candidate.signals and candidate.path in self.valued
            is_left_out = (
                (is_invented or is_copied) and _list(candidate.path) is None and _key(candidate) not in of_first
            )
            (left_out if is_left_out else kept).append(candidate)
        if not left_out:
            return self.second
        message = (
            f"values of the second model that are printed nowhere, or stand in its instructions: {named(left_out)}"
        )
        issues = (*self.second.issues, Issue(LEFT_OUT, message, "info"))
        return replace(self.second, candidates=tuple(kept), issues=issues)

    def _absence(self, path: str, second: Answer) -> float:
        """The weighted mean of those who say how likely a field is absent; where nobody does, what the second's
        candidates leave."""
        of_first, of_second = self.first.absent.get(path), second.absent.get(path)
        if of_first is None and of_second is None:
            return max(0.0, 1.0 - sum(candidate.score for candidate in second.candidates if candidate.path == path))
        if of_first is None or of_second is None:
            return (of_first if of_second is None else of_second) or 0.0
        weights = self._weights(path)
        return weights.first * of_first + weights.second * of_second

    def _weights(self, path: str) -> MixtureWeights:
        """Where the first has found nothing, what the second has found on the pages counts as much as that."""
        return EQUAL if self.is_known or path in self._found - set(self.valued) else CAUTIOUS

    @cached_property
    def _found(self) -> set[str]:
        """Fields for which the second gives what is printed, and not only a word of its instructions."""
        return {candidate.path for candidate in self.second.candidates if _is_found(candidate)}

    def _mixed(self, second: Iterable[Candidate], paths: Collection[str]) -> Iterator[Candidate]:
        """The candidates of both for these single fields, with what their scores count. Of the first's those that are
        printed nowhere give way to a printed one of the second."""
        of_first = [candidate for candidate in self.first.candidates if candidate.path in paths]
        of_second = [candidate for candidate in second if candidate.path in paths]
        printed = {candidate.path for candidate in of_second if candidate.evidence}
        of_first = [candidate for candidate in of_first if candidate.evidence or candidate.path not in printed]
        scores = {_key(candidate): candidate.score for candidate in of_second}
        for candidate in of_first:
            weights, key = self._weights(candidate.path), _key(candidate)
            if key in scores:  # both say so: one candidate, with the place that the first has found
                score = 1.0 - (1.0 - candidate.score) * (1.0 - weights.second * scores.pop(key))
                yield replace(candidate, score=score, signals={**candidate.signals, AGREED: 1.0})
            else:
                yield replace(candidate, score=weights.first * candidate.score)
        for candidate in of_second:
            if _key(candidate) in scores:
                yield replace(candidate, score=self._weights(candidate.path).second * candidate.score)


def _is_found(candidate: Candidate) -> bool:
    return bool(candidate.evidence) and IN_PROMPT not in candidate.signals


def _key(candidate: Candidate) -> tuple[str, str]:
    """Two candidates with the same one say the same."""
    return candidate.path, squeeze(candidate.text)


def _printed_rows(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The cells of rows of which at least one cell is printed, and no word of the instructions."""
    cells = [candidate for candidate in candidates if _list(candidate.path) is not None]
    rows = {FieldPath.parse(cell.path).row for cell in cells if _is_found(cell)}
    return [cell for cell in cells if FieldPath.parse(cell.path).row in rows]


def _list(path: str) -> str | None:
    """`line_items[2].amount` -> `line_items`; None for a single field."""
    return FieldPath.parse(path).list_path


def _has_digit(candidate: Candidate) -> bool:
    return any(map(str.isdigit, candidate.text))


def _row_count(candidates: Iterable[Candidate], list_path: str) -> int:
    cells = (FieldPath.parse(candidate.path) for candidate in candidates)
    return len({cell.row_number for cell in cells if cell.list_path == list_path})
