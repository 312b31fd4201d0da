"""What makes a step of the engine cheap: keys and values that are never copied, and attention that reads each once.

In: what transformers hands to a cache and to an attention function. Out: the same results, with less memory moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.cache_utils import Cache, DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

# Columns by which a layer's memory grows: 20 fields of an invoice take about 500 beside the prompt, so most documents
# grow once. transformers' own cache is copied whole for every token.
GROWTH_COLUMNS = 512

GROUPED_ATTENTION = "docpipe_grouped"  # the name under which transformers finds the function below


class _PreallocatedLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values [B, heads, columns, size] in memory that is larger than they are. It knows no window: the
    engine's masks do."""

    _allocated_keys: Tensor | None = None
    _allocated_values: Tensor | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        keys = key_states[..., :0, :] if self._allocated_keys is None else self._allocated_keys
        values = value_states[..., :0, :] if self._allocated_values is None else self._allocated_values
        if end > keys.shape[-2]:
            keys, values = _grow(keys, start, end + GROWTH_COLUMNS), _grow(values, start, end + GROWTH_COLUMNS)
        keys[..., start:end, :], values[..., start:end, :] = key_states, value_states
        self._allocated_keys, self._allocated_values, self.is_initialized = keys, values, True
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values


def _grow(tensor: Tensor, used: int, columns: int) -> Tensor:
    larger = tensor.new_empty((*tensor.shape[:-2], columns, tensor.shape[-1]))
    larger[..., :used, :] = tensor[..., :used, :]
    return larger


def new_cache() -> Cache:
    return Cache(layer_class_to_replicate=_PreallocatedLayer)


@contextmanager
def grouped_attention(text_config: Any) -> Iterator[None]:
    """Within, the part of the model that writes attends as below."""
    before = text_config._attn_implementation
    text_config._attn_implementation = GROUPED_ATTENTION
    try:
        yield
    finally:
        text_config._attn_implementation = before


def _attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Grouped-query attention with a mask for each group of queries: heads that share keys and values are folded into
    one with several times the queries. transformers would write the keys and values out for each head: at each step, in
    each layer, the whole cache once per group."""
    batch, heads, queries, size = query.shape
    groups = heads // key.shape[1]
    if attention_mask is None or groups == 1 or attention_mask.shape[-2] != groups * queries:
        plain: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
        return plain
    attended = scaled_dot_product_attention(
        query.reshape(batch, key.shape[1], groups * queries, size),
        key,
        value,
        attn_mask=attention_mask,
        scale=kwargs.get("scaling"),
    )
    return attended.reshape(batch, heads, queries, value.shape[-1]).transpose(1, 2).contiguous(), None


AttentionInterface.register(GROUPED_ATTENTION, _attend)
AttentionMaskInterface.register(GROUPED_ATTENTION, sdpa_mask)
