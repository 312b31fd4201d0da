"""What the network is blamed for.

In: logits [B, F, 3, N], absent [B, F], together [B, N, N] and the targets. Out: one number. A field that does not
repeat is a choice among all words and "absent" (every printed place counts as right: marginal likelihood); a list's
column is a yes or no for each word; a type of document is a yes or no; two cells are of one row or not.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from docpipe.vlm.encode import DOCUMENT
from docpipe.vlm.pointer import BEGIN, END, INSIDE
from docpipe.vlm.training.batches import UNKNOWN, Batch

CLOSED = -1e4


def whole_loss(logits: Tensor, absent: Tensor, together: Tensor, batch: Batch) -> Tensor:
    return pointer_loss(logits, absent, batch) + rows_loss(together, batch.together)


def rows_loss(together: Tensor, right: Tensor) -> Tensor:
    """Per cell against the number of cells in its row, so that long tables weigh like short ones; 0 without cells."""
    known = (right != UNKNOWN).float()
    each = _yes_or_no(together, right.clamp(min=0).float(), known)  # [B, N]
    cells = known.amax(-1)
    return (each * cells).sum() / cells.sum().clamp(min=1.0)


def pointer_loss(logits: Tensor, absent: Tensor, batch: Batch) -> Tensor:
    targets, asked, printed = batch.targets, batch.asked.float(), batch.printed
    repeated = batch.fields[3].float()
    real = (batch.words[0][..., 0] != 0).float()[:, None]  # [B, 1, N]
    spread = [_yes_or_no(logits[:, :, role], targets[:, :, role], real) for role in (BEGIN, END, INSIDE)]
    absence = binary_cross_entropy_with_logits(absent, 1.0 - printed, reduction="none")
    as_list = spread[0] + spread[1] + spread[2] + 0.3 * absence
    as_choice = _choice(logits, absent, targets, printed) + spread[2]
    loss = torch.where(repeated > 0, as_list, as_choice)
    loss = torch.where(batch.fields[2] == DOCUMENT, absence, loss)
    return (loss * asked).sum() / asked.sum().clamp(min=1.0)


def _choice(logits: Tensor, absent: Tensor, targets: Tensor, printed: Tensor) -> Tensor:
    """-log P(begin at a right word, or absent) - log P(end at a right word | it is there): [B, F]."""
    begin = log_softmax(torch.cat([absent.unsqueeze(-1), logits[:, :, BEGIN]], dim=-1), dim=-1)
    right = torch.cat([1.0 - printed.unsqueeze(-1), targets[:, :, BEGIN]], dim=-1)
    end = log_softmax(logits[:, :, END], dim=-1)
    return _missed(begin, right) + printed * _missed(end, targets[:, :, END])


def _missed(log_probabilities: Tensor, right: Tensor) -> Tensor:
    masked = torch.where(right > 0, log_probabilities, torch.full_like(log_probabilities, CLOSED))
    return -masked.logsumexp(-1).clamp(min=-20.0)


def _yes_or_no(logits: Tensor, targets: Tensor, real: Tensor) -> Tensor:
    """Summed over words, against the number of right ones, so that a long table weighs like a short one: [B, F]."""
    each = binary_cross_entropy_with_logits(logits, targets, reduction="none") * real
    return each.sum(-1) / (targets.sum(-1) + 3.0)
