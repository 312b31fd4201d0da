"""Which tokens may follow, so that an answer always fits its schema.

In: a model's tokenizer, and the JSON Schema of what may be written (or the fields of a model that answers in tags).
Out: a `Writer` for each answer: the tokens that must follow, a mask of those that may, and whether the answer is whole.
llguidance does the work; docs/decisions/0011-constrained-decoding.md says why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, cast

import numpy as np
import torch
from llguidance import LLExecutor, LLMatcher, LLTokenizer
from llguidance._tokenizer import TokenizerWrapper
from llguidance.hf import from_tokenizer
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from docpipe.errors import AnswerError, ModelError, SchemaError
from docpipe.extractors.local.constrained.schema_bounds import bounded
from docpipe.extractors.local.constrained.vocabulary import Vocabulary

# As `json.dumps` and most models write it: no white space but one blank after a comma and a colon. An address has line
# breaks; all other characters are written as they are, so there is one way to write a text.
STYLE = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "json_allowed_escapes": 'n"\\',
}
# Texts that many tokens fit as a whole: the mask of such tokens is computed once. The library brings those for free
# text; ours are for the start of a number or a date, where the schemas tell digits from the rest.
SLICES = ('[^"\\\\\\x00-\\x1F\\x7F0-9]{1,10}', '[^"\\\\\\x00-\\x1F\\x7F0-9]{1,20}')
COMPILED_MOST = 512  # schemas kept, some 100 kB each; a service may be sent any number of different ones
PROCESSOR = torch.device("cpu")
TEXT = r"/[^\x00-\x1F\x7F]*/"


class Grammar:
    """`vocabulary` is the width of the model's logits; often it is more than the tokenizer's tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._words = _words(tokenizer, max(vocabulary, len(tokenizer)))
        self._compiled: dict[str, LLMatcher] = {}

    def writer(self, schema: Mapping[str, Any]) -> Writer:
        """Writes JSON. Keys come in the order of `properties`."""
        text = json.dumps(bounded(schema))
        return self._writer(LLMatcher.grammar_from_json_schema(text, overrides=STYLE))  # type: ignore[arg-type]

    def tagged(self, fields: Sequence[str], tokens_max: int) -> Writer:
        """Writes `<s_total>12,50</s_total>`: each field at most once, in this order, with at most `tokens_max` tokens
        of text. The end-of-text token may follow wherever a field may begin."""
        rules = [f"start: {' '.join(f'field_{at}?' for at in range(len(fields)))}"]
        for at, name in enumerate(fields):
            rules.append(f"field_{at}: {self._token(f'<s_{name}>')} text {self._token(f'</s_{name}>')}")
        rules += [f"text[max_tokens={tokens_max}]: TEXT", f"TEXT: {TEXT}"]
        return self._writer(LLMatcher.grammar_from_lark("\n".join(rules)))

    def _token(self, text: str) -> str:
        number = self._tokenizer.get_added_vocab().get(text)
        if number is None:
            raise SchemaError(
                f"The model has no token {text}.",
                hint="A model that answers in tags knows the fields that it was trained for, and no others: "
                "name the schema's fields as it does, or take another model.",
            )
        return f"<[{number}]>"

    def _writer(self, grammar: str) -> Writer:
        if grammar not in self._compiled:
            if len(self._compiled) >= COMPILED_MOST:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[grammar] = _compiled(self._words, grammar)
        return Writer(self._compiled[grammar].deep_copy(), self._words, self._vocabulary)


class Writer:
    """The state of one answer."""

    def __init__(self, matcher: LLMatcher, words: LLTokenizer, vocabulary: int) -> None:
        self.matcher = matcher
        self.words = words
        self.known = words.vocab_size
        self.vocabulary = vocabulary

    def forced(self) -> list[int]:
        """The tokens that must follow, already taken: as the tokenizer itself would cut the text. The last piece of it
        is left open where the model's next token may begin with it: `": ` is not forced where `": "` may follow."""
        tokens = self.matcher.compute_ff_tokens()
        if tokens and self.matcher.try_consume_tokens(tokens) < len(tokens):
            raise self._error("It does not take the tokens that it asks for")
        return tokens

    def take(self, token: int) -> None:
        if not self.matcher.consume_token(token):
            raise self._error(f"Token {token} may not follow here")

    def ahead(self, guess: str, before: str, most: int) -> list[list[int]]:
        """Tokens of a text that may follow what was written: each with those that it forces, `most` of them, as far as
        the grammar takes them and the answer is not whole. `before`: the text that the guess is cut together with."""
        left, groups = guess.encode(), list[list[int]]()
        tokens, taken = self._cut(left, before.encode()), 0
        while tokens and len(groups) < most and self.matcher.try_consume_tokens(tokens[:1]):
            group = [tokens[0], *self.forced()]
            taken += len(group)
            if self.done:  # what follows it is not asked
                break
            groups.append(group)
            told = self.words.decode_bytes(group)
            if not left.startswith(told):
                break
            left = left[len(told) :]
            tokens = tokens[len(group) :] if tokens[: len(group)] == group else self.words.tokenize_bytes(left)
        if taken and not self.matcher.rollback(taken):
            raise self._error("It does not take tokens back")
        return groups

    def _cut(self, text: bytes, before: bytes) -> list[int]:
        """As the tokenizer cuts it behind this, if there is a cut between them."""
        tokens = self.words.tokenize_bytes(before + text) if before else []
        length = 0
        for at, token in enumerate(tokens):
            if length >= len(before):
                return tokens[at:] if length == len(before) else self.words.tokenize_bytes(text)
            length += len(self.words.decode_bytes([token]))
        return self.words.tokenize_bytes(text)

    @property
    def done(self) -> bool:
        """The answer is whole: nothing may follow, and no end-of-text token is needed."""
        return self.matcher.is_stopped() and not self.matcher.is_error()

    def check(self) -> None:
        if self.matcher.is_error():
            raise self._error("The schema became too much to follow")

    def _error(self, what: str) -> AnswerError:
        told = self.matcher.get_error()
        return AnswerError(f"{what}: {told.splitlines()[0]}" if told else f"{what}.")


