"""Guides for `generate`: one that lets the model write what it likes, and one that holds it to a JSON Schema.

In: the tokens that were chosen, one by one. Out: which may come next, what was written, and how probable null was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from docpipe.extractors.generative.backend import FinishReason
from docpipe.extractors.generative.repetition import is_looping
from docpipe.extractors.local.constrained.grammar import GrammarMatcher
from docpipe.extractors.local.constrained.token_masks import allowed_tokens
from docpipe.extractors.local.token_texts import token_texts

LIKELIEST = 64  # tokens that are looked at for `null`: it has few spellings
KEY_END = 3  # characters of a key's end (quote, colon, blank) that a tokenizer may join with the value


class FreeGuide:
    """Whatever the model likes, until it ends or repeats itself."""

    def __init__(self, end_tokens: set[int]) -> None:
        self.tokens: list[int] = []
        self.log_probabilities: list[float] = []
        self.finish: FinishReason | None = None
        self.null_probabilities: dict[str, float] = {}
        self._end_tokens = end_tokens

    def allowed_tokens(self) -> Tensor | None:
        return None

    def accept(self, token: int, log_probabilities: Tensor) -> None:
        if token in self._end_tokens:
            self.finish = "complete"
            return
        self.tokens.append(token)
        self.log_probabilities.append(float(log_probabilities[token]))
        if is_looping(self.tokens):
            self.finish = "loop"


class JsonGuide(FreeGuide):
    """An object that fits a schema. `nullable` are the keys whose values may be null, in their order."""

    def __init__(self, matcher: GrammarMatcher, tokenizer: Any, nullable: Sequence[str]) -> None:
        super().__init__(set())
        self._matcher, self._tokenizer = matcher, tokenizer
        self._forced = matcher.consume_forced()
        self._keys = [f"{json.dumps(name, ensure_ascii=False)}: " for name in nullable]

    def allowed_tokens(self) -> Tensor:
        if not self._forced:
            return allowed_tokens([self._matcher])[0]
        mask = torch.zeros(max(self._matcher.vocabulary_size, self._forced[0] + 1), dtype=torch.bool)
        mask[self._forced[0]] = True
        return mask

    def accept(self, token: int, log_probabilities: Tensor) -> None:
        if self._forced:
            self._forced.pop(0)
        else:
            self._measure_null(token, log_probabilities)
            self._matcher.consume(token)
            self._forced = self._matcher.consume_forced()
        super().accept(token, log_probabilities)
        if not self._forced and self._matcher.is_complete:
            self.finish = "complete"

    def _measure_null(self, token: int, log_probabilities: Tensor) -> None:
        """The probability of null, where a value begins with this token."""
        if not self._keys:
            return
        key = self._keys[0]
        tail = "".join(token_texts(self._tokenizer, self.tokens[-len(key) - KEY_END :]))
        if not any(tail.endswith(key[:length]) for length in range(len(key) - KEY_END, len(key) + 1)):
            return
        if not _value_start(tail + self._token_text(token), key):
            return
        likeliest = log_probabilities.exp().topk(min(LIKELIEST, len(log_probabilities)))
        self.null_probabilities[json.loads(key[: key.rindex(":")])] = sum(
            probability
            for probability, other in zip(likeliest.values.tolist(), likeliest.indices.tolist(), strict=True)
            if probability > 0.0 and _value_start(tail + self._token_text(other), key) == "n"
        )
        del self._keys[0]

    def _token_text(self, token: int) -> str:
        """Behind another token: a tokenizer may drop the blank before the first."""
        before = self.tokens[-1:]
        return "".join(token_texts(self._tokenizer, [*before, token])[len(before) :])


def _value_start(text: str, key: str) -> str:
    """The first character of the value behind the key that was written last; empty where there is none yet."""
    return text.rpartition(key.rstrip())[2].lstrip()[:1] if key.rstrip() in text else ""
