"""How sure a value is: signals become P(right), and P(right) becomes a threshold for an error rate.

In: signals of decided values; for fitting, records of which were right. Out: a Calibration, kept as JSON.

The model is a logistic regression over a few transformed signals, fitted for all kinds together and then, where a
group of kinds has enough records, again with the shared coefficients as its prior. The threshold is one at which the
error among the accepted is bounded, with probability 0.95, on records that their model did not see.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from docpipe.errors import ModelError
from docpipe.schema_ports import Group

# The shipped calibration lies beside the weights whose scores it was fitted on.
CALIBRATION_FILES = "calibration*.json"  # in a folder: one for each extractor
SHIPPED_FOLDER = "vlm/weights"
UNCALIBRATED = "uncalibrated"

MIN_SCORE_DISTANCE = 3e-4  # scores nearer to 0 or 1 are not told apart: rounding to int8 alone moves them by as much
FOLDS = 5  # each record's confidence, for the threshold, comes from a model fitted on the other four parts
MIN_GROUP_RECORDS = 200  # fewer records of a group of kinds say less about it than all records together
SHARED_PRIOR_STRENGTH = 1.0  # strength of the pull to zero, in units of records; keeps separable data finite
GROUP_PRIOR_STRENGTH = 10.0  # strength of a group's pull to the shared coefficients
MAX_NEWTON_STEPS = 50
SIZE_STEP = 1.25  # between the numbers of records tried: finer costs more in Bonferroni's correction than it gains
FAILURE_PROBABILITY = 0.05  # probability with which the bound on the error may fail, over the choice of the records

# The groups of kinds that share coefficients. The choices of the records (titles of invoices) were fitted as text.
COEFFICIENT_SETS: Mapping[Group, str] = {
    "number": "amount",
    "date": "date", "time": "date",
    "identifier": "code", "code": "code",
    "text": "text", "name": "text", "address": "text", "choice": "text",
}  # fmt: skip
# `one` is the constant term. The names stand in calibration files and in results.
FEATURES = (
    "one", "score", "inside", "document", "row", "cell", "margin", "ocr_min", "ocr_mean", "match", "parsed",
    "undoubted", "rules_held", "rules_broken", "hints_held", "hints_broken", "support", "elsewhere",
)  # fmt: skip
PROBABILITIES = ("score", "inside", "document", "row")  # of these the log odds count; 0 where there is none

# Used until a calibration has been fitted: half of the extractor's log odds, every doubt counted against the value. It
# orders values sensibly and claims nothing: without records there is no threshold, so nothing is accepted.
_UNCALIBRATED_COEFFICIENTS = (
    -4.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.5, 1.0, 0.5, 0.5, 1.0, -1.5, 0.0, 0.0, 0.3, -1.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """One decided value whose truth is known. `document` keeps the values of one document in one fold."""

    document: str
    group: Group
    signals: Mapping[str, float]
    right: bool


@dataclass(frozen=True)
class Calibration:
    """Coefficients by set (`shared` for the rest), and how the confidences fared on held-out records."""

    extractor: str
    coefficients: Mapping[str, tuple[float, ...]]
    held_out: tuple[tuple[float, bool], ...] = ()  # confidence and whether right, the most confident first

    def confidence(self, signals: Mapping[str, float], group: Group) -> float:
        """P(the value is right), for a value of a kind of this group."""
        weights = self.coefficients.get(COEFFICIENT_SETS[group], self.coefficients["shared"])
        return _sigmoid(sum(weight * x for weight, x in zip(weights, features(signals), strict=True)))

    def threshold(self, error_rate: float) -> float | None:
        """The smallest confidence at which the error among the accepted is at most `error_rate`, or None when the
        held-out records are too few (or too wrong) to say so of any.

        Learn then test (Angelopoulos et al. 2021, arXiv 2110.01052) with the Bonferroni correction: for the n most
        confident records, for a few n fixed by their number alone, the hypothesis "the error is above `error_rate`"
        is rejected when P(Binomial(n, error_rate) <= errors) <= FAILURE_PROBABILITY / tests; that is, when the
        Clopper-Pearson upper bound at that level is at most `error_rate`. It holds for documents like those of the
        records.
        """
        sizes = _candidate_sizes(len(self.held_out), error_rate)
        lowest = None
        for size in sizes:
            bound = self.held_out[size - 1][0]
            accepted = sum(confidence >= bound for confidence, _ in self.held_out)  # ties are accepted together
            errors = self._errors[accepted - 1]
            if binomial_tail(errors, accepted, error_rate) <= FAILURE_PROBABILITY / len(sizes):
                lowest = bound if lowest is None else min(lowest, bound)
        return lowest

    @cached_property
    def _errors(self) -> list[int]:
        """Errors among the first n held-out records."""
        return np.cumsum([not right for _, right in self.held_out]).tolist()  # type: ignore[no-any-return]

    @cached_property
    def fingerprint(self) -> str:
        """Changes when a confidence or a threshold may change."""
        return sha256(self._json().encode()).hexdigest()[:12]

    def save(self, path: Path) -> None:
        path.write_text(self._json() + "\n", encoding="utf-8")

    def _json(self) -> str:
        content = {
            "extractor": self.extractor,
            "features": FEATURES,
            "coefficients": {group: [round(c, 5) for c in values] for group, values in self.coefficients.items()},
            "held_out": [[round(confidence, 5), int(right)] for confidence, right in self.held_out],
        }
        return json.dumps(content)

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Raises ModelError when the file is missing or was fitted for other signals."""
        try:
            return _from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"the calibration {path} cannot be used: {error}",
                hint="Fit it again with `python -m benchmarks.accuracy.fit_confidence`.",
            ) from error

    @classmethod
    def for_extractor(cls, extractor: str, *folders: Path) -> Calibration:
        """The calibration that was fitted for this extractor, in one of the folders or in the package; else cautious
        coefficients without a threshold."""
        for folder in (*folders, Path(str(files("docpipe"))) / SHIPPED_FOLDER):
            for file in sorted(folder.glob(CALIBRATION_FILES)):
                calibration = cls.load(file)
                if calibration.extractor == extractor:
                    return calibration
        return cls(UNCALIBRATED, {"shared": _UNCALIBRATED_COEFFICIENTS})


