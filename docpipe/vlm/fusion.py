"""The reader: a transformer encoder in which fields, patches and words look at each other.

In: embeddings [B, T, D], which of them are real [B, T], and the two factors of the bias of place (`Layout.bias`).
Out: states [B, T, D].
The weights start from all-MiniLM-L6-v2 (6 layers of width 384, Apache-2.0); the layer is BERT's (post-norm).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

NORM_EPS = 1e-12  # as in the weights it starts from
Place = tuple[Tensor, Tensor]  # [B, heads, T, W] and [B, T, W]: the bias of place is their product


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

    def forward(self, x: Tensor, place: Place, open_: Tensor) -> Tensor:
        """The bias of place is a product of two factors, so it joins query and key instead of being written out: the
        [T, T] table and its gradient would cost more than all of the rest."""
        asking, placed = place
        query, key, value = self._split(self.query(x)), self._split(self.key(x)), self._split(self.value(x))
        share = query.shape[-1]  # D / heads
        query = torch.cat([query * share**-0.5, asking.to(query.dtype)], dim=-1)
        key = torch.cat([key, placed.to(key.dtype).unsqueeze(1).expand(-1, self.heads, -1, -1)], dim=-1)
        if self.training:  # the fast kernels, which training needs, want one width for all three
            value = nn.functional.pad(value, (0, placed.shape[-1]))
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=open_, scale=1.0)
        x = self.out_norm(x + self.dropout(self.out(mixed[..., :share].transpose(1, 2).flatten(2))))
        return self.narrow_norm(x + self.dropout(self.narrow(nn.functional.gelu(self.widen(x)))))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, D / heads]


class Encoder(nn.Module):
    def __init__(self, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads, 4 * width, dropout) for _ in range(layers))

    def forward(self, x: Tensor, real: Tensor, place: Place) -> Tensor:
        """real [B, T] is False for padding, which nothing looks at."""
        open_ = real[:, None, None, :]  # [B, 1, 1, T]
        for layer in self.layers:
            x = layer(x, place, open_)
        return x
