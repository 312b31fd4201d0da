"""Fills all slots of a batch of documents at once: one pass over each prompt, then one step for a token of every slot.

In: a `Prompt` and slots. Out: what was written for each slot. The prompt's keys and values are calculated once and
never copied; tokens that the grammar forces are not chosen, and go through the model several at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from docpipe.extractors.generative.backend import Slot, Written, object_of
from docpipe.extractors.local.constrained.constraint import Grammar, allowed
from docpipe.extractors.local.engine.attention import folded, new_cache
from docpipe.extractors.local.engine.prefix_cache import Beginnings
from docpipe.extractors.local.engine.prompt_lookup import Guesses, Printed
from docpipe.extractors.local.engine.sequences import Branch, Columns
from docpipe.extractors.local.models.family import ROTATED, Prompt, kinds_of_layers

# A token with which null begins, as vocabularies spell it: the end of the key may be joined with the value, and the
# value with what follows.
NEAR_NULL = re.compile(r'[Ġ▁Ċ\s]*"?:?[Ġ▁Ċ\s]*n(u(l(l[\]},].*)?)?)?|[Ġ▁Ċ\s]*"?:?[Ġ▁Ċ\s]*null')
NO_TOKEN = -1

# Tokens of each branch that are tried out in a step. A row more costs next to nothing on a card, whose steps wait for
# the weights; on a processor it costs its calculation (docs/performance.md).
GUESSES = {"cpu": 4, "card": 12}


class Engine:
    def __init__(self, model: Any, tokenizer: Any, *, causal: bool, guesses: int | None = None) -> None:
        """`causal`: what stands before the first picture does not depend on it. `guesses`: tokens of each branch that a
        step tries out at most; None: what suits the device. Raises ModelError for a tokenizer that cannot be held to a
        grammar."""
        self._model, self._tokenizer = model, tokenizer
        self._decoder = model.get_decoder()
        self._head = model.get_output_embeddings()
        self._text = self._decoder.config
        self._kinds = kinds_of_layers(self._text)
        self._groups = self._text.num_attention_heads // self._text.num_key_value_heads
        self._rotated = model.config.model_type in ROTATED
        self._guesses = guesses if guesses is not None else GUESSES["cpu" if model.device.type == "cpu" else "card"]
        self._beginnings = Beginnings() if causal else None
        self._grammar = Grammar(tokenizer, self._text.vocab_size)

    @torch.inference_mode()
    def fill(
        self, prompt: Prompt, slots: Sequence[Sequence[Slot]], words: Sequence[Sequence[str]] = ()
    ) -> list[list[Written]]:
        """One list for each document, in the order of its slots. `words`: each document's text lines, to guess from."""
        branches = [
            Branch(document, slot, self._grammar.writer(object_of({slot.name: slot.value})), self._tokenizer)
            for document, own in enumerate(slots)
            for slot in own
        ]
        printed = [Printed(lines) if lines and self._guesses else None for lines in words]
        for branch in branches:
            known = printed[branch.document] if printed else None
            branch.guesses = Guesses(known, branch.slot) if known else None
        with folded(self._text):
            self._write(prompt, branches)
        return [
            [branch.written() for branch in branches if branch.document == document] for document in range(len(slots))
        ]

    def _write(self, prompt: Prompt, branches: Sequence[Branch]) -> None:
        prompt, cache, after = self._read(prompt)
        columns = Columns(prompt.seen, prompt.ahead)
        for branch in branches:
            branch.go_on()
        free = [branch for branch in branches if not branch.waiting and branch.finish is None]
        if free:  # a schema that leaves even the first token open
            self._choose(free, after[[branch.document for branch in free]])
        while live := [(number, branch) for number, branch in enumerate(branches) if branch.finish is None]:
            for _, branch in live:
                branch.foresee(self._guesses)
            self._choose([branch for _, branch in live], self._step(columns, cache, live))

    def _read(self, prompt: Prompt) -> tuple[Prompt, Cache, Tensor]:
        """One pass over the prompts, without the beginning that was read before: what is in the cache now, and what may
        come next [B, vocabulary]."""
        known = self._beginnings.cut(prompt) if self._beginnings is not None else None
        read, cache = known or (prompt, new_cache())
        after = self._model(**read.inputs, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        if self._beginnings is not None and not known:
            self._beginnings.keep(prompt, cache)
        return read, cache, after

    def _step(self, columns: Columns, cache: Cache, live: Sequence[tuple[int, Branch]]) -> Tensor:
        """What may come next, for each branch and after each of its guesses: [n, vocabulary]."""
        tokens, positions, rows = columns.feed(live)
        seen = self._decoder(
            input_ids=tokens,
            attention_mask=self._masks(columns, tokens.shape[1]),
            position_ids=positions.expand(3, -1, -1) if self._rotated else positions,
            past_key_values=cache,
            use_cache=True,
        )
        logits: Tensor = self._head(seen.last_hidden_state.flatten(0, 1)[rows])
        return logits

    def _masks(self, columns: Columns, width: int) -> Tensor | dict[str, Tensor]:
        """One for each kind of layers, or the only one."""
        windows = {"full_attention": None, "sliding_attention": getattr(self._text, "sliding_window", None)}
        masks = {kind: self._added(columns.visible(width, windows[kind])) for kind in self._kinds}
        return masks if len(masks) > 1 else next(iter(masks.values()))

    def _added(self, seen: Tensor) -> Tensor:
        """As attention adds it to its scores: worked out once a step, and not in each layer."""
        mask = torch.zeros_like(seen, dtype=self._model.dtype).masked_fill_(~seen, -torch.inf)
        return mask.repeat(1, 1, self._groups, 1)

    def _choose(self, branches: Sequence[Branch], logits: Tensor) -> None:
        """The most probable of the tokens that are allowed. What is allowed is worked out while the device is still at
        the logits, and their fate comes back in one transfer."""
        open_ = allowed([branch.writer for branch in branches], logits.device, [branch.guessed for branch in branches])
        nulls = self._nulls(branches)
        scores = torch.where(open_, logits.float(), -torch.inf)
        logs = scores.log_softmax(-1)  # on a processor logsumexp takes seven times as long
        tokens = scores.argmax(-1, keepdim=True)
        ways = torch.tensor(nulls, device=logits.device)
        null = logs.gather(1, ways.clamp(min=0)).exp().masked_fill(ways == NO_TOKEN, 0.0).sum(-1, keepdim=True)
        told = torch.cat([tokens.float(), logs.gather(1, tokens), null], 1).tolist()  # a float32 counts to 16 million
        first = 0
        for branch in branches:
            after = first + 1 + len(branch.guessed)
            branch.settle(told[first:after])
            first = after

    def _nulls(self, branches: Sequence[Branch]) -> list[list[int]]:
        """For each branch whose value begins here: the tokens that begin it with null. Equally many for all. No value
        begins after a guess."""
        found = []
        for branch in branches:
            missing = branch.missing()
            begin = None if missing is None else f"{missing}n"
            found.append([token for token, text in self._null_tokens if begin and text.startswith(begin)])
            found += [[] for _ in branch.guessed]
        most = max(1, *map(len, found))
        return [tokens + [NO_TOKEN] * (most - len(tokens)) for tokens in found]

    @cached_property
    def _null_tokens(self) -> list[tuple[int, str]]:
        """Tokens with which null may begin, and their texts without blanks."""
        near = [token for text, token in self._tokenizer.get_vocab().items() if NEAR_NULL.fullmatch(text)]
        squeezed = [(token, "".join(self._tokenizer.decode([token]).split())) for token in near]
        return [(token, text) for token, text in squeezed if token < self._text.vocab_size]
