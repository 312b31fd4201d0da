"""The finger: for each field, how likely each word begins, ends or belongs to its value, and whether it is absent;
and for each pair of words, how likely they stand in the same row of a list.

In: field states [B, F, D] and word states [B, N, D]. Out: logits [B, F, 3, N] (begin, end, inside), absent [B, F], and
together [B, N, N].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BEGIN, END, INSIDE = 0, 1, 2
ROLES = 3
REACH = 128  # width in which fields and words are compared


class Pointer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.field = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, ROLES * REACH))
        self.word = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, ROLES * REACH))
        self.word_bias = nn.Linear(width, ROLES)
        self.absent = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, 1))

    def forward(self, fields: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        asked = self.field(fields).unflatten(-1, (ROLES, REACH)).transpose(1, 2)  # [B, 3, F, R]
        offered = self.word(words).unflatten(-1, (ROLES, REACH)).permute(0, 2, 3, 1)  # [B, 3, R, N]
        logits = asked @ offered * REACH**-0.5 + self.word_bias(words).transpose(1, 2).unsqueeze(2)  # [B, 3, F, N]
        return logits.transpose(1, 2), self.absent(fields).squeeze(-1)


class Rows(nn.Module):
    """Tables without lines between them: two cells are compared by what they say and by where they stand."""

    def __init__(self, width: int, waves: int) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Linear(width + waves, REACH), nn.GELU(), nn.Linear(REACH, REACH))
        self.other = nn.Sequential(nn.Linear(width + waves, REACH), nn.GELU(), nn.Linear(REACH, REACH))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, words: Tensor, waves: Tensor) -> Tensor:
        """words [B, N, D], waves [B, N, W] (`Layout.bias`) -> [B, N, N], the same in both directions."""
        cells = torch.cat([words, waves.to(words.dtype)], dim=-1)
        likeness = self.one(cells) @ self.other(cells).transpose(1, 2) * REACH**-0.5
        return (likeness + likeness.transpose(1, 2)) / 2 + self.bias
