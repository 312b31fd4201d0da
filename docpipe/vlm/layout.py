"""The sense of place: where a word stands on the page, for itself and seen from every other word.

In: boxes [B, T, 4] in fractions of the page and context numbers [B, T, C]. Out: embeddings [B, T, D] and an attention
bias that depends only on how far apart two things stand (a Fourier series in dx and dy per head), as two factors.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FREQUENCIES = 8  # octaves from one page down to 1/128 of it, about half a line of print
WAVES = 2 * 2 * FREQUENCIES  # cosines and sines of both directions


def fourier(positions: Tensor) -> Tensor:
    """[...] in 0-1 -> [..., 2 * FREQUENCIES] cosines and sines, one octave apart."""
    octaves = math.pi * 2.0 ** torch.arange(FREQUENCIES, device=positions.device, dtype=positions.dtype)
    angles = positions.unsqueeze(-1) * octaves
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class Layout(nn.Module):
    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.place = nn.Linear(6 * 2 * FREQUENCIES + context, width)
        self.out = nn.Linear(width, width)
        # weights of cos and sin for x and y; small at first so that the text encoder starts as it was trained
        self.near = nn.Parameter(torch.randn(heads, 2, FREQUENCIES) * 0.02)
        self.lean = nn.Parameter(torch.randn(heads, 2, FREQUENCIES) * 0.02)

    def forward(self, boxes: Tensor, context: Tensor) -> Tensor:
        """-> [B, N, D]"""
        left, top, right, bottom = boxes.unbind(-1)
        numbers = torch.stack([left, top, right, bottom, right - left, bottom - top], dim=-1)  # [B, N, 6]
        place = self.place(torch.cat([fourier(numbers).flatten(-2), context], dim=-1))
        return self.out(nn.functional.gelu(place))

    def bias(self, centres: Tensor, placed: Tensor) -> tuple[Tensor, Tensor]:
        """centres [B, T, 2], placed [B, T] 1 for what has a place -> [B, heads, T, W] and [B, T, W], whose product is

        near * cos(w dx) + lean * sin(w dx), summed over octaves and both directions (W = WAVES).
        """
        waves = fourier(centres) * placed[:, :, None, None]  # [B, T, 2, 2 F]
        cosines, sines = waves.chunk(2, dim=-1)
        turned = torch.cat([sines, -cosines], dim=-1)
        near = self.near.repeat(1, 1, 2)  # cos(a - b) = cos a cos b + sin a sin b: one weight for both products
        lean = self.lean.repeat(1, 1, 2)
        asking = waves.unsqueeze(1) * near[:, None] + turned.unsqueeze(1) * lean[:, None]  # [B, heads, T, 2, 2 F]
        return asking.flatten(-2), waves.flatten(-2)
