"""The whole network: questions, picture and words in, pointers out, all fields of a schema in one pass.

In: the arrays of `encode.py` as a batch (B pages, F fields, N words).
Out: `logits` [B, F, 3, N], `absent` [B, F] and `together` [B, N, N].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from docpipe.vlm.encode import ABOVE, BELOW, CONTEXT, FIRST, GROUPS, LEFT, SHAPES
from docpipe.vlm.fusion import NORM_EPS, Encoder, Place
from docpipe.vlm.label_matcher import Captions
from docpipe.vlm.layout import WAVES, Layout
from docpipe.vlm.pointer import ROLES, Pointer, Rows
from docpipe.vlm.vision import Vision


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    vocabulary: int = 30522
    positions: int = 512
    width: int = 384
    heads: int = 12
    layers: int = 6
    dropout: float = 0.05


class DocumentNetwork(nn.Module):
    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.pieces = nn.Embedding(config.vocabulary, width, padding_idx=0)
        self.positions = nn.Embedding(config.positions, width)
        self.shapes = nn.Embedding(SHAPES, width)
        self.roles = nn.Embedding(3, width)  # field, patch, word
        self.groups = nn.Embedding(len(GROUPS), width)
        self.repeats = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)
        self.vision = Vision(width)
        self.layout = Layout(width, config.heads, CONTEXT)
        self.encoder = Encoder(width, config.heads, config.layers, config.dropout)
        self.pointer = Pointer(width)
        self.rows = Rows(width, WAVES)
        self.captions = Captions(width, ROLES, (ABOVE, BELOW, LEFT))
        for small in (self.shapes, self.roles, self.groups, self.repeats):
            nn.init.normal_(small.weight, std=0.02)
        # place and picture begin as a whisper beside the pretrained words, whose embeddings have a deviation of 0.05
        for quiet in (self.layout.out, self.vision.to_word, self.vision.to_patch):
            nn.init.normal_(quiet.weight, std=0.002)
            nn.init.zeros_(quiet.bias)

    def forward(
        self, fields: tuple[Tensor, ...], words: tuple[Tensor, ...], picture: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """fields: pieces [U, P] of the different descriptions, which [B, F] of them is asked (-1: padding),
        group [B, F], repeated [B, F];
        words: pieces [B, N, K], shape [B, N], boxes [B, N, 4], context [B, N, C], places [B, N, 4],
        seen [B, N, 4], near [B, N, A];
        picture [B, H, W], or None to read blindly (a share of the training steps, and the ablation)."""
        descriptions, which, group, repeated = fields
        asked = self._mean(descriptions)[which.clamp(min=0)]  # [B, F, D]
        asked = asked + self.groups(group) + self.repeats(repeated) + self.roles.weight[0]
        pieces, shape, boxes, context, places, seen, near = words
        word_real = pieces[..., 0] != 0
        read = self._read(pieces, shape) + self.layout(boxes, context)
        patches, patch_boxes = read[:, :0], places[:, :0]
        if picture is not None:
            look, patches, patch_boxes = self._look(picture, seen)
            read = read + look
        x = torch.cat([self.norm(asked), self.dropout(self.norm(patches)), self.dropout(self.norm(read))], dim=1)
        real = torch.cat([which >= 0, torch.ones_like(patches[..., 0], dtype=torch.bool), word_real], dim=1)
        place = self._bias(asked, patch_boxes, places)
        states = self.encoder(x, real, place)
        count, start = asked.shape[1], asked.shape[1] + patches.shape[1]
        logits, absent = self.pointer(states[:, :count], states[:, start:])
        bags = self._bag(descriptions)[which.clamp(min=0)], self._bag(pieces)
        lines = 1.0 + context[..., FIRST].cumsum(-1)
        said, missing = self.captions(*bags, lines, near, (states[:, :count], states[:, start:]))
        logits, absent = logits + said, absent + missing
        together = self.rows(states[:, start:], place[1][:, start:])
        return logits.masked_fill(~word_real[:, None, None, :], -1e4), absent, together

    def _look(self, picture: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What is under each word [B, N, D], the patches [B, P, D] and their boxes [B, P, 4]."""
        look, patches, boxes = self.vision(picture, seen)
        boxes = boxes.unsqueeze(0).expand(picture.shape[0], -1, -1)
        nothing = torch.zeros_like(boxes[..., :1]).expand(-1, -1, CONTEXT)
        return look, patches + self.layout(boxes, nothing) + self.roles.weight[1], boxes

    def _mean(self, pieces: Tensor) -> Tensor:
        """A word or a description is the mean of its pieces: [..., K] -> [..., D]."""
        weight = (pieces != 0).unsqueeze(-1).float()
        return (self.pieces(pieces) * weight).sum(-2) / weight.sum(-2).clamp(min=1.0)

    def _bag(self, pieces: Tensor) -> Tensor:
        return self.captions.bag(self.pieces(pieces), pieces != 0)

    def _read(self, pieces: Tensor, shape: Tensor) -> Tensor:
        """A word is its pieces, its shape and its number in the reading order: [B, N, D]."""
        place = torch.arange(pieces.shape[1], device=pieces.device)
        return self._mean(pieces) + self.shapes(shape) + self.positions(place) + self.roles.weight[2]

    def _bias(self, asked: Tensor, patch_boxes: Tensor, places: Tensor) -> Place:
        """Fields stand nowhere; patches and words stand at their centres on the canvas."""
        placed_boxes = torch.cat([patch_boxes, places], dim=1)
        centres = (placed_boxes[..., :2] + placed_boxes[..., 2:]) / 2
        nowhere = torch.zeros_like(asked[..., :2])
        placed = torch.cat([nowhere[..., 0], torch.ones_like(centres[..., 0])], dim=1)
        return self.layout.bias(torch.cat([nowhere, centres], dim=1), placed)
