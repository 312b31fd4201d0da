"""Counts become precision, recall and F1, with the interval in which they would fall on other documents of the kind.

In: outcomes per document. Out: scores, bootstrap intervals, calibration figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from docpipe.evaluate.compare import MatchOutcome

OUTCOMES: tuple[MatchOutcome, ...] = ("right", "wrong", "missed", "spurious")
RESAMPLES = 1000  # the ends of a 95 % interval are then the 25th and 975th value: steady to about half a point
SEED = 7  # the same files give the same interval
MIN_DOCUMENTS = 10  # an interval over fewer documents says nothing
BINS = 10
Numeric = TypeVar("Numeric", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class Counts:
    """A wrong answer costs twice: the answer was not right, and the value was not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    spurious: int = 0

    @property
    def precision(self) -> float | None:
        return _ratio(self.right, self.right + self.wrong + self.spurious)

    @property
    def recall(self) -> float | None:
        return _ratio(self.right, self.right + self.wrong + self.missed)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.right, 2 * (self.right + self.wrong) + self.missed + self.spurious)

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "f1": self.f1}


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Score:
    """`interval` is the 95 % bootstrap interval of F1, None where there are too few documents."""

    counts: Counts
    interval: Interval | None

    def to_json(self) -> dict[str, object]:
        return {**self.counts.to_json(), "f1_95": self.interval}


@dataclass(frozen=True, slots=True)
class MacroScore:
    """The mean of the fields' F1, each field counting once."""

    f1: float | None
    interval: Interval | None

    def to_json(self) -> dict[str, object]:
        return {"f1": self.f1, "f1_95": self.interval}


@dataclass(frozen=True, slots=True)
class Scores:
    fields: Mapping[str, Score]
    micro: Score
    macro: MacroScore


def score_documents(documents: Sequence[Mapping[str, Counts]]) -> Scores:
    """`documents`: for each document, its counts by field path. Documents are resampled as wholes,
    since the fields of one document are right or wrong together.
    """
    paths = list(dict.fromkeys(path for document in documents for path in document))
    table = np.array(
        [[_row(document.get(path, Counts())) for path in paths] for document in documents], dtype=np.int64
    ).reshape(len(documents), len(paths), len(OUTCOMES))
    resampled = resample(table)  # resamples x paths x outcomes
    f1_by_path, resampled_f1_by_path = f1_of(table.sum(axis=0)), f1_of(resampled)
    fields = {
        path: Score(Counts(*table[:, index].sum(axis=0).tolist()), interval_of(resampled_f1_by_path[:, index]))
        for index, path in enumerate(paths)
    }
    micro = Score(Counts(*table.sum(axis=(0, 1)).tolist()), interval_of(f1_of(resampled.sum(axis=1))))
    return Scores(fields, micro, MacroScore(_known_mean(f1_by_path), interval_of(_row_means(resampled_f1_by_path))))


def _row(counts: Counts) -> list[int]:
    return [counts.right, counts.wrong, counts.missed, counts.spurious]


def resample(table: NDArray[Numeric]) -> NDArray[Numeric]:
    """As many documents as there are, drawn with replacement, RESAMPLES times; none when they are too few."""
    documents = len(table)
    if documents < MIN_DOCUMENTS:
        return np.zeros((0, *table.shape[1:]), dtype=table.dtype)
    multiplicities = np.random.default_rng(SEED).multinomial(documents, [1 / documents] * documents, size=RESAMPLES)
    return np.tensordot(multiplicities, table, axes=1)


def f1_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 along the last axis (right, wrong, missed, spurious); not a number where nothing was counted."""
    right, wrong, missed, spurious = np.moveaxis(counts, -1, 0)
    denominator = (2 * (right + wrong) + missed + spurious).astype(np.float64)
    f1 = np.full(denominator.shape, np.nan)
    np.divide(2.0 * right, denominator, out=f1, where=denominator > 0)
    return f1


def _known_mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _row_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    means = [_known_mean(row) for row in values]
    return np.array([mean for mean in means if mean is not None])


def interval_of(values: NDArray[np.float64]) -> Interval | None:
    """The middle 95 % of resampled figures; None where there are none."""
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """How sure an answer was, whether it was accepted, and whether it was right."""

    confidence: float
    accepted: bool
    right: bool


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Answers of like confidence, and how many of them were right."""

    low: float
    high: float
    answers: int
    right: int


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What `accepted` was worth. `error_at_most` is the upper end of the 95 % interval (Clopper-Pearson)
    of the share of wrong answers among the accepted ones; `coverage_at_1_percent` the share of all
    answers that the best threshold on their confidence accepts with at most 1 % wrong among them.
    `expected_calibration_error`: how far confidence and share of right answers lie apart, as a mean over the bins.
    """

    answers: int
    wrong: int
    accepted: int
    accepted_wrong: int
    error_at_most: float | None
    coverage_at_1_percent: float | None
    expected_calibration_error: float | None
    bins: tuple[ConfidenceBin, ...]

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def calibration_report(answers: Sequence[ScoredAnswer]) -> CalibrationReport:
    """`answers`: every answer that was scored, cells of lists included."""
    accepted = [answer.right for answer in answers if answer.accepted]
    accepted_wrong = accepted.count(False)
    return CalibrationReport(
        answers=len(answers),
        wrong=sum(not answer.right for answer in answers),
        accepted=len(accepted),
        accepted_wrong=accepted_wrong,
        error_at_most=_upper_bound(accepted_wrong, len(accepted)),
        coverage_at_1_percent=_coverage(answers, 0.01),
        expected_calibration_error=_calibration_error(answers),
        bins=_bins(answers),
    )


def _upper_bound(wrong: int, total: int) -> float | None:
    if not total:
        return None
    if wrong == total:
        return 1.0
    from scipy.stats import beta  # heavy: 0.5 s, and only this bound needs it

    return float(beta.ppf(0.975, wrong + 1, total - wrong))


def _coverage(answers: Sequence[ScoredAnswer], max_error: float) -> float | None:
    """Answers of one confidence are accepted or refused together: a threshold cannot separate them."""
    accepted_count = wrong = 0
    ranked = sorted(answers, key=lambda answer: -answer.confidence)
    for count, answer in enumerate(ranked, start=1):
        wrong += not answer.right
        is_last_of_its_confidence = count == len(ranked) or ranked[count].confidence != answer.confidence
        if is_last_of_its_confidence and wrong <= max_error * count:
            accepted_count = count
    return _ratio(accepted_count, len(ranked))


def _calibration_error(answers: Sequence[ScoredAnswer]) -> float | None:
    """Guo et al. 2017, On Calibration of Modern Neural Networks: bins weigh as much as they have answers."""
    distance = sum(abs(sum(answer.confidence - answer.right for answer in members)) for members in _binned(answers))
    return _ratio(distance, len(answers))


def _bins(answers: Sequence[ScoredAnswer]) -> tuple[ConfidenceBin, ...]:
    bins = (
        ConfidenceBin(index / BINS, (index + 1) / BINS, len(members), sum(answer.right for answer in members))
        for index, members in enumerate(_binned(answers))
    )
    return tuple(each for each in bins if each.answers)


def _binned(answers: Sequence[ScoredAnswer]) -> list[list[ScoredAnswer]]:
    """By their confidence, in bins of the same width."""
    bins: list[list[ScoredAnswer]] = [[] for _ in range(BINS)]
    for answer in answers:
        bins[min(int(answer.confidence * BINS), BINS - 1)].append(answer)
    return bins
