"""The reader: a transformer encoder in which fields, patches and words look at each other.

In: embeddings [B, T, D], which of them are real [B, T], and the bias of place [B, heads, T, T]. Out: states [B, T, D].
The weights start from all-MiniLM-L6-v2 (6 layers of width 384, Apache-2.0); the layer is BERT's (post-norm).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

NORM_EPS = 1e-12  # as in the weights it starts from


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.out_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.narrow_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        mixed = nn.functional.scaled_dot_product_attention(
            self._split(self.query(x)), self._split(self.key(x)), self._split(self.value(x)), attn_mask=bias
        )  # [B, heads, T, D / heads]
        x = self.out_norm(x + self.dropout(self.out(mixed.transpose(1, 2).flatten(2))))
        return self.narrow_norm(x + self.dropout(self.narrow(nn.functional.gelu(self.widen(x)))))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, D / heads]


class Encoder(nn.Module):
    def __init__(self, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads, 4 * width, dropout) for _ in range(layers))

    def forward(self, x: Tensor, real: Tensor, bias: Tensor | None = None) -> Tensor:
        """real [B, T] is False for padding, which nothing looks at."""
        closed = torch.where(real, 0.0, -1e4)[:, None, None, :]  # [B, 1, 1, T]
        mask = closed if bias is None else bias + closed
        for layer in self.layers:
            x = layer(x, mask)
        return x
