"""What captions say, beside what the network says.

In: the network's answer, the pages, a schema with captioned fields. Out: the answer with what stands behind captions.

Fields that the network is not asked about have captions alone. Of the others a caption speaks where the network finds
nothing. Where the network finds something else that stays, and the caption's value waits for a rule that breaks.
Where both find the same there is nothing to add: the scores are those that the calibration was fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docpipe.data import Answer, Candidate, Page
from docpipe.extractors.captions import read_captions, single_captioned
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions

# Of the score of the network's own answer: a factor of 2.5 in likelihood. A broken rule weighs more (a factor of 20),
# and nothing else turns to it.
ALTERNATIVE_SHARE = 0.4


def with_captioned(answer: Answer, pages: Sequence[Page], schema: Schema) -> Answer:
    """Where captions alone are read and nothing is found, a field is surely absent."""
    found = read_captions(pages, schema)
    alone = single_captioned(schema)
    scores = {path: sum(candidate.score for candidate in found if candidate.path == path) for path in alone}
    absent = {**answer.absent, **{path: 1.0 - score for path, score in scores.items()}}
    asked = {spec.path: spec for spec in schema.fields if spec.captioned is not None and spec.is_asked}
    added = [candidate for candidate in found if candidate.path not in asked]
    conventions = schema.conventions(text for page in pages for text in page.lines)
    for path, spec in asked.items():
        witness = _witness(spec, [candidate for candidate in found if candidate.path == path], answer, conventions)
        if witness is not None:
            added.append(witness)
            absent[path] = min(answer.absent.get(path, 1.0), 1.0 - witness.score)
    return replace(answer, candidates=(*answer.candidates, *added), absent=absent)


def _witness(spec: FieldSpec, found: Sequence[Candidate], answer: Answer, conventions: Conventions) -> Candidate | None:
    """The one value behind the captions of a field that the network was asked about, with the score that it has beside
    the network's; None where there is not one, or the network has it."""

    def value_of(candidate: Candidate) -> object:
        return spec.kind.parse(candidate.text, conventions).value

    value = value_of(found[0]) if len(found) == 1 else None
    if value is None:
        return None
    own = [candidate for candidate in answer.candidates if candidate.path == spec.path]
    readable = [candidate for candidate in own if value_of(candidate) is not None]
    best = max(readable, key=lambda candidate: candidate.score, default=None)
    if best is None or best.score < answer.absent.get(spec.path, 1.0):
        return found[0]
    if any(spec.kind.same(value_of(candidate), value) for candidate in readable):
        return None
    return replace(found[0], score=ALTERNATIVE_SHARE * best.score)
