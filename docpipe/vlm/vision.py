"""The eyes: a small convolutional network that turns the page's picture into a map of features.

In: ink on the canvas [B, 640, 480]. Out: a feature under each word, and a coarse grid of patches for what has no words
(logos, rules, stamps, empty boxes).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHANNELS = 64  # of the map, whose cells are 8 x 8 canvas pixels: about one small word high on an A4 page
GRID = (8, 6)  # patches down and across: 80 x 80 canvas pixels each
LOOKS = (0.15, 0.5, 0.85)  # a word is looked at in three places along its box
ASIDE = 1.0  # cells of the map: and this far before and behind it, where the box of an option is


class Vision(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.map = nn.Sequential(
            _block(1, 16, stride=2),
            _block(16, 32, stride=2),
            _block(32, CHANNELS, stride=2),
            _block(CHANNELS, CHANNELS, stride=1),
        )
        self.to_word = nn.Linear((len(LOOKS) + 2) * CHANNELS, width)
        self.to_patch = nn.Linear(CHANNELS, width)

    def forward(self, picture: Tensor, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """picture [B, H, W], places [B, N, 4] in fractions of the canvas
        -> words [B, N, D], patches [B, P, D], patch boxes [P, 4]."""
        features = self.map(picture.unsqueeze(1))  # [B, C, h, w]
        words = self.to_word(self._under(features, places))
        patches = nn.functional.adaptive_avg_pool2d(features, GRID).flatten(2).transpose(1, 2)  # [B, P, C]
        return words, self.to_patch(patches), patch_boxes(picture)

    def _under(self, features: Tensor, places: Tensor) -> Tensor:
        """The features at LOOKS along each word and ASIDE of it: [B, N, (len(LOOKS) + 2) * C]."""
        rows, columns = features.shape[2], features.shape[3]
        left, top, right, bottom = places.unbind(-1)  # [B, N] each
        row = ((top + bottom) / 2 * rows).long().clamp(0, rows - 1)
        flat = features.flatten(2).transpose(1, 2)  # [B, h * w, C]
        along = [left + (right - left) * share for share in LOOKS]
        aside = ASIDE / columns
        looks = []
        for across in (*along, left - aside, right + aside):
            column = (across * columns).long().clamp(0, columns - 1)
            index = (row * columns + column).unsqueeze(-1).expand(-1, -1, flat.shape[2])
            looks.append(flat.gather(1, index))
        return torch.cat(looks, dim=-1)


def patch_boxes(like: Tensor) -> Tensor:
    """[P, 4] left, top, right, bottom of the patches in fractions of the canvas."""
    down, across = GRID
    top = torch.arange(down, device=like.device, dtype=torch.float32).repeat_interleave(across) / down
    left = torch.arange(across, device=like.device, dtype=torch.float32).repeat(down) / across
    return torch.stack([left, top, left + 1 / across, top + 1 / down], dim=-1)


def _block(inputs: int, outputs: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
