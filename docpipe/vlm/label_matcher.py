"""What stands beside a word: a field is known by its caption ("Delivery date:"), also one that training never showed.

The question is compared with every short run of words on the page, and each word is told how well the runs before,
above and below it agree with the question. Bags of weighted words are compared by their cosine, so a caption that is
spelt as the question agrees by 1, whatever it means.

In: pieces of the questions and of the words, embedded; states of fields [B, F, D] and words [B, N, D].
Out: logits [B, F, 3, N] and [B, F] to be added to those of the pointer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MEANING = 128  # width in which words are compared
LONGEST = 6  # words of a caption
BEFORE = 10  # words on the line before a value among which its caption is looked for
SIGHTS = 7  # itself, directly before, before on the line, directly behind, above, below, left on another line
MIX = 16


class Captions(nn.Module):
    def __init__(self, width: int, roles: int, near: tuple[int, int, int]) -> None:
        """near: how many words above, below and left of it each word is told of."""
        super().__init__()
        self.roles, self.near = roles, near
        self.meaning = nn.Linear(width, MEANING, bias=False)
        self.weight = nn.Linear(width, 1)
        self.mix = nn.Sequential(nn.Linear(2 * SIGHTS, 2 * MIX), nn.GELU(), nn.Linear(2 * MIX, MIX))
        self.field = nn.Linear(width, MIX)
        self.word = nn.Linear(width, roles * MIX)
        self.absent = nn.Linear(SIGHTS, 1)
        nn.init.orthogonal_(self.meaning.weight)
        for silent in (self.word, self.absent):  # at first captions say nothing
            nn.init.zeros_(silent.weight)
            nn.init.zeros_(silent.bias)

    def bag(self, pieces: Tensor, real: Tensor) -> Tensor:
        """Weighted sum of pieces: [..., K, D] and [..., K] -> [..., M]."""
        weight = nn.functional.softplus(self.weight(pieces)) * real.unsqueeze(-1)
        return (self.meaning(pieces) * weight).sum(-2)

    def forward(
        self, questions: Tensor, words: Tensor, lines: Tensor, near: Tensor, states: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """questions [B, F, M] and words [B, N, M] from `bag`; lines [B, N] the number of each word's line, from 1; near
        [B, N, NEAR] indexes of words, -1 for none; states: fields and words."""
        begins, ends = agreement(questions, words, lines)
        sights = seen_from(begins, ends, lines, near.split(self.near, dim=-1))  # [B, F, N, SIGHTS]
        best = sights.amax(2)  # [B, F, SIGHTS]
        mixed = self.mix(torch.cat([sights, sights - best[:, :, None, :1]], dim=-1))
        fields, read = states
        mixed = mixed * (1.0 + self.field(fields)).unsqueeze(2)  # [B, F, N, MIX]
        told = self.word(read).unflatten(-1, (self.roles, MIX))  # [B, N, 3, MIX]
        logits = torch.einsum("bfnm,bnrm->bfrn", mixed, told)
        return logits, self.absent(best).squeeze(-1)


def agreement(questions: Tensor, words: Tensor, lines: Tensor) -> tuple[Tensor, Tensor]:
    """How well each question [B, F, M] agrees with the best run of up to LONGEST words that begins, and that ends, at
    each word [B, N, M]; runs stay on their line. -> two of [B, F, N], 0 to 1."""
    asked = nn.functional.normalize(questions.float(), dim=-1)
    offered = words.float().transpose(1, 2)  # [B, M, N]
    run = torch.zeros_like(offered)
    begins = ends = asked.new_zeros(asked.shape[0], asked.shape[1], words.shape[1])
    for length in range(1, LONGEST + 1):
        run = run + _later(offered, length - 1)
        whole = (_later(lines, length - 1) == lines).unsqueeze(1)  # [B, 1, N]
        alike = torch.relu(asked @ nn.functional.normalize(run, dim=1)) * whole
        begins = torch.maximum(begins, alike)
        ends = torch.maximum(ends, _earlier(alike, length - 1))
    return begins, ends


def seen_from(begins: Tensor, ends: Tensor, lines: Tensor, near: Sequence[Tensor]) -> Tensor:
    """What each word sees of every question: [B, F, N, SIGHTS]. near: words above, below and left of it."""
    above, below, left = near
    before = []
    for back in range(1, BEFORE + 1):
        same = (_earlier(lines, back) == lines).unsqueeze(1)
        before.append(_earlier(ends, back) * same)
    sights = [
        torch.maximum(begins, ends),
        before[0],
        torch.stack(before).amax(0),
        _later(begins, 1) * (_later(lines, 1) == lines).unsqueeze(1),
        _best_at(begins, above),
        _best_at(begins, below),
        _best_at(ends, left),
    ]
    return torch.stack(sights, dim=-1)


def _best_at(values: Tensor, places: Tensor) -> Tensor:
    """values [B, F, N], places [B, N, A] -> [B, F, N]: the best of the values at a word's places; 0 without any."""
    batch, count, some = places.shape
    index = places.clamp(min=0).reshape(batch, 1, count * some).expand(-1, values.shape[1], -1)
    found = values.gather(2, index).unflatten(2, (count, some))
    return (found * (places >= 0).unsqueeze(1)).amax(-1)


def _later(values: Tensor, steps: int) -> Tensor:
    """[..., N] moved so that each word holds what stands `steps` words later; 0 behind the last."""
    return nn.functional.pad(values, (0, steps))[..., steps:]


def _earlier(values: Tensor, steps: int) -> Tensor:
    """[..., N] moved so that each word holds what stands `steps` words earlier; 0 before the first."""
    return nn.functional.pad(values, (steps, 0))[..., : values.shape[-1]]
