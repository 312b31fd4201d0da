"""The whole network: fields, picture and words in, pointers out, all fields of a schema in one pass.

In and out: the arrays of `inputs.py` as a batch (B pages, F fields, N words, P patches, T = F + P + N).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from docpipe.vlm.fusion import NORM_EPS, Encoder, EncoderStates
from docpipe.vlm.inputs import (
    GROUPS,
    PAD_TOKEN,
    SHAPE_BUCKETS,
    VOCABULARY,
    NetworkInputs,
    NetworkOutputs,
    PageInputs,
    WordFeature,
)
from docpipe.vlm.label_matcher import LabelBags, LabelMatcher, WordPlaces
from docpipe.vlm.layout import WAVES, Layout, RelativeBias
from docpipe.vlm.pointer import Pointer, RowAffinity
from docpipe.vlm.vision import Vision, VisionFeatures

PADDING_LOGIT = -1e4
FIELD, PATCH, WORD = 0, 1, 2  # types of tokens


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    vocabulary: int = VOCABULARY
    positions: int = 512
    width: int = 384
    heads: int = 12
    layers: int = 6
    dropout: float = 0.05


@dataclass(frozen=True, slots=True)
class _Patches:
    tokens: Tensor  # [B, P, D]
    boxes: Tensor  # [B, P, 4] in fractions of the canvas


class DocumentNetwork(nn.Module):
    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.token_embedding = nn.Embedding(config.vocabulary, width, padding_idx=PAD_TOKEN)
        self.position_embedding = nn.Embedding(config.positions, width)
        self.shape_embedding = nn.Embedding(SHAPE_BUCKETS, width)
        self.type_embedding = nn.Embedding(3, width)
        self.group_embedding = nn.Embedding(len(GROUPS), width)
        self.repeated_embedding = nn.Embedding(2, width)
        self.embedding_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)
        self.vision = Vision(width)
        self.layout = Layout(width, config.heads, len(WordFeature))
        self.encoder = Encoder(width, config.heads, config.layers, config.dropout)
        self.pointer = Pointer(width)
        self.row_affinity = RowAffinity(width, WAVES)
        self.label_matcher = LabelMatcher(width)
        for embedding in (self.shape_embedding, self.type_embedding, self.group_embedding, self.repeated_embedding):
            nn.init.normal_(embedding.weight, std=0.02)
        # layout and picture start small beside the pretrained words, whose embeddings have a deviation of 0.05
        for projection in (self.layout.out, self.vision.word_projection, self.vision.patch_projection):
            nn.init.normal_(projection.weight, std=0.002)
            nn.init.zeros_(projection.bias)

    def forward(self, inputs: NetworkInputs[Tensor], *, with_picture: bool = True) -> NetworkOutputs[Tensor]:
        """Without the picture in a share of the training steps, and in the ablation."""
        page = inputs.page
        fields = self._field_tokens(inputs)
        words = self._word_tokens(page)
        patches = _Patches(words[:, :0], page.canvas_boxes[:, :0])
        if with_picture:
            features = self.vision(page.picture, page.image_boxes)
            words = words + features.words
            patches = self._patches(features, page.picture.shape[0])
        norm = self.embedding_norm
        x = torch.cat([norm(fields), self.dropout(norm(patches.tokens)), self.dropout(norm(words))], dim=1)
        patch_mask = torch.ones_like(patches.tokens[..., 0], dtype=torch.bool)
        mask = torch.cat([inputs.field_mask, patch_mask, inputs.word_mask], dim=1)
        bias = self._relative_bias(fields, patches, page)
        first_word = fields.shape[1] + patches.tokens.shape[1]
        states = EncoderStates(self.encoder(x, mask, bias), fields.shape[1], first_word)
        pointer_logits = self.pointer(states)
        logits = pointer_logits.plus(self.label_matcher(self.label_bags(inputs), word_places(page), states))
        same_row_logits = self.row_affinity(states.words, bias.key[:, first_word:])
        span_logits = logits.spans.masked_fill(~inputs.word_mask[:, None, None, :], PADDING_LOGIT)
        return NetworkOutputs(span_logits, logits.no_answer, same_row_logits)

    def label_bags(self, inputs: NetworkInputs[Tensor]) -> LabelBags:
        """Of the fields' prompts and of the words."""
        prompts = self._bag(inputs.fields.prompt_token_ids)
        return LabelBags(prompts[inputs.fields.prompt_index.clamp(min=0)], self._bag(inputs.page.token_ids))

    def _bag(self, token_ids: Tensor) -> Tensor:
        return self.label_matcher.bag(self.token_embedding(token_ids), token_ids != PAD_TOKEN)

    def _field_tokens(self, inputs: NetworkInputs[Tensor]) -> Tensor:
        """A field is its prompt, its group and whether it repeats: [B, F, D]."""
        fields = inputs.fields
        prompts = self._mean_embedding(fields.prompt_token_ids)[fields.prompt_index.clamp(min=0)]
        tokens = prompts + self.group_embedding(fields.group_ids) + self.repeated_embedding(fields.repeated)
        return tokens + self.type_embedding.weight[FIELD]

    def _word_tokens(self, page: PageInputs[Tensor]) -> Tensor:
        """A word is its pieces, its shape, its number in the reading order and its place: [B, N, D]."""
        numbers = torch.arange(page.token_ids.shape[1], device=page.token_ids.device)
        text = self._mean_embedding(page.token_ids) + self.shape_embedding(page.shape_ids)
        tokens = text + self.position_embedding(numbers) + self.type_embedding.weight[WORD]
        return tokens + self.layout(page.page_boxes, page.word_features)

    def _mean_embedding(self, token_ids: Tensor) -> Tensor:
        """A word or a prompt is the mean of its pieces: [..., K] -> [..., D]."""
        weight = (token_ids != PAD_TOKEN).unsqueeze(-1).float()
        return (self.token_embedding(token_ids) * weight).sum(-2) / weight.sum(-2).clamp(min=1.0)

    def _patches(self, features: VisionFeatures, pages: int) -> _Patches:
        """Patches stand where they are on the canvas, and have no features of words."""
        boxes = features.patch_boxes.unsqueeze(0).expand(pages, -1, -1)
        no_features = torch.zeros_like(boxes[..., :1]).expand(-1, -1, len(WordFeature))
        return _Patches(features.patches + self.layout(boxes, no_features) + self.type_embedding.weight[PATCH], boxes)

    def _relative_bias(self, fields: Tensor, patches: _Patches, page: PageInputs[Tensor]) -> RelativeBias:
        """Fields have no position; patches and words have that of their centres on the canvas."""
        boxes = torch.cat([patches.boxes, page.canvas_boxes], dim=1)
        centres = (boxes[..., :2] + boxes[..., 2:]) / 2
        no_position = torch.zeros_like(fields[..., :2])
        is_placed = torch.cat([no_position[..., 0], torch.ones_like(centres[..., 0])], dim=1)
        return self.layout.relative_bias(torch.cat([no_position, centres], dim=1), is_placed)


def word_places(page: PageInputs[Tensor]) -> WordPlaces:
    lines = 1.0 + page.word_features[..., WordFeature.FIRST_OF_LINE].cumsum(-1)
    return WordPlaces(lines, page.neighbours)
