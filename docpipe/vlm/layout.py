"""The position of a word on the page, alone and relative to every other word.

In: boxes [B, N, 4] in fractions of the page and features of words [B, N, C]. Out: embeddings [B, N, D], and an
attention bias that depends only on how far apart two things stand (a Fourier series in dx and dy per head).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

FREQUENCIES = 8  # octaves from one page down to 1/128 of it, about half a line of print
WAVES = 2 * 2 * FREQUENCIES  # cosines and sines of both directions


@dataclass(frozen=True, slots=True)
class RelativeBias:
    """The attention bias of relative position as two factors, which queries and keys take in: W = WAVES."""

    query: Tensor  # [B, heads, T, W]
    key: Tensor  # [B, T, W]


def fourier(positions: Tensor) -> Tensor:
    """[...] in 0-1 -> [..., 2 * FREQUENCIES] cosines and sines, one octave apart."""
    octaves = math.pi * 2.0 ** torch.arange(FREQUENCIES, device=positions.device, dtype=positions.dtype)
    angles = positions.unsqueeze(-1) * octaves
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class Layout(nn.Module):
    def __init__(self, width: int, heads: int, word_features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(6 * 2 * FREQUENCIES + word_features, width)
        self.out = nn.Linear(width, width)
        # small at first so that the text encoder starts as it was trained
        self.cosine_weight = nn.Parameter(torch.randn(heads, 2, FREQUENCIES) * 0.02)
        self.sine_weight = nn.Parameter(torch.randn(heads, 2, FREQUENCIES) * 0.02)

    def forward(self, boxes: Tensor, features: Tensor) -> Tensor:
        """-> [B, N, D]"""
        left, top, right, bottom = boxes.unbind(-1)
        numbers = torch.stack([left, top, right, bottom, right - left, bottom - top], dim=-1)  # [B, N, 6]
        hidden = self.hidden(torch.cat([fourier(numbers).flatten(-2), features], dim=-1))
        return self.out(nn.functional.gelu(hidden))

    def relative_bias(self, centres: Tensor, is_placed: Tensor) -> RelativeBias:
        """centres [B, T, 2], is_placed [B, T] 1 for what has a place. The product of the two factors is

        cosine_weight * cos(w dx) + sine_weight * sin(w dx), summed over octaves and both directions.
        """
        waves = fourier(centres) * is_placed[:, :, None, None]  # [B, T, 2, 2 F]
        cosines, sines = waves.chunk(2, dim=-1)
        quarter_turned = torch.cat([sines, -cosines], dim=-1)
        # cos(a - b) = cos a cos b + sin a sin b: one weight for both products
        cosine_weight = self.cosine_weight.repeat(1, 1, 2)
        sine_weight = self.sine_weight.repeat(1, 1, 2)
        query = waves.unsqueeze(1) * cosine_weight[:, None] + quarter_turned.unsqueeze(1) * sine_weight[:, None]
        return RelativeBias(query.flatten(-2), waves.flatten(-2))  # query was [B, heads, T, 2, 2 F]
