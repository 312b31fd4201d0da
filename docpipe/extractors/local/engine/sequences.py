"""Outputs that are written side by side behind one prompt: each slot is a sequence that sees the prompt and itself.

In: slots, and the tokens chosen for them. Out: the sequences: which tokens the model has not seen yet, a draft of what
may follow, how probable null was, and the completion in the end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from docpipe.extractors.generative.backend import Completion, FinishReason, OutputSlot, OutputToken
from docpipe.extractors.generative.repetition import is_looping
from docpipe.extractors.local.constrained.grammar import Draft, GrammarMatcher
from docpipe.extractors.local.engine.prompt_lookup import PromptLookup
from docpipe.extractors.local.token_texts import token_texts

# Drafted tokens of a sequence after which no more are drafted for it, unless one in DRAFTED_PER_ACCEPTED is accepted:
# each that is not leaves a column in the cache. Neither changes a step of the benchmark's drawn invoices.
MAX_REJECTED, DRAFTED_PER_ACCEPTED = 64, 4


class TokenChoice(NamedTuple):
    """The most probable of the tokens that are allowed, and how probable those tokens were that begin null here."""

    token: int
    log_probability: float
    null_probability: float


@dataclass(slots=True)
class _ValueStart:
    """Whether the slot's value has begun, and the probability that it begins as null: summed up on the way to its first
    character, since a model may write the blank before the value as a token of its own. `path_probability`: of the
    tokens on this way."""

    has_begun: bool = False
    null_probability: float | None = None
    path_probability: float = 1.0


@dataclass(slots=True)
class _DraftCounts:
    """Tokens that were drafted so far, and those of them that verification accepted."""

    drafted: int = 0
    accepted: int = 0

    @property
    def is_worthwhile(self) -> bool:
        return self.drafted <= MAX_REJECTED + DRAFTED_PER_ACCEPTED * self.accepted


@dataclass
class OutputSequence:
    """`number` is unique in the batch, `document` the index of its prompt. `pending` are tokens that the model has not
    seen yet; the last of them decides the next. `draft` are tokens that may follow; `rejected`: how many tokens of the
    last draft were not accepted."""

    number: int
    document: int
    slot: OutputSlot
    matcher: GrammarMatcher
    tokenizer: Any
    lookup: PromptLookup | None = None
    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    finish: FinishReason | None = None
    draft: Draft = field(default_factory=list)
    rejected: int = 0
    _value: _ValueStart = field(default_factory=_ValueStart)
    _draft_counts: _DraftCounts = field(default_factory=_DraftCounts)

    def extend(self) -> None:
        """Take the tokens that must follow, and see whether the sequence is finished."""
        forced = self.matcher.consume_forced()
        self._append(forced, [0.0] * len(forced))
        if not self._value.has_begun and self.missing_key() is None:  # there was no choice
            is_null = self._text_without_blanks()[len(self._key)] == "n"
            self._value.has_begun, self._value.null_probability = True, float(is_null)
        if self.matcher.is_complete:
            self.finish = "complete"
        elif is_looping(self.tokens):
            self.finish = "loop"
        elif len(self.tokens) >= self.slot.max_tokens:
            self.finish = "length"

    def accept(self, choice: TokenChoice) -> None:
        was_before_value = self.missing_key() is not None
        self.matcher.consume(choice.token)
        self._append([choice.token], [choice.log_probability])
        if was_before_value:
            value = self._value
            null_here = value.path_probability * choice.null_probability
            value.null_probability = (value.null_probability or 0.0) + null_here
            value.path_probability *= math.exp(choice.log_probability)
            value.has_begun = self.missing_key() is None
        self.extend()

    def draft_next(self, max_steps: int) -> None:
        """Draft at most so many choices. Before the value has begun the probability of null is still to be read."""
        self.draft = []
        if self.lookup is not None and self._value.has_begun and self._draft_counts.is_worthwhile:
            expected = self.lookup.draft_text(max_steps)
            if expected.text:
                self.draft = self.matcher.draft(expected.text, expected.context, max_steps)

    def verify(self, choices: Sequence[TokenChoice]) -> None:
        """The model's choices behind what was fed: one after the pending tokens, and one after each step of the draft.
        The first is accepted; each of the others as long as the draft's step before it is what was chosen."""
        self.rejected = sum(map(len, self.draft))
        self._draft_counts.drafted += self.rejected
        for choice, step in zip(choices, [*self.draft, []], strict=True):
            self.accept(choice)
            if self.finish is not None or self.pending != step:
                return
            self.rejected -= len(step)
            self._draft_counts.accepted += len(step)
            self.pending = []  # the model has seen them

    def missing_key(self) -> str | None:
        """What is still to be written of `{"name":` before the value; None once the value has begun."""
        if self._value.has_begun:
            return None
        text = self._text_without_blanks()
        return self._key[len(text) :] if len(text) <= len(self._key) else None

    @property
    def _key(self) -> str:
        """`{"name":` without blanks."""
        return "".join(f"{{{json.dumps(self.slot.name, ensure_ascii=False)}:".split())

    def _text_without_blanks(self) -> str:
        return "".join(self.tokenizer.decode(self.tokens, clean_up_tokenization_spaces=False).split())

    def _append(self, tokens: Sequence[int], log_probabilities: Sequence[float]) -> None:
        self.tokens += tokens
        self.pending += tokens
        self.log_probabilities += log_probabilities
        if self.lookup is not None:
            self.lookup.advance(self.matcher.tokenizer.decode_bytes(list(tokens)))

    def completion(self) -> Completion:
        tokens = tuple(map(OutputToken, token_texts(self.tokenizer, self.tokens), self.log_probabilities))
        null_probability = self._value.null_probability
        may_be_null = "null" in self.slot.value_schema.get("type", ())
        is_known = null_probability is not None and may_be_null
        text = "".join(token.text for token in tokens)
        null_probabilities = {self.slot.name: null_probability or 0.0} if is_known else {}
        return Completion(text, (self.slot.name,), self.finish or "length", tokens, null_probabilities)
