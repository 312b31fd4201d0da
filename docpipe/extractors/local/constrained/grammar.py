"""Which tokens must or may follow, so that an output always fits its schema.

In: a model's tokenizer, and the JSON Schema of what may be written. Out: a `GrammarMatcher` for each output: the tokens
that must follow, those that may (token_masks.py), and whether the output is whole. llguidance does the work;
docs/decisions/0011-constrained-decoding.md says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llguidance import LLMatcher, LLTokenizer
from transformers import PreTrainedTokenizerFast

from docpipe.errors import AnswerError, ModelError, SchemaError
from docpipe.extractors.local.constrained.byte_tokenizer import llguidance_tokenizer
from docpipe.extractors.local.constrained.schema_bounds import with_bounds

# As `json.dumps` and most models write it: no white space but one blank after a comma and a colon. An address has line
# breaks; all other characters are written as they are, so there is one way to write a text.
JSON_STYLE = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "json_allowed_escapes": 'n"\\',
}
# Texts that many tokens fit as a whole: the mask of such tokens is computed once. The library brings those for free
# text; ours are for the start of a number or a date, where the schemas tell digits from the rest.
SLICES = ('[^"\\\\\\x00-\\x1F\\x7F0-9]{1,10}', '[^"\\\\\\x00-\\x1F\\x7F0-9]{1,20}')
MAX_COMPILED = 512  # schemas kept, some 100 kB each; a service may be sent any number of different ones

Draft = list[list[int]]
"""Tokens that may follow, in steps: each step is a token that would be chosen, and those that it forces."""


class GrammarCompiler:
    """`vocabulary_size` is the width of the model's logits; often it is more than the tokenizer's tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary_size: int) -> None:
        self._vocabulary_size = vocabulary_size
        self._tokenizer = _sliced_tokenizer(tokenizer, max(vocabulary_size, len(tokenizer)))
        self._compiled: dict[str, LLMatcher] = {}

    def compile(self, schema: Mapping[str, Any]) -> GrammarMatcher:
        """For one JSON text. Keys come in the order of `properties`."""
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(with_bounds(schema)), overrides=JSON_STYLE)  # type: ignore[arg-type]
        if grammar not in self._compiled:
            if len(self._compiled) >= MAX_COMPILED:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[grammar] = _compile(self._tokenizer, grammar)
        return GrammarMatcher(self._compiled[grammar].deep_copy(), self._tokenizer, self._vocabulary_size)


class GrammarMatcher:
    """The state of one output. `state` is the library's."""

    def __init__(self, state: LLMatcher, tokenizer: LLTokenizer, vocabulary_size: int) -> None:
        self.state = state
        self.tokenizer = tokenizer
        self.tokenizer_size = tokenizer.vocab_size
        self.vocabulary_size = vocabulary_size

    def consume_forced(self) -> list[int]:
        """Takes the tokens that must follow, as the tokenizer itself would cut the text. The last piece of it is left
        open where the model's next token may begin with it: `": ` is not forced where `": "` may follow."""
        tokens = self.state.compute_ff_tokens()
        if tokens and self.state.try_consume_tokens(tokens) < len(tokens):
            raise self._error("It does not take the tokens that it asks for")
        return tokens

    def consume(self, token: int) -> None:
        if not self.state.consume_token(token):
            raise self._error(f"Token {token} may not follow here")

    def draft(self, text: str, context: str, max_steps: int) -> Draft:
        """The tokens of a text that may follow, in at most `max_steps` steps, as far as the grammar takes them and the
        output is not whole. `context`: the text before it, together with which it is cut into tokens."""
        remaining, steps = text.encode(), Draft()
        tokens, consumed = self._tokenize(remaining, context.encode()), 0
        while tokens and len(steps) < max_steps and self.state.try_consume_tokens(tokens[:1]):
            step = [tokens[0], *self.consume_forced()]
            consumed += len(step)
            if self.is_complete:  # what follows it is not asked
                break
            steps.append(step)
            step_bytes = self.tokenizer.decode_bytes(step)
            if not remaining.startswith(step_bytes):
                break
            remaining = remaining[len(step_bytes) :]
            is_prefix = tokens[: len(step)] == step
            tokens = tokens[len(step) :] if is_prefix else self.tokenizer.tokenize_bytes(remaining)
        if consumed and not self.state.rollback(consumed):
            raise self._error("It does not take tokens back")
        return steps

    def _tokenize(self, text: bytes, context: bytes) -> list[int]:
        """As the tokenizer cuts it behind its context, if there is a cut between them."""
        tokens = self.tokenizer.tokenize_bytes(context + text) if context else []
        length = 0
        for index, token in enumerate(tokens):
            if length >= len(context):
                return tokens[index:] if length == len(context) else self.tokenizer.tokenize_bytes(text)
            length += len(self.tokenizer.decode_bytes([token]))
        return self.tokenizer.tokenize_bytes(text)

    @property
    def is_complete(self) -> bool:
        """The output is whole: nothing may follow, and no end-of-text token is needed."""
        return self.state.is_stopped() and not self.state.is_error()

    def check(self) -> None:
        """Raises AnswerError when the library gave up."""
        if self.state.is_error():
            raise self._error("The schema became too much to follow")

    def _error(self, what: str) -> AnswerError:
        reason = self.state.get_error()
        return AnswerError(f"{what}: {reason.splitlines()[0]}" if reason else f"{what}.")


def _sliced_tokenizer(tokenizer: PreTrainedTokenizerFast, size: int) -> LLTokenizer:
    try:
        return llguidance_tokenizer(tokenizer, size, [*SLICES, *LLTokenizer.json_slices()])
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"The model's tokenizer cannot be used: {error}", hint="Take another model.") from error


def _compile(tokenizer: LLTokenizer, grammar: str) -> LLMatcher:
    matcher = LLMatcher(tokenizer, grammar, log_level=0)
    if matcher.is_error():
        reasons = [line.strip() for line in matcher.get_error().splitlines() if line.strip()]
        raise SchemaError(
            f"No model can be held to this schema: {reasons[-1] if reasons[0].startswith('regex') else reasons[0]}",
            hint="Leave out what is named, or say it in another way. Patterns may not look ahead or behind.",
        )
    return matcher
