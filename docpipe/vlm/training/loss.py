"""The loss of training.

In: what the network says of a batch, and the batch with its targets. Out: one number. A field that does not repeat is a
choice among all words and "no answer" (every printed place counts as right: marginal likelihood); a list's column is a
yes or no for each word; a type of document is a yes or no; two cells are of one row or not.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from docpipe.vlm.inputs import DOCUMENT, END, INSIDE, START, NetworkOutputs
from docpipe.vlm.training.batches import ROW_UNKNOWN, TrainingBatch

IMPOSSIBLE = -1e4
NO_ANSWER_WEIGHT = 0.3  # of a list's column
MAX_LOG_PROBABILITY_LOSS = 20.0
POSITIVES_FLOOR = 3.0  # added to the number of right words


def total_loss(outputs: NetworkOutputs[Tensor], batch: TrainingBatch) -> Tensor:
    return span_loss(outputs, batch) + row_loss(outputs.same_row_logits, batch.same_row)


def row_loss(same_row_logits: Tensor, same_row: Tensor) -> Tensor:
    """Per cell against the number of cells in its row, so that long tables weigh like short ones; 0 without cells."""
    is_known = (same_row != ROW_UNKNOWN).float()
    losses = _binary_loss(same_row_logits, same_row.clamp(min=0).float(), is_known)  # [B, N]
    cells = is_known.amax(-1)
    return (losses * cells).sum() / cells.sum().clamp(min=1.0)


def span_loss(outputs: NetworkOutputs[Tensor], batch: TrainingBatch) -> Tensor:
    is_known, targets = batch.is_known.float(), batch.targets
    fields, word_mask = batch.inputs.fields, batch.inputs.word_mask.float()[:, None]  # [B, 1, N]
    start, end, inside = (
        _binary_loss(outputs.span_logits[:, :, role], targets[:, :, role], word_mask) for role in (START, END, INSIDE)
    )
    no_answer = binary_cross_entropy_with_logits(outputs.no_answer_logits, 1.0 - batch.is_printed, reduction="none")
    as_column = start + end + inside + NO_ANSWER_WEIGHT * no_answer
    as_single = _choice_loss(outputs, batch) + inside
    loss = torch.where(fields.repeated.float() > 0, as_column, as_single)
    loss = torch.where(fields.group_ids == DOCUMENT, no_answer, loss)
    return (loss * is_known).sum() / is_known.sum().clamp(min=1.0)


def _choice_loss(outputs: NetworkOutputs[Tensor], batch: TrainingBatch) -> Tensor:
    """-log P(start at a right word, or no answer) - log P(end at a right word | there is an answer): [B, F]."""
    no_answer, targets = outputs.no_answer_logits.unsqueeze(-1), batch.targets
    start = log_softmax(torch.cat([no_answer, outputs.span_logits[:, :, START]], dim=-1), dim=-1)
    right_start = torch.cat([1.0 - batch.is_printed.unsqueeze(-1), targets[:, :, START]], dim=-1)
    end = log_softmax(outputs.span_logits[:, :, END], dim=-1)
    return _negative_log(start, right_start) + batch.is_printed * _negative_log(end, targets[:, :, END])


def _negative_log(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """-log of the probability of all right ones together: [..., N] -> [...]."""
    right = torch.where(targets > 0, log_probabilities, torch.full_like(log_probabilities, IMPOSSIBLE))
    return -right.logsumexp(-1).clamp(min=-MAX_LOG_PROBABILITY_LOSS)


def _binary_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Summed over words, against the number of right ones, so that a long table weighs like a short one: [B, F]."""
    losses = binary_cross_entropy_with_logits(logits, targets, reduction="none") * mask
    return losses.sum(-1) / (targets.sum(-1) + POSITIVES_FLOOR)
