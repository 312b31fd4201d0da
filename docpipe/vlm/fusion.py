"""A transformer encoder in which fields, patches of the picture and words attend to each other.

In: embeddings [B, T, D], which of them are no padding [B, T], and the bias of relative position.
Out: states [B, T, D].
The weights start from all-MiniLM-L6-v2 (6 layers of width 384, Apache-2.0); the layer is BERT's (post-norm).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from docpipe.vlm.layout import RelativeBias

NORM_EPS = 1e-12  # as in the weights it starts from


@dataclass(frozen=True, slots=True)
class EncoderStates:
    """What the encoder makes of the sequence of fields, patches and words."""

    sequence: Tensor  # [B, T, D]
    field_count: int
    first_word: int

    @property
    def fields(self) -> Tensor:
        """[B, F, D]"""
        return self.sequence[:, : self.field_count]

    @property
    def words(self) -> Tensor:
        """[B, N, D]"""
        return self.sequence[:, self.first_word :]


class EncoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, ffn_width: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.attention_out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.ffn_in, self.ffn_out = nn.Linear(width, ffn_width), nn.Linear(ffn_width, width)
        self.ffn_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: RelativeBias, attention_mask: Tensor) -> Tensor:
        """The bias is a product of two factors, so it joins query and key instead of being written out: the [T, T]
        table and its gradient would cost more than all of the rest."""
        query, key, value = self._heads(self.query(x)), self._heads(self.key(x)), self._heads(self.value(x))
        head_width = query.shape[-1]  # D / heads
        query = torch.cat([query * head_width**-0.5, bias.query.to(query.dtype)], dim=-1)
        key = torch.cat([key, bias.key.to(key.dtype).unsqueeze(1).expand(-1, self.heads, -1, -1)], dim=-1)
        if self.training:  # the fast kernels, which training needs, want one width for all three
            value = nn.functional.pad(value, (0, bias.key.shape[-1]))
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask, scale=1.0)
        mixed = mixed[..., :head_width].transpose(1, 2).flatten(2)
        x = self.attention_norm(x + self.dropout(self.attention_out(mixed)))
        return self.ffn_norm(x + self.dropout(self.ffn_out(nn.functional.gelu(self.ffn_in(x)))))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, D / heads]


class Encoder(nn.Module):
    def __init__(self, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(width, heads, 4 * width, dropout) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor, bias: RelativeBias) -> Tensor:
        """mask [B, T] is False for padding, which nothing attends to."""
        attention_mask = mask[:, None, None, :]  # [B, 1, 1, T]
        for layer in self.layers:
            x = layer(x, bias, attention_mask)
        return x
