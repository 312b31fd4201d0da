"""ANLS: how similar an answer is to what is printed, forgiving errors of OCR.

In: predicted texts and right ones. Out: similarities 0-1, their mean over questions, its bootstrap interval.
The formula is that of Biten et al., Scene Text Visual Question Answering, ICCV 2019 (arXiv:1905.13648), section 4: one
minus the Levenshtein distance over the longer length, 0 where that falls below one half, the best of all right answers.
As is usual for it, letters count without their case; runs of blanks and line breaks count as one blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from docpipe.evaluate.scores import Interval, interval_of, resample

THRESHOLD = 0.5  # of the paper: what is less similar is no error of OCR but another answer


def normalised_similarity(prediction: str, reference: str) -> float:
    """One minus the normalised Levenshtein distance, without threshold."""
    return float(Levenshtein.normalized_similarity(_folded(prediction), _folded(reference)))


def question_score(prediction: str, references: Iterable[str]) -> float:
    """The score of one question; any of the right answers will do."""
    best = max((normalised_similarity(prediction, reference) for reference in references), default=0.0)
    return best if best >= THRESHOLD else 0.0


def mean_score(documents: Sequence[Sequence[float]]) -> tuple[float, Interval | None]:
    """`documents`: the scores of the questions of each. The mean counts every question once; for its 95 % interval
    documents are resampled as wholes, None where there are too few of them."""
    table = np.array([(sum(scores), len(scores)) for scores in documents], np.float64).reshape(-1, 2)
    total, count = table.sum(axis=0)
    resampled = resample(table)
    return float(total / max(count, 1.0)), interval_of(resampled[:, 0] / np.maximum(resampled[:, 1], 1.0))


def _folded(text: str) -> str:
    return " ".join(text.lower().split())
