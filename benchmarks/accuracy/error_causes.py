"""Why answers were wrong, counted: what `benchmarks.accuracy.quality` prints below each table.

In: the mistakes of an evaluation. Out: how many of each cause, told from the texts alone: the answer and what is
right. Whether the right text was read at all, only a look at the page says (`docpipe evaluate --errors`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rapidfuzz import fuzz

from docpipe.evaluate.compare import label_text, letters_and_digits
from docpipe.evaluate.report import Evaluation, FieldComparison

MISREAD_SIMILARITY = 80.0  # of 100: letters slipped, the text is the one
OVERLAP_SIMILARITY = 50.0  # the text is part of it, or it of the text, with more beside


def error_causes(evaluation: Evaluation) -> Counter[str]:
    """Single fields and cells of rows that were matched; of rows that were not, each cell."""
    return Counter(map(error_cause, _mistakes(evaluation)))


def _mistakes(evaluation: Evaluation) -> Iterable[FieldComparison]:
    return (mistake for scored in evaluation.documents for mistake in scored.mistakes())


def error_cause(mistake: FieldComparison) -> str:
    if mistake.outcome == "spurious":
        return "answered, though nothing is there"
    answer = "" if mistake.prediction.raw is None else letters_and_digits(str(mistake.prediction.raw))
    if not answer:
        return "nothing answered"
    if mistake.outcome == "missed":
        return "read, but not understood"
    return _difference(answer, letters_and_digits(label_text(mistake.label)))


def _difference(answer: str, right: str) -> str:
    if answer == right:
        return "understood otherwise"
    similarity = fuzz.ratio(answer, right)
    part = answer in right or right in answer
    if similarity >= MISREAD_SIMILARITY and not part:
        return "letters misread"
    overlaps = part or (similarity >= OVERLAP_SIMILARITY and not answer.isdigit())
    return "begun or ended wrong" if overlaps else "another value"
