"""Values that a model took from what it was told and not from the pages: an example, a word of the instructions.

In: the answer of a model that writes, the words that it was given. Out: the answer whose candidates say that they
stand in the prompt, and, once it is known what is printed, one without those that stand only there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docpipe.data import Answer, Candidate, Issue
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_ports import group_of

IN_PROMPT = "in_prompt"  # the signal of a candidate whose words stand in the prompt
COPIED = "copied_from_prompt"
PUNCTUATION = "\"'.,:;-()[]{}"
BETWEEN_TEXTS = "\n"  # no word has it, so no value runs from one text into the next
MAX_NAMED = 5


def mark_copies(answer: Answer, prompt: str, schema: Schema) -> Answer:
    """`prompt`: the instructions that the model had. An example of the schema counts whether it was shown or not: it
    may stand in the weights by now."""
    texts = [prompt, *(example for spec in schema.fields for example in spec.examples)]
    words = f" {f' {BETWEEN_TEXTS} '.join(map(_words, texts))} "

    def marked(candidate: Candidate) -> Candidate:
        text = _words(candidate.text)
        if not text or f" {text} " not in words:
            return candidate
        return replace(candidate, signals={**candidate.signals, IN_PROMPT: 1.0})

    return replace(answer, candidates=tuple(map(marked, answer.candidates)))


def without_copies(grounded: Answer, schema: Schema) -> Answer:
    """Candidates that stand in the prompt and nowhere on the pages are left out; an issue counts them. Choices stay:
    the prompt names them, and which one is meant need not be printed in its word."""
    choices = {spec.path for spec in schema.fields if group_of(spec.kind) == "choice"}
    copies = [
        candidate
        for candidate in grounded.candidates
        if not candidate.evidence
        and IN_PROMPT in candidate.signals
        and FieldPath.parse(candidate.path).template not in choices
    ]
    if not copies:
        return grounded
    message = f"{len(copies)} values stand in the instructions and nowhere on the pages: {named(copies)}"
    kept = tuple(candidate for candidate in grounded.candidates if candidate not in copies)
    return replace(grounded, candidates=kept, issues=(*grounded.issues, Issue(COPIED, message, "info")))


def named(candidates: Sequence[Candidate]) -> str:
    """The first of them, for an issue."""
    texts = [f"{candidate.path} {candidate.text!r}" for candidate in candidates]
    more = f" and {len(texts) - MAX_NAMED} more" if len(texts) > MAX_NAMED else ""
    return f"{', '.join(texts[:MAX_NAMED])}{more}"


def _words(text: str) -> str:
    """Without case and without signs around them: `"VISA",` and `Visa` are one word."""
    return " ".join(filter(None, (word.strip(PUNCTUATION) for word in text.casefold().split())))