def features(signals: Mapping[str, float]) -> tuple[float, ...]:
    """The transformed signals, in the order of FEATURES; a signal that is missing counts as 0."""
    values = {"score": 0.0, **signals}
    log_odds = (_log_odds(values[name]) if name in values else 0.0 for name in PROBABILITIES)
    return (1.0, *log_odds, *(values.get(name, 0.0) for name in FEATURES[1 + len(PROBABILITIES) :]))


def _log_odds(probability: float) -> float:
    bounded = min(1 - MIN_SCORE_DISTANCE, max(MIN_SCORE_DISTANCE, probability))
    return math.log(bounded / (1 - bounded))


def fit(records: Sequence[Record], extractor: str) -> Calibration:
    """Coefficients from all records; held-out confidences from models that did not see the record's document."""
    if not records:
        raise ModelError("there are no records to fit a calibration on", hint="Give results with known truth.")
    held_out: list[tuple[float, bool]] = []
    for fold in range(FOLDS):
        training = [record for record in records if _fold(record) != fold]
        held_out_records = [record for record in records if _fold(record) == fold]
        if not training or not held_out_records:
            continue
        model = Calibration(extractor, _coefficients(training))
        held_out += [(model.confidence(record.signals, record.group), record.right) for record in held_out_records]
    held_out.sort(key=lambda pair: (-pair[0], pair[1]))
    return Calibration(extractor, _coefficients(records), tuple(held_out))


def binomial_tail(errors: int, size: int, rate: float) -> float:
    """P(Binomial(size, rate) <= errors)."""
    if rate <= 0.0 or size == 0:
        return 1.0
    if rate >= 1.0:
        return float(errors >= size)
    logs = [
        math.lgamma(size + 1) - math.lgamma(k + 1) - math.lgamma(size - k + 1)
        + k * math.log(rate) + (size - k) * math.log1p(-rate)
        for k in range(errors + 1)
    ]  # fmt: skip
    return min(1.0, math.fsum(math.exp(log) for log in logs))


def records_needed(error_rate: float) -> int:
    """How many records, all of them right, suffice to promise an error of at most this. With errors among the surest
    it takes more."""
    fewest = math.ceil(math.log(FAILURE_PROBABILITY) / math.log1p(-error_rate))
    return next(
        count
        for count in itertools.count(fewest)
        if any(
            binomial_tail(0, size, error_rate) <= FAILURE_PROBABILITY / len(sizes)
            for sizes in [_candidate_sizes(count, error_rate)]
            for size in sizes
        )
    )


def _candidate_sizes(count: int, error_rate: float) -> list[int]:
    """How many of the most confident are tried: all, then SIZE_STEP times fewer, down to what can prove any error."""
    if not 0.0 < error_rate < 1.0:
        return []
    fewest = max(1.0, math.log(FAILURE_PROBABILITY) / math.log1p(-error_rate))
    sizes: list[int] = []
    while (size := int(count / SIZE_STEP ** len(sizes))) >= fewest:
        sizes.append(size)
    return sizes


def _coefficients(records: Iterable[Record]) -> dict[str, tuple[float, ...]]:
    by_set: dict[str, list[Record]] = {}
    for record in records:
        by_set.setdefault(COEFFICIENT_SETS[record.group], []).append(record)
    all_records = [record for members in by_set.values() for record in members]
    zero = np.zeros(len(FEATURES))
    shared = _logistic_regression(all_records, zero, SHARED_PRIOR_STRENGTH)
    coefficients = {"shared": tuple(shared.tolist())}
    for name, members in sorted(by_set.items()):
        if len(members) >= MIN_GROUP_RECORDS:
            coefficients[name] = tuple(_logistic_regression(members, shared, GROUP_PRIOR_STRENGTH).tolist())
    return coefficients


def _logistic_regression(records: Sequence[Record], prior: np.ndarray, strength: float) -> np.ndarray:
    """Newton's method on the log likelihood with a Gaussian prior around `prior`."""
    x = np.array([features(record.signals) for record in records])
    y = np.array([record.right for record in records], dtype=float)
    weights = prior.copy()
    for _ in range(MAX_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (y - p) - strength * (weights - prior)
        curvature = (x * (p * (1 - p))[:, None]).T @ x + strength * np.eye(len(prior))
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step * min(1.0, 5.0 / max(1e-9, float(np.abs(step).max())))
        if float(np.abs(step).max()) < 1e-6:
            break
    return weights


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, x))))


def _fold(record: Record) -> int:
    return int(sha256(record.document.encode()).hexdigest(), 16) % FOLDS


def _from_json(content: Any) -> Calibration:
    if tuple(content["features"]) != FEATURES:
        raise ValueError(f"it was fitted for the signals {', '.join(content['features'])}")
    coefficients = {group: tuple(map(float, values)) for group, values in content["coefficients"].items()}
    held_out = tuple((float(confidence), bool(right)) for confidence, right in content["held_out"])
    return Calibration(str(content["extractor"]), coefficients, held_out)
