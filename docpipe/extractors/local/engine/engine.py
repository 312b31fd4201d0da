"""Fills all slots of a batch of documents at once: one pass over each prompt, then one step for a token of every slot.

In: `ModelInputs` and slots. Out: a completion for each slot. The prompt's keys and values are calculated once and never
copied; tokens that the grammar forces are not chosen, and go through the model several at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from docpipe.extractors.generative.backend import Completion, OutputSlot, slots_schema
from docpipe.extractors.local.constrained.grammar import GrammarCompiler
from docpipe.extractors.local.constrained.token_masks import allowed_tokens
from docpipe.extractors.local.engine.attention import grouped_attention, new_cache
from docpipe.extractors.local.engine.cache_layout import CacheLayout
from docpipe.extractors.local.engine.page_text import PageText
from docpipe.extractors.local.engine.prefix_cache import PrefixCache
from docpipe.extractors.local.engine.prompt_lookup import PromptLookup
from docpipe.extractors.local.engine.sequences import OutputSequence, TokenChoice
from docpipe.extractors.local.models.family import MROPE_FAMILIES, ModelInputs, attention_types

# A token with which null begins, as vocabularies spell it: the end of the key may be joined with the value, and the
# value with what follows.
NULL_START = re.compile(r'[Ġ▁Ċ\s]*"?:?[Ġ▁Ċ\s]*n(u(l(l[\]},].*)?)?)?|[Ġ▁Ċ\s]*"?:?[Ġ▁Ċ\s]*null')
NO_TOKEN = -1

# Steps that are drafted of each sequence for a pass. A row more costs next to nothing on a card, whose passes wait for
# the weights; on a processor it costs its calculation (docs/performance.md).
DRAFT_STEPS = {"cpu": 4, "gpu": 12}


@dataclass(frozen=True, slots=True)
class _Prefilled:
    """After the pass over the prompts. `inputs` are those of the cache, `logits` [B, vocabulary] of the next token."""

    inputs: ModelInputs
    cache: Cache
    logits: Tensor


@dataclass(frozen=True, slots=True)
class _NullToken:
    """A token with which null may begin, and its text without blanks."""

    token: int
    text: str


class Engine:
    def __init__(self, model: Any, tokenizer: Any, *, causal: bool, draft_steps: int | None = None) -> None:
        """`causal`: what stands before the first image does not depend on it. `draft_steps`: choices of each sequence
        that are drafted for a pass at most, 0 for none; None: what suits the device. Raises ModelError for a tokenizer
        that cannot be held to a grammar."""
        self._model, self._tokenizer = model, tokenizer
        self._decoder = model.get_decoder()
        self._head = model.get_output_embeddings()
        self._text_config = self._decoder.config
        self._attention_types = attention_types(self._text_config)
        self._query_groups = self._text_config.num_attention_heads // self._text_config.num_key_value_heads
        self._has_mrope = model.config.model_type in MROPE_FAMILIES
        default_steps = DRAFT_STEPS["cpu" if model.device.type == "cpu" else "gpu"]
        self._draft_steps = draft_steps if draft_steps is not None else default_steps
        self._prefix_cache = PrefixCache() if causal else None
        self._grammar = GrammarCompiler(tokenizer, self._text_config.vocab_size)

    @torch.inference_mode()
    def complete(
        self, inputs: ModelInputs, slots: Sequence[Sequence[OutputSlot]], page_lines: Sequence[Sequence[str]] = ()
    ) -> list[list[Completion]]:
        """One list for each document, in the order of its slots. `page_lines`: each document's text lines, to draft
        from."""
        sequences = self._new_sequences(slots, page_lines)
        with grouped_attention(self._text_config):
            self._decode(inputs, sequences)
        completions: list[list[Completion]] = [[] for _ in slots]
        for sequence in sequences:
            completions[sequence.document].append(sequence.completion())
        return completions

    def _new_sequences(
        self, slots: Sequence[Sequence[OutputSlot]], page_lines: Sequence[Sequence[str]]
    ) -> list[OutputSequence]:
        texts = [PageText(lines) if lines and self._draft_steps else None for lines in page_lines]
        sequences: list[OutputSequence] = []
        for document, own_slots in enumerate(slots):
            text = texts[document] if texts else None
            for slot in own_slots:
                matcher = self._grammar.compile(slots_schema([slot]))
                lookup = PromptLookup(text, slot) if text else None
                sequence = OutputSequence(len(sequences), document, slot, matcher, self._tokenizer, lookup)
                sequences.append(sequence)
        return sequences

    def _decode(self, inputs: ModelInputs, sequences: Sequence[OutputSequence]) -> None:
        prefilled = self._prefill(inputs)
        layout = CacheLayout(prefilled.inputs.mask, prefilled.inputs.position_offsets)
        for sequence in sequences:
            sequence.extend()
        open_at_start = [sequence for sequence in sequences if not sequence.pending and sequence.finish is None]
        if open_at_start:  # a schema that leaves even the first token open
            self._choose_tokens(open_at_start, prefilled.logits[[sequence.document for sequence in open_at_start]])
        while unfinished := [sequence for sequence in sequences if sequence.finish is None]:
            for sequence in unfinished:
                sequence.draft_next(self._draft_steps)
            self._choose_tokens(unfinished, self._decode_step(layout, prefilled.cache, unfinished))

    def _prefill(self, inputs: ModelInputs) -> _Prefilled:
        """One pass over the prompts, without the prefix that was read before."""
        cached = self._prefix_cache.lookup(inputs) if self._prefix_cache is not None else None
        remaining, cache = cached or (inputs, new_cache())
        output = self._model(**remaining.tensors, past_key_values=cache, use_cache=True, logits_to_keep=1)
        if self._prefix_cache is not None and not cached:
            self._prefix_cache.store(inputs, cache)
        return _Prefilled(remaining, cache, output.logits[:, -1])

    def _decode_step(self, layout: CacheLayout, cache: Cache, sequences: Sequence[OutputSequence]) -> Tensor:
        """The logits of what may come next, for each sequence and behind each step of its draft: [n, vocabulary]."""
        step = layout.feed(sequences)
        output = self._decoder(
            input_ids=step.token_ids,
            attention_mask=self._attention_masks(layout, step.token_ids.shape[1]),
            position_ids=step.positions.expand(3, -1, -1) if self._has_mrope else step.positions,
            past_key_values=cache,
            use_cache=True,
        )
        logits: Tensor = self._head(output.last_hidden_state.flatten(0, 1)[step.choice_rows])
        return logits

    def _attention_masks(self, layout: CacheLayout, width: int) -> Tensor | dict[str, Tensor]:
        """One for each type of layers, or the only one."""
        windows = {"full_attention": None, "sliding_attention": getattr(self._text_config, "sliding_window", None)}
        masks = {name: self._additive_mask(layout.visible(width, windows[name])) for name in self._attention_types}
        return masks if len(masks) > 1 else next(iter(masks.values()))

    def _additive_mask(self, visible: Tensor) -> Tensor:
        """As attention adds it to its scores: worked out once a step, and not in each layer. [B, 1, W, K] -> [B, 1,
        groups * W, K]."""
        mask = torch.zeros_like(visible, dtype=self._model.dtype).masked_fill_(~visible, -torch.inf)
        return mask.repeat(1, 1, self._query_groups, 1)

    def _choose_tokens(self, sequences: Sequence[OutputSequence], logits: Tensor) -> None:
        """The most probable of the tokens that are allowed. What is allowed is worked out while the device is still at
        the logits [n, vocabulary], and the choices come back in one transfer."""
        allowed = allowed_tokens(
            [sequence.matcher for sequence in sequences], logits.device, [sequence.draft for sequence in sequences]
        )
        null_starts = self._null_starts(sequences)
        scores = torch.where(allowed, logits.float(), -torch.inf)
        logs = scores.log_softmax(-1)  # on a processor logsumexp takes seven times as long
        tokens = scores.argmax(-1, keepdim=True)
        starts = torch.tensor(null_starts, device=logits.device)  # [n, most of them], filled up with NO_TOKEN
        null = logs.gather(1, starts.clamp(min=0)).exp().masked_fill(starts == NO_TOKEN, 0.0).sum(-1, keepdim=True)
        rows = torch.cat([tokens.float(), logs.gather(1, tokens), null], 1).tolist()  # float32 counts to 16 million
        choices = [TokenChoice(int(token), log, null_probability) for token, log, null_probability in rows]
        first = 0
        for sequence in sequences:
            end = first + 1 + len(sequence.draft)
            sequence.verify(choices[first:end])
            first = end

    def _null_starts(self, sequences: Sequence[OutputSequence]) -> list[list[int]]:
        """For each sequence whose value begins here: the tokens that begin it with null. Equally many for all. No value
        begins behind a draft."""
        rows = []
        for sequence in sequences:
            missing_key = sequence.missing_key()
            start = None if missing_key is None else f"{missing_key}n"
            rows.append([null.token for null in self._null_tokens if start and null.text.startswith(start)])
            rows += [[] for _ in sequence.draft]
        width = max(1, *map(len, rows))
        return [tokens + [NO_TOKEN] * (width - len(tokens)) for tokens in rows]

    @cached_property
    def _null_tokens(self) -> list[_NullToken]:
        candidates = [token for text, token in self._tokenizer.get_vocab().items() if NULL_START.fullmatch(text)]
        decoded = [_NullToken(token, "".join(self._tokenizer.decode([token]).split())) for token in candidates]
        return [null for null in decoded if null.token < self._text_config.vocab_size]