Ahead = Sequence[Sequence[Sequence[int]]]


def allowed(
    writers: Sequence[Writer], device: torch.device = PROCESSOR, ahead: Ahead | None = None
) -> torch.BoolTensor:
    """Shape: writers, vocabulary. All of one Grammar, and none of them done. `ahead`: for each writer what may be
    taken next, in groups; its row is followed by one for the state after each group."""
    known, wide = writers[0].known, writers[0].vocabulary
    drafts = [[token for group in groups for token in group] for groups in ahead or [()] * len(writers)]
    kept, rows = list[int](), list[tuple[LLMatcher, int, list[int]]]()
    height = 0
    for writer, draft, groups in zip(writers, drafts, ahead or [()] * len(writers), strict=True):
        rows.append((writer.matcher, height, draft))
        kept += accumulate(map(len, groups), initial=height)
        height += 1 + len(draft)
    bits = np.zeros((height, (known + 31) // 32), dtype=np.int32)
    size = bits.nbytes // height
    if height == 1:
        writers[0].matcher.unsafe_compute_mask_ptr(bits.ctypes.data, size)
    else:
        plain = [(matcher, row) for matcher, row, draft in rows if not draft]
        if plain:
            _executor(os.getpid()).unsafe_compute_mask_ptr(plain, bits.ctypes.data, size, height)
        if drafted := [row for row in rows if row[2]]:
            _executor(os.getpid()).unsafe_compute_mask_ptr_with_draft_token(drafted, bits.ctypes.data, size, height)
    for writer in writers:
        writer.check()
    bits = bits[kept] if len(kept) < height else bits
    if not bits.any(1).all():
        raise AnswerError(
            "The model's vocabulary has no token that could follow here.",
            hint="Take another model: this one cannot write JSON.",
        )
    return _unpacked(bits, wide) if device.type == "cpu" else unpacked_there(torch.from_numpy(bits), wide, device)


def _unpacked(bits: NDArray[np.int32], wide: int) -> torch.BoolTensor:
    flags = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")[:, :wide]
    return cast(torch.BoolTensor, torch.from_numpy(np.ascontiguousarray(flags)).view(torch.bool))


def unpacked_there(bits: torch.Tensor, wide: int, device: torch.device) -> torch.BoolTensor:
    """Bits travel to the device, an eighth of what flags would be: 3 MB instead of 24 for 160 slots."""
    packed = bits.view(torch.uint8).to(device, non_blocking=True)
    flags = (packed[:, :, None] >> torch.arange(8, dtype=torch.uint8, device=device)) & 1
    return cast(torch.BoolTensor, flags.flatten(1)[:, :wide].bool())


@cache
def _executor(_process: int) -> LLExecutor:
    """Threads do not survive a fork: each process has its own."""
    return LLExecutor()


def _words(tokenizer: PreTrainedTokenizerFast, size: int) -> LLTokenizer:
    slices = [*SLICES, *LLTokenizer.json_slices()]
    try:
        return from_tokenizer(tokenizer, n_vocab=size, slices=slices)
    except ValueError:  # it cannot spell this sort of tokenizer's tokens, such as Donut's
        pass
    try:
        return LLTokenizer(cast(TokenizerWrapper, Vocabulary(tokenizer, size)), slices=slices)
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"The model's tokenizer cannot be used: {error}", hint="Take another model.") from error


def _compiled(words: LLTokenizer, grammar: str) -> LLMatcher:
    matcher = LLMatcher(words, grammar, log_level=0)
    if matcher.is_error():
        told = [line.strip() for line in matcher.get_error().splitlines() if line.strip()]
        raise SchemaError(
            f"No model can be held to this schema: {told[-1] if told[0].startswith('regex') else told[0]}",
            hint="Leave out what is named, or say it in another way. Patterns may not look ahead or behind.",
        )
    return matcher
