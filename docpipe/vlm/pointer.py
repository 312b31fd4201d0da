"""Pointer network: for each field, how likely each word starts, ends or lies inside its value, and whether it has no
answer; for each pair of words, how likely they stand in the same row of a list.

In: states of fields [B, F, D] and words [B, N, D]. Out: `SpanLogits`, and the logits of rows [B, N, N].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from docpipe.vlm.fusion import EncoderStates
from docpipe.vlm.inputs import SPAN_ROLES

MATCH_WIDTH = 128  # in which fields and words are compared


@dataclass(frozen=True, slots=True)
class SpanLogits:
    spans: Tensor  # [B, F, 3, N] that a word is START, END or INSIDE
    no_answer: Tensor  # [B, F]

    def plus(self, other: SpanLogits) -> SpanLogits:
        return SpanLogits(self.spans + other.spans, self.no_answer + other.no_answer)


class Pointer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.field = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, SPAN_ROLES * MATCH_WIDTH))
        self.word = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, SPAN_ROLES * MATCH_WIDTH))
        self.word_bias = nn.Linear(width, SPAN_ROLES)
        self.no_answer = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, 1))

    def forward(self, states: EncoderStates) -> SpanLogits:
        fields, words, by_role = states.fields, states.words, (SPAN_ROLES, MATCH_WIDTH)
        queries = self.field(fields).unflatten(-1, by_role).transpose(1, 2)  # [B, 3, F, M]
        keys = self.word(words).unflatten(-1, by_role).permute(0, 2, 3, 1)  # [B, 3, M, N]
        bias = self.word_bias(words).transpose(1, 2).unsqueeze(2)  # [B, 3, 1, N]
        logits = queries @ keys * MATCH_WIDTH**-0.5 + bias  # [B, 3, F, N]
        return SpanLogits(logits.transpose(1, 2), self.no_answer(fields).squeeze(-1))


class RowAffinity(nn.Module):
    """Tables without lines between them: two cells are compared by what they say and by where they stand."""

    def __init__(self, width: int, waves: int) -> None:
        super().__init__()
        self.query = nn.Sequential(
            nn.Linear(width + waves, MATCH_WIDTH), nn.GELU(), nn.Linear(MATCH_WIDTH, MATCH_WIDTH)
        )
        self.key = nn.Sequential(nn.Linear(width + waves, MATCH_WIDTH), nn.GELU(), nn.Linear(MATCH_WIDTH, MATCH_WIDTH))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, words: Tensor, waves: Tensor) -> Tensor:
        """words [B, N, D], waves [B, N, W] (`RelativeBias.key`) -> [B, N, N], the same in both directions."""
        cells = torch.cat([words, waves.to(words.dtype)], dim=-1)
        affinity = self.query(cells) @ self.key(cells).transpose(1, 2) * MATCH_WIDTH**-0.5
        return (affinity + affinity.transpose(1, 2)) / 2 + self.bias
