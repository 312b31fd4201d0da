"""Whose token each column of the cache is, and who may see it: sequences share a prompt's cache without a copy.

In: the tokens of sequences, as they are fed. Out: a step's input, and the mask of what each of its tokens sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from docpipe.extractors.local.engine.sequences import OutputSequence

# Owners of columns beside the sequences' numbers: seen by all, by nobody; FILLER makes rows equally long
PROMPT, PADDING, FILLER = -1, -2, -3


@dataclass(frozen=True, slots=True)
class StepInput:
    """What goes through the model in one step: B documents, W tokens of each."""

    token_ids: Tensor
    """[B, W]"""

    positions: Tensor
    """[B, W]"""

    choice_rows: Tensor
    """[n]: rows of the flattened output, one behind the pending tokens of each sequence, followed by one behind each
    step of its draft."""


class _FedToken(NamedTuple):
    """`token_index` among its sequence's tokens."""

    token: int
    owner: int
    token_index: int


class CacheLayout:
    """`owners` [B, K]: whose token each column is; `indices` [B, K]: its index among its document's and sequence's
    tokens."""

    def __init__(self, prompt_mask: Tensor, position_offsets: Tensor) -> None:
        """`prompt_mask` [B, L] and `position_offsets` [B] as in ModelInputs."""
        self.owners = torch.where(prompt_mask, PROMPT, PADDING)
        self.indices = prompt_mask.long().cumsum(-1) - 1
        self._prompt_lengths = prompt_mask.sum(1)
        self._position_offsets = position_offsets
        self._ends: dict[int, int] = {}  # by sequence: the column behind what was fed last of it

    def feed(self, sequences: Sequence[OutputSequence]) -> StepInput:
        """The pending tokens and the drafts of these sequences become columns; nothing is pending afterwards."""
        self._mask_rejected(sequences)
        rows: list[list[_FedToken]] = [[] for _ in range(len(self.owners))]
        choice_places: list[tuple[int, int]] = []  # document, column of the step
        used_columns = self.owners.shape[1]
        for sequence in sequences:
            row = rows[sequence.document]
            start = len(sequence.tokens) - len(sequence.pending)
            for tokens in (sequence.pending, *sequence.draft):
                row += [_FedToken(token, sequence.number, start + i) for i, token in enumerate(tokens)]
                start += len(tokens)
                choice_places.append((sequence.document, len(row) - 1))
            self._ends[sequence.number] = used_columns + len(row)
            sequence.pending = []
        width = max(map(len, rows))
        filled = [row + [_FedToken(0, FILLER, 0)] * (width - len(row)) for row in rows]
        choice_rows = [document * width + column for document, column in choice_places]
        # all numbers travel to the device in one tensor
        numbers = [number for row in filled for fed in row for number in fed]
        packed = torch.tensor(numbers + choice_rows).to(self.owners.device)
        token_ids, owners, indices = packed[: -len(choice_rows)].view(len(rows), width, 3).unbind(-1)
        indices = self._prompt_lengths[:, None] + indices
        self.owners = torch.cat([self.owners, owners], 1)
        self.indices = torch.cat([self.indices, indices], 1)
        return StepInput(token_ids, indices + self._position_offsets[:, None], packed[-len(choice_rows) :])

    def _mask_rejected(self, sequences: Sequence[OutputSequence]) -> None:
        """Nobody sees drafted tokens that were not accepted. They were the last that was fed of their sequence."""
        rejected = [
            (sequence.document, self._ends[sequence.number] - 1 - back)
            for sequence in sequences
            for back in range(sequence.rejected)
        ]
        if rejected:
            documents, columns = torch.tensor(rejected).T.to(self.owners.device)
            self.owners[documents, columns] = PADDING

    def visible(self, width: int, window: int | None = None) -> Tensor:
        """What the newest `width` columns see: [B, 1, W, K]. The prompt, and their own sequence up to themselves;
        within a window, only what is nearer than that. Fillers see the prompt too: a row that sees nothing is not a
        number."""
        owners, indices = self.owners[:, None, :], self.indices[:, None, :]
        own, own_index = self.owners[:, -width:, None], self.indices[:, -width:, None]
        visible = (owners == PROMPT) | ((owners == own) & (indices <= own_index))
        if window is not None:
            visible &= own_index - indices < window
        return visible[:, None]
