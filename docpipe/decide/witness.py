"""A witness beside the extractor: what the page says plainly of a field that the extractor left empty.

In: the options of a field, the words that say it. Out: the options with one more, and absence as likely as that leaves
it. No record of a calibration has such values, so none is accepted (the signal `witness`).
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.data import Evidence
from docpipe.decide.options import MAX_JOINED_SCORE, Option, ScoredOption
from docpipe.schema_ports import Parsed

WITNESS_SCORE = 0.6  # as of what captions find: more likely there than not, and never sure
SIGNAL = "witness"


def likeliest(scored: Sequence[ScoredOption]) -> Option | None:
    """What the extractor would say; None where that is nothing."""
    return max(scored, key=lambda one: one.score).option


def witness_option(
    value: object, evidence: tuple[Evidence, ...], scored: Sequence[ScoredOption], parsed: Parsed | None = None
) -> Option:
    """The option of a witness; what the extractor itself gives for this value counts too."""
    own = sum(one.score for one in scored if one.option is not None and one.option.value == value)
    text, score = " ".join(quote.text for quote in evidence), min(MAX_JOINED_SCORE, WITNESS_SCORE + own)
    return Option(value, text, score, evidence, parsed or Parsed(value), {SIGNAL: 1.0})


def others(scored: Sequence[ScoredOption], option: Option) -> list[Option]:
    """The options with another value."""
    return [one.option for one in scored if one.option is not None and one.option.value != option.value]


def filled(scored: Sequence[ScoredOption], option: Option) -> list[ScoredOption]:
    """With the witness's value where there was none, or none that could be read."""
    absent = min((one.score for one in scored if one.option is None), default=1.0)
    return [
        *(ScoredOption(other, other.score) for other in others(scored, option)),
        ScoredOption(option, option.score),
        ScoredOption(None, min(absent, 1.0 - WITNESS_SCORE)),
    ]
