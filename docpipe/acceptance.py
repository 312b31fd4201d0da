"""Which values are accepted: how sure is sure enough.

In: calibrations and an error rate. Out: an `AcceptancePolicy`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docpipe.cascade import Cascade
from docpipe.confidence import Calibration
from docpipe.data import Issue
from docpipe.ports import Extractor

ACCEPT_ERROR = 0.01  # of the accepted values, the share that may be wrong, unless the user says otherwise


@dataclass(frozen=True, slots=True)
class AcceptancePolicy:
    """A calibration, and the share of wrong values that is allowed among the accepted ones. `second_calibration` is for
    what the second model of a cascade was asked about."""

    calibration: Calibration
    accept_error: float = ACCEPT_ERROR
    second_calibration: Calibration | None = None

    @classmethod
    def for_extractor(
        cls, extractor: Extractor, accept_error: float = ACCEPT_ERROR, *folders: Path
    ) -> AcceptancePolicy:
        """With the calibration that was fitted for this extractor, in one of the folders or in the package. Of a
        cascade: the first model's own, and for what the second was asked one that was fitted for the cascade."""
        if isinstance(extractor, Cascade):
            first = Calibration.for_extractor(extractor.first.name, *folders)
            return cls(first, accept_error, Calibration.for_extractor(extractor.name, *folders))
        return cls(Calibration.for_extractor(extractor.name, *folders), accept_error)

    @property
    def fingerprint(self) -> str:
        """Changes when a confidence or a threshold may change."""
        second = "" if self.second_calibration is None else f"+{self.second_calibration.fingerprint}"
        return self.calibration.fingerprint + second

    def issues(self, *, used_second: bool) -> Iterator[Issue]:
        """That no value can be accepted, for want of checked examples."""
        calibrations = [(self.calibration, "no value")]
        if used_second and self.second_calibration is not None:
            calibrations.append((self.second_calibration, "no value of the second model"))
        for calibration, subject in calibrations:
            if calibration.threshold(self.accept_error) is None:
                message = (
                    f"{subject} is accepted: {len(calibration.held_out)} checked examples of this extractor do not"
                    f" prove an error of at most {self.accept_error:.2%} at any confidence"
                )
                yield Issue("not_calibrated", message)
