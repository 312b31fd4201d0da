"""Which values are accepted: how sure is sure enough, and what vetoes it.

In: calibrations and an error rate; the fields of a document. Out: an `AcceptancePolicy`, and the fields of which none
is accepted that a broken rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from docpipe.cascade import Cascade
from docpipe.confidence import Calibration
from docpipe.data import Field, Issue
from docpipe.paths import FieldPath
from docpipe.ports import Extractor
from docpipe.rule_check import broken_rules
from docpipe.schema import Schema

ACCEPT_ERROR = 0.01  # of the accepted values, the share that may be wrong, unless the user says otherwise
# No value below it is accepted, whatever error is allowed: with more errors among the sure ones to spare, a threshold
# would let values through that are more likely wrong than right.
MIN_ACCEPTED_CONFIDENCE = 0.5


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

    def threshold(self, calibration: Calibration) -> float | None:
        """The confidence from which on a value is accepted; None accepts nothing."""
        proven = calibration.threshold(self.accept_error)
        return None if proven is None else max(proven, MIN_ACCEPTED_CONFIDENCE)

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


def veto_broken_rules(fields: Sequence[Field], schema: Schema) -> tuple[Field, ...]:
    """None of the values that a broken rule reads is accepted, since one of them is wrong; a hint vetoes nothing. Nor
    is a value that is the same print as one that a broken rule over single values reads: what one is taken for may be
    what the other is (where rows do not add up, the rows are the likelier fault). A value that was sure enough says
    which rules it waits for."""
    codes: dict[str, list[str]] = {}
    codes_of_singles: dict[str, list[str]] = {}
    for application in broken_rules(fields, schema):
        has_cells = any(FieldPath.parse(path).is_cell for path in application.paths)
        for path in application.paths if application.rule.severity != "info" else ():
            codes.setdefault(path, []).append(application.rule.code)
            if not has_cells:
                codes_of_singles.setdefault(path, []).append(application.rule.code)
    by_print: dict[object, list[str]] = {}
    for field in fields:
        if field.evidence and field.path in codes_of_singles:
            by_print.setdefault(_print_of(field), []).extend(codes_of_singles[field.path])
    vetoes = [codes.get(field.path) or by_print.get(_print_of(field), []) for field in fields]
    return tuple(_vetoed(field, veto) if veto else field for field, veto in zip(fields, vetoes, strict=True))


def _print_of(field: Field) -> object:
    """Equal for fields with the same value from the same place."""
    return str(field.value), tuple((quote.page, quote.box) for quote in field.evidence)


def _vetoed(field: Field, codes: Sequence[str]) -> Field:
    if not field.accepted:
        return field
    message = f"not accepted, whatever its confidence: {', '.join(dict.fromkeys(codes))}"
    return replace(field, accepted=False, issues=(*field.issues, Issue("broken_rule", message, field=field.path)))
