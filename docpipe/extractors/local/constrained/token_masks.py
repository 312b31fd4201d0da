"""Which tokens may come next in many outputs at once, as a mask for the logits.

In: the `GrammarMatcher`s of the outputs, and drafts of what may come next. Out: a bool tensor on the model's device.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import cast

import numpy as np
import torch
from llguidance import LLExecutor, LLMatcher
from numpy.typing import NDArray

from docpipe.errors import AnswerError
from docpipe.extractors.local.constrained.grammar import Draft, GrammarMatcher

CPU = torch.device("cpu")


def allowed_tokens(
    matchers: Sequence[GrammarMatcher], device: torch.device = CPU, drafts: Sequence[Draft] | None = None
) -> torch.BoolTensor:
    """[rows, vocabulary]: one row for each matcher, followed by one for the state after each step of its draft. All
    matchers are of one GrammarCompiler, and none of them is complete."""
    tokenizer_size, vocabulary_size = matchers[0].tokenizer_size, matchers[0].vocabulary_size
    drafts = drafts or [[] for _ in matchers]
    kept_rows, tasks = list[int](), list[tuple[LLMatcher, int, list[int]]]()  # tasks as llguidance takes them
    height = 0
    for matcher, draft in zip(matchers, drafts, strict=True):
        draft_tokens = [token for step in draft for token in step]
        tasks.append((matcher.state, height, draft_tokens))
        kept_rows += accumulate(map(len, draft), initial=height)
        height += 1 + len(draft_tokens)
    bits = np.zeros((height, (tokenizer_size + 31) // 32), dtype=np.int32)
    row_bytes = bits.nbytes // height
    if height == 1:
        matchers[0].state.unsafe_compute_mask_ptr(bits.ctypes.data, row_bytes)
    else:
        executor = _executor(os.getpid())
        if undrafted := [(state, row) for state, row, draft_tokens in tasks if not draft_tokens]:
            executor.unsafe_compute_mask_ptr(undrafted, bits.ctypes.data, row_bytes, height)
        if drafted := [task for task in tasks if task[2]]:
            executor.unsafe_compute_mask_ptr_with_draft_token(drafted, bits.ctypes.data, row_bytes, height)
    for matcher in matchers:
        matcher.check()
    bits = bits[kept_rows] if len(kept_rows) < height else bits
    if not bits.any(1).all():
        raise AnswerError(
            "The model's vocabulary has no token that could follow here.",
            hint="Take another model: this one cannot write JSON.",
        )
    if device.type == "cpu":
        return _unpack(bits, vocabulary_size)
    return unpack_on_device(torch.from_numpy(bits), vocabulary_size, device)


def _unpack(bits: NDArray[np.int32], vocabulary_size: int) -> torch.BoolTensor:
    """[rows, words of 32 bits] -> [rows, vocabulary]."""
    flags = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")[:, :vocabulary_size]
    return cast(torch.BoolTensor, torch.from_numpy(np.ascontiguousarray(flags)).view(torch.bool))


def unpack_on_device(bits: torch.Tensor, vocabulary_size: int, device: torch.device) -> torch.BoolTensor:
    """The same. Bits travel to the device, an eighth of what flags would be: 3 MB instead of 24 for 160 slots."""
    packed = bits.view(torch.uint8).to(device, non_blocking=True)
    flags = (packed[:, :, None] >> torch.arange(8, dtype=torch.uint8, device=device)) & 1
    return cast(torch.BoolTensor, flags.flatten(1)[:, :vocabulary_size].bool())


@cache
def _executor(_process: int) -> LLExecutor:
    """Threads do not survive a fork: each process has its own."""
    return LLExecutor()
