"""Why answers were wrong, counted: what `benchmarks.accuracy.quality` prints below each table.

In: the mistakes of an evaluation. Out: how many of each cause, told from the texts alone: what was said and what is
right. Whether the right text was read at all, only a look at the page says (`docpipe evaluate --errors`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rapidfuzz import fuzz

from docpipe.evaluate.compare import label_text, letters_and_digits
from docpipe.evaluate.report import Evaluation, FieldComparison

ALIKE = 80.0  # of 100: letters slipped, the text is the one
RELATED = 50.0  # the text is part of it, or it of the text, with more beside


def causes(evaluation: Evaluation) -> Counter[str]:
    """Single fields and cells of rows that were matched; of rows that were not, each cell."""
    return Counter(map(cause, _mistakes(evaluation)))


def _mistakes(evaluation: Evaluation) -> Iterable[FieldComparison]:
    return (mistake for judged in evaluation.documents for mistake in judged.mistakes())


def cause(mistake: FieldComparison) -> str:
    if mistake.outcome == "spurious":
        return "answered, though nothing is there"
    said = "" if mistake.prediction.raw is None else letters_and_digits(str(mistake.prediction.raw))
    if not said:
        return "nothing answered"
    if mistake.outcome == "missed":
        return "read, but not understood"
    return _difference(said, letters_and_digits(label_text(mistake.label)))


def _difference(said: str, right: str) -> str:
    if said == right:
        return "understood otherwise"
    alike = fuzz.ratio(said, right)
    part = said in right or right in said
    if alike >= ALIKE and not part:
        return "letters misread"
    return "begun or ended wrong" if part or (alike >= RELATED and not said.isdigit()) else "another value"
