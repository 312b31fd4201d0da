"""The beginning of a prompt, which is the same for every document of a schema: its keys and values are kept.

In: prompts, and the caches that passes over them have filled. Out: prompts without their prefixes, and caches that have
these already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from docpipe.extractors.local.engine.attention import new_cache
from docpipe.extractors.local.models.family import ModelInputs

# Tokens. The schema of an invoice has some thousand; what stands before a crop that is read again is not worth a mask
# that says where the prefix ends.
MIN_PREFIX = 64

# Schemas that a worker is asked for in turn. A thousand tokens of Qwen2.5-VL-3B are 36 MB.
MAX_PREFIXES = 4

# Inputs [..., L] beside the mask, with an entry for each token
TOKEN_INPUTS = ("input_ids", "position_ids", "token_type_ids", "mm_token_type_ids")


@dataclass(frozen=True, slots=True)
class _LayerStates:
    """Each [1, heads, tokens, size]."""

    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class _CachedPrefix:
    token_ids: tuple[int, ...]
    layers: tuple[_LayerStates, ...]


class PrefixCache:
    """Sound only where a token sees what is before it, and sees all of it: no layer slides, no text looks ahead."""

    def __init__(self) -> None:
        self._prefixes: list[_CachedPrefix] = []  # the one that was used last stands last

    def lookup(self, inputs: ModelInputs) -> tuple[ModelInputs, Cache] | None:
        """The inputs behind a prefix that all prompts share, and a cache with it. None where there is none."""
        best, shared = None, MIN_PREFIX - 1
        for prefix in self._prefixes:
            length = min(_shared_length(prefix.token_ids, own) for own in inputs.prefixes)
            if length > shared:
                best, shared = prefix, length
        # less than half is another schema that begins with the same sentence
        if best is None or 2 * shared < len(inputs.prefixes[0]):
            return None
        self._prefixes.sort(key=lambda prefix: prefix is best)
        cache, documents = new_cache(), len(inputs.mask)
        for number, layer in enumerate(best.layers):
            keys = layer.keys[..., :shared, :].expand(documents, -1, -1, -1)
            values = layer.values[..., :shared, :].expand(documents, -1, -1, -1)
            cache.update(keys, values, number)
        return _without_prefix(inputs, shared), cache

    def store(self, inputs: ModelInputs, cache: Cache) -> None:
        """After a pass over whole prompts: the prefix of the first."""
        token_ids = inputs.prefixes[0]
        if len(token_ids) < MIN_PREFIX:
            return
        start = inputs.mask.shape[1] - inputs.lengths[0]  # behind the padding
        columns = slice(start, start + len(token_ids))
        filled: list[Any] = cache.layers
        layers = tuple(
            _LayerStates(layer.keys[:1, :, columns].clone(), layer.values[:1, :, columns].clone()) for layer in filled
        )
        self._prefixes = [*self._prefixes[1 - MAX_PREFIXES :], _CachedPrefix(token_ids, layers)]


def _shared_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(first), len(second)))


def _without_prefix(inputs: ModelInputs, shared: int) -> ModelInputs:
    """The padding moves behind the prefix, which is now the same columns for all. Columns that become padding keep the
    tokens of the prefix that stood there; nobody sees them."""
    columns = inputs.mask.shape[1]
    padding = columns - inputs.mask.sum(1, keepdim=True)  # [B, 1]
    behind = torch.arange(columns - shared, device=inputs.mask.device)[None] >= padding
    mask = torch.cat([torch.ones_like(inputs.mask[:, :shared]), behind], 1)
    tensors = {name: value[..., shared:] if name in TOKEN_INPUTS else value for name, value in inputs.tensors.items()}
    tensors["attention_mask"] = mask.to(inputs.tensors["attention_mask"].dtype)
    return replace(inputs, tensors=tensors, mask=mask)
