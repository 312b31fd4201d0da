"""What a device can do at most, and what a model asks of it: bytes that are moved, operations that are made.

In: a device and a number type; a model and the totals of its passes. Out: bytes and operations a second as they were
measured, and what such passes have to move and to calculate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

COPIED_BYTES = {"cuda": 2 * 1024**3, "cpu": 256 * 1024**2}  # far more than any cache holds
MATRIX_SIDE = {"cuda": 8192, "cpu": 2048}  # of the matrices that are multiplied
REPEATS = 5
VECTOR_MATRIX_ROWS = 8192  # of the matrix that is multiplied with one vector: a step for one token, as large as it gets


@dataclass(frozen=True)
class DeviceLimits:
    """A second: bytes of a copy (both ways), bytes of a matrix times a vector, operations."""

    copy_bytes: float
    read_bytes: float
    flops: float

    @property
    def bandwidth(self) -> float:
        return max(self.copy_bytes, self.read_bytes)

    def best(self, other: DeviceLimits) -> DeviceLimits:
        """The better of two measurements: whatever else the machine did made them smaller, never larger."""
        return DeviceLimits(
            max(self.copy_bytes, other.copy_bytes),
            max(self.read_bytes, other.read_bytes),
            max(self.flops, other.flops),
        )


def synchronise(device: str) -> None:
    """Wait until the card is through with what was handed to it."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def measure(device: str, dtype: torch.dtype) -> DeviceLimits:
    kind = device.partition(":")[0]
    width = dtype.itemsize
    source = torch.ones(COPIED_BYTES[kind] // width, dtype=dtype, device=device)
    target = torch.empty_like(source)
    copied = _seconds(lambda: target.copy_(source), device)
    matrix = source.view(VECTOR_MATRIX_ROWS, -1)
    vector = torch.ones(matrix.shape[1], 1, dtype=dtype, device=device)
    multiplied = _seconds(lambda: matrix @ vector, device)
    size = source.numel() * width
    side = MATRIX_SIDE[kind]
    square = torch.ones(side, side, dtype=dtype, device=device)
    calculated = _seconds(lambda: square @ square, device)
    return DeviceLimits(2 * size / copied, size / multiplied, 2 * side**3 / calculated)


def _seconds(work: Callable[[], object], device: str) -> float:
    """Of the fastest run."""
    work()
    synchronise(device)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        synchronise(device)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


@dataclass
class PassTotals:
    """Passes of one sort, added up. `rows`: tokens that went in; `columns`: keys that were read; `pairs`: a token and
    a key it was compared with; `choices`: tokens whose successors were chosen."""

    passes: int = 0
    rows: int = 0
    columns: int = 0
    pairs: int = 0
    choices: int = 0

    def add(self, batch: int, width: int, columns: int, choices: int) -> None:
        self.passes += 1
        self.rows += batch * width
        self.columns += batch * columns
        self.pairs += batch * width * columns
        self.choices += choices


@dataclass(frozen=True)
class ModelSizes:
    """Of a model: numbers in the decoder's layers, in the head, in the vision encoder; a token's keys and values in
    numbers; and what one comparison of a token with a key takes, in operations."""

    layers: int
    head: int
    vision: int
    cache_numbers: int
    pair_operations: int
    number_bytes: int
    parameters: int

    @classmethod
    def of(cls, model: Any) -> ModelSizes:
        text = model.config.get_text_config()
        decoder, head = model.get_decoder(), model.get_output_embeddings().weight.numel()
        size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        layers = sum(part.numel() for part in decoder.layers.parameters())
        parameters = sum(part.numel() for part in model.parameters())
        embedding = model.get_input_embeddings().weight.numel()
        is_tied = text.tie_word_embeddings
        return cls(
            layers, head, parameters - layers - embedding - (0 if is_tied else head),
            text.num_hidden_layers * 2 * text.num_key_value_heads * size,
            text.num_hidden_layers * 4 * text.num_attention_heads * size,
            model.dtype.itemsize, parameters,
        )  # fmt: skip

    def moved_bytes(self, totals: PassTotals) -> int:
        """All weights once in each pass, and the keys and values that are read."""
        return self.number_bytes * (totals.passes * (self.layers + self.head) + totals.columns * self.cache_numbers)

    def operations(self, totals: PassTotals, patches: int = 0) -> int:
        """Of the vision encoder the matrices alone, so somewhat too few."""
        matrices = 2 * self.layers * totals.rows + 2 * self.head * totals.choices + 2 * self.vision * patches
        return matrices + self.pair_operations * totals.pairs
