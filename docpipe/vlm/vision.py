"""A small convolutional network that turns the page's picture into a map of features.

In: ink on the canvas [B, 640, 480] and where the words are. Out: features under each word, and a coarse grid of patches
for what has no words (logos, rules, stamps, empty boxes).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

CHANNELS = 64  # of the map, whose cells are 8 x 8 canvas pixels: about one small word high on an A4 page
PATCH_ROWS, PATCH_COLUMNS = 8, 6  # 80 x 80 canvas pixels each
SAMPLE_POSITIONS = (0.15, 0.5, 0.85)  # where the map is sampled along a word's box, in shares of its width
SIDE_OFFSET = 1.0  # cells of the map: also this far before and behind the word, where a check box is


@dataclass(frozen=True, slots=True)
class VisionFeatures:
    words: Tensor  # [B, N, D]
    patches: Tensor  # [B, P, D]
    patch_boxes: Tensor  # [P, 4] in fractions of the canvas


class Vision(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            _block(1, 16, stride=2),
            _block(16, 32, stride=2),
            _block(32, CHANNELS, stride=2),
            _block(CHANNELS, CHANNELS, stride=1),
        )
        self.word_projection = nn.Linear((len(SAMPLE_POSITIONS) + 2) * CHANNELS, width)
        self.patch_projection = nn.Linear(CHANNELS, width)

    def forward(self, picture: Tensor, image_boxes: Tensor) -> VisionFeatures:
        """picture [B, H, W], image_boxes [B, N, 4] in fractions of the canvas."""
        feature_map = self.backbone(picture.unsqueeze(1))  # [B, C, h, w]
        words = self.word_projection(self._sampled(feature_map, image_boxes))
        pooled = nn.functional.adaptive_avg_pool2d(feature_map, (PATCH_ROWS, PATCH_COLUMNS))
        patches = self.patch_projection(pooled.flatten(2).transpose(1, 2))  # of [B, P, C]
        return VisionFeatures(words, patches, patch_boxes(picture.device))

    def _sampled(self, feature_map: Tensor, image_boxes: Tensor) -> Tensor:
        """The map inside each word and beside it: [B, N, (len(SAMPLE_POSITIONS) + 2) * C]."""
        rows, columns = feature_map.shape[2], feature_map.shape[3]
        left, top, right, bottom = image_boxes.unbind(-1)  # [B, N] each
        row = ((top + bottom) / 2 * rows).long().clamp(0, rows - 1)
        cells = feature_map.flatten(2).transpose(1, 2)  # [B, h * w, C]
        inside = [left + (right - left) * share for share in SAMPLE_POSITIONS]
        offset = SIDE_OFFSET / columns
        samples = []
        for x in (*inside, left - offset, right + offset):
            column = (x * columns).long().clamp(0, columns - 1)
            index = (row * columns + column).unsqueeze(-1).expand(-1, -1, cells.shape[2])
            samples.append(cells.gather(1, index))
        return torch.cat(samples, dim=-1)


def patch_boxes(device: torch.device) -> Tensor:
    """[P, 4] left, top, right, bottom of the patches in fractions of the canvas."""
    top = torch.arange(PATCH_ROWS, device=device, dtype=torch.float32).repeat_interleave(PATCH_COLUMNS) / PATCH_ROWS
    left = torch.arange(PATCH_COLUMNS, device=device, dtype=torch.float32).repeat(PATCH_ROWS) / PATCH_COLUMNS
    return torch.stack([left, top, left + 1 / PATCH_COLUMNS, top + 1 / PATCH_ROWS], dim=-1)


def _block(inputs: int, outputs: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
