"""The beginning of a prompt, which is the same for every document of a schema: what was calculated for it is kept.

In: prompts, and the caches that passes over them have filled. Out: prompts without their beginnings, and caches that
have these already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from docpipe.extractors.local.engine.attention import new_cache
from docpipe.extractors.local.models.family import Prompt

# Tokens. The schema of an invoice has some thousand; what stands before a crop that is read again is not worth a mask
# that says where the beginning ends.
LEAST = 64

# Schemas that a worker is asked for in turn. A thousand tokens of Qwen2.5-VL-3B are 36 MB.
MOST = 4

BY_TOKEN = ("input_ids", "position_ids", "token_type_ids", "mm_token_type_ids")  # inputs [..., L] beside the mask


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Keys and values [1, heads, tokens, size] of each layer."""

    tokens: tuple[int, ...]
    layers: tuple[tuple[Tensor, Tensor], ...]


class Beginnings:
    """Sound only where a token sees what is before it, and sees all of it: no layer slides, no text looks ahead."""

    def __init__(self) -> None:
        self._kept: list[_Beginning] = []

    def cut(self, prompt: Prompt) -> tuple[Prompt, Cache] | None:
        """The prompt behind a beginning that all its documents share, and a cache with it. None where there is none."""
        best, shared = None, LEAST - 1
        for kept in self._kept:
            length = min(_alike(kept.tokens, head) for head in prompt.heads)
            if length > shared:
                best, shared = kept, length
        if best is None or 2 * shared < len(prompt.heads[0]):  # of another schema, that begins with the same greeting
            return None
        self._kept.sort(key=lambda kept: kept is best)  # the one that was used last is forgotten last
        cache, documents = new_cache(), len(prompt.seen)
        for number, layer in enumerate(best.layers):
            keys, values = (part[..., :shared, :].expand(documents, -1, -1, -1) for part in layer)
            cache.update(keys, values, number)
        return _without(prompt, shared), cache

    def keep(self, prompt: Prompt, cache: Cache) -> None:
        """After a pass over whole prompts."""
        head = prompt.heads[0]
        if len(head) < LEAST:
            return
        first = prompt.seen.shape[1] - prompt.lengths[0]
        kept = slice(first, first + len(head))
        filled: list[Any] = cache.layers
        layers = tuple((layer.keys[:1, :, kept].clone(), layer.values[:1, :, kept].clone()) for layer in filled)
        self._kept = [*self._kept[1 - MOST :], _Beginning(head, layers)]


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _without(prompt: Prompt, shared: int) -> Prompt:
    """The padding moves behind the beginning, which is now the same columns for all. Columns that become padding keep
    the tokens of the beginning that stood there; nobody sees them."""
    padding = prompt.seen.shape[1] - prompt.seen.sum(1, keepdim=True)
    behind = torch.arange(prompt.seen.shape[1] - shared, device=prompt.seen.device)[None] >= padding
    seen = torch.cat([torch.ones_like(prompt.seen[:, :shared]), behind], 1)
    inputs = {name: value[..., shared:] if name in BY_TOKEN else value for name, value in prompt.inputs.items()}
    inputs["attention_mask"] = seen.to(prompt.inputs["attention_mask"].dtype)
    return replace(prompt, inputs=inputs, seen=seen)
