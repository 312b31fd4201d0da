"""The finger: for each field, how likely each word begins, ends or belongs to its value, and whether it is absent.

In: field states [B, F, D] and word states [B, N, D]. Out: logits [B, F, 3, N] (begin, end, inside) and absent [B, F].
"""

from __future__ import annotations

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
