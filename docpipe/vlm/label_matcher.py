"""What is printed beside a word: a field is known by its printed label ("Delivery date:"), also one that training never
showed.

The prompt is compared with every short run of words on the page, and each word gets how well the runs before, above and
below it agree with the prompt. Bags of weighted word pieces are compared by their cosine, so a label that is spelt as
the prompt agrees by 1, whatever it means.

In: embedded word pieces of the prompts and of the words; states of fields [B, F, D] and words [B, N, D].
Out: `SpanLogits` to be added to those of the pointer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor, nn

from docpipe.vlm.fusion import EncoderStates
from docpipe.vlm.inputs import NEIGHBOURS_ABOVE, NEIGHBOURS_BELOW, NEIGHBOURS_LEFT, SPAN_ROLES
from docpipe.vlm.pointer import SpanLogits

BAG_WIDTH = 128  # in which words are compared
MAX_LABEL_WORDS = 6
WORDS_BEFORE = 10  # words on the line before a value among which its label is looked for
HIDDEN = 16


class MatchFeature(IntEnum):
    """Where the best matching run of words is, seen from a word: the last axis of `match_features`."""

    AROUND = 0  # the word begins or ends it
    DIRECTLY_BEFORE = 1
    BEFORE = 2  # on the same line
    DIRECTLY_BEHIND = 3
    ABOVE = 4
    BELOW = 5
    LEFT = 6  # across a gap, on another line


@dataclass(frozen=True, slots=True)
class LabelBags:
    """Bags of word pieces, M = BAG_WIDTH."""

    fields: Tensor  # [B, F, M]
    words: Tensor  # [B, N, M]


@dataclass(frozen=True, slots=True)
class WordPlaces:
    lines: Tensor  # [B, N] number of each word's line, from 1
    neighbours: Tensor  # [B, N, NEIGHBOURS] indexes of words above, below and left, -1 for none


@dataclass(frozen=True, slots=True)
class RunSimilarity:
    """How well each field agrees with the best run of words, 0 to 1."""

    starting: Tensor  # [B, F, N] at this word
    ending: Tensor  # [B, F, N] at this word


class LabelMatcher(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, BAG_WIDTH, bias=False)
        self.token_weight = nn.Linear(width, 1)
        count = len(MatchFeature)
        self.mixer = nn.Sequential(nn.Linear(2 * count, 2 * HIDDEN), nn.GELU(), nn.Linear(2 * HIDDEN, HIDDEN))
        self.field_gate = nn.Linear(width, HIDDEN)
        self.word_weights = nn.Linear(width, SPAN_ROLES * HIDDEN)
        self.no_answer = nn.Linear(count, 1)
        nn.init.orthogonal_(self.projection.weight)
        for head in (self.word_weights, self.no_answer):  # printed labels have no weight at first
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def bag(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Weighted sum of embedded word pieces: [..., K, D] and [..., K] -> [..., M]."""
        weight = nn.functional.softplus(self.token_weight(tokens)) * mask.unsqueeze(-1)
        return (self.projection(tokens) * weight).sum(-2)

    def forward(self, bags: LabelBags, places: WordPlaces, states: EncoderStates) -> SpanLogits:
        features = match_features(run_similarity(bags, places.lines), places)  # [B, F, N, 7]
        best = features.amax(2)  # [B, F, 7]
        best_match = best[:, :, None, MatchFeature.AROUND : MatchFeature.AROUND + 1]
        mixed = self.mixer(torch.cat([features, features - best_match], dim=-1))
        mixed = mixed * (1.0 + self.field_gate(states.fields)).unsqueeze(2)  # [B, F, N, HIDDEN]
        weights = self.word_weights(states.words).unflatten(-1, (SPAN_ROLES, HIDDEN))  # [B, N, 3, HIDDEN]
        logits = torch.einsum("bfnm,bnrm->bfrn", mixed, weights)
        return SpanLogits(logits, self.no_answer(best).squeeze(-1))


def run_similarity(bags: LabelBags, lines: Tensor) -> RunSimilarity:
    """Of runs of up to MAX_LABEL_WORDS words; runs stay on their line."""
    fields = nn.functional.normalize(bags.fields.float(), dim=-1)
    words = bags.words.float().transpose(1, 2)  # [B, M, N]
    run = torch.zeros_like(words)
    starting = ending = fields.new_zeros(fields.shape[0], fields.shape[1], bags.words.shape[1])
    for length in range(1, MAX_LABEL_WORDS + 1):
        run = run + _later(words, length - 1)
        is_whole = (_later(lines, length - 1) == lines).unsqueeze(1)  # [B, 1, N]
        cosine = torch.relu(fields @ nn.functional.normalize(run, dim=1)) * is_whole
        starting = torch.maximum(starting, cosine)
        ending = torch.maximum(ending, _earlier(cosine, length - 1))
    return RunSimilarity(starting, ending)


def match_features(similarity: RunSimilarity, places: WordPlaces) -> Tensor:
    """[B, F, N, 7] by MatchFeature."""
    starting, ending, lines = similarity.starting, similarity.ending, places.lines
    above, below, left = places.neighbours.split((NEIGHBOURS_ABOVE, NEIGHBOURS_BELOW, NEIGHBOURS_LEFT), dim=-1)
    before = []
    for steps in range(1, WORDS_BEFORE + 1):
        is_same_line = (_earlier(lines, steps) == lines).unsqueeze(1)
        before.append(_earlier(ending, steps) * is_same_line)
    features = {
        MatchFeature.AROUND: torch.maximum(starting, ending),
        MatchFeature.DIRECTLY_BEFORE: before[0],
        MatchFeature.BEFORE: torch.stack(before).amax(0),
        MatchFeature.DIRECTLY_BEHIND: _later(starting, 1) * (_later(lines, 1) == lines).unsqueeze(1),
        MatchFeature.ABOVE: _best_of(starting, above),
        MatchFeature.BELOW: _best_of(starting, below),
        MatchFeature.LEFT: _best_of(ending, left),
    }
    return torch.stack([features[feature] for feature in MatchFeature], dim=-1)


def _best_of(values: Tensor, neighbours: Tensor) -> Tensor:
    """values [B, F, N], neighbours [B, N, A] -> [B, F, N]: the best of the values at a word's neighbours; 0 without."""
    batch, words, count = neighbours.shape
    index = neighbours.clamp(min=0).reshape(batch, 1, words * count).expand(-1, values.shape[1], -1)
    neighbour_values = values.gather(2, index).unflatten(2, (words, count))
    return (neighbour_values * (neighbours >= 0).unsqueeze(1)).amax(-1)


def _later(values: Tensor, steps: int) -> Tensor:
    """[..., N] moved so that each word holds what stands `steps` words later; 0 behind the last."""
    return nn.functional.pad(values, (0, steps))[..., steps:]


def _earlier(values: Tensor, steps: int) -> Tensor:
    """[..., N] moved so that each word holds what stands `steps` words earlier; 0 before the first."""
    return nn.functional.pad(values, (steps, 0))[..., : values.shape[-1]]
