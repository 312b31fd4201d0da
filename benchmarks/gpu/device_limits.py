"""What a device can do at most, and what a model asks of it: bytes that are moved, operations that are made.

In: a device and a number type; a model and the sizes of its passes. Out: bytes a second and operations a second as they
were measured, and what passes of such sizes have to move and to calculate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

COPY_BYTES = {"cuda": 2 * 1024**3, "cpu": 256 * 1024**2}  # far more than any cache holds
SIDE = {"cuda": 8192, "cpu": 2048}  # of the matrices that are multiplied
REPEATS = 5
WEIGHTS_ROWS = 8192  # of the matrix that is multiplied with one vector: a step for one token, as large as it gets


@dataclass(frozen=True)
class Limits:
    """`copy`, `read`: bytes a second, of a copy (both ways) and of a matrix times a vector; `flops` a second."""

    copy: float
    read: float
    flops: float

    @property
    def bandwidth(self) -> float:
        return max(self.copy, self.read)

    def best(self, other: Limits) -> Limits:
        """The better of two measurements: whatever else the machine did made them smaller, never larger."""
        return Limits(max(self.copy, other.copy), max(self.read, other.read), max(self.flops, other.flops))


def settle(device: str) -> None:
    """Wait for what was handed to the card."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def measure(device: str, dtype: torch.dtype) -> Limits:
    kind = device.partition(":")[0]
    width = dtype.itemsize
    source = torch.ones(COPY_BYTES[kind] // width, dtype=dtype, device=device)
    target = torch.empty_like(source)
    copied = _seconds(lambda: target.copy_(source), device)
    matrix = source.view(WEIGHTS_ROWS, -1)
    vector = torch.ones(matrix.shape[1], 1, dtype=dtype, device=device)
    multiplied = _seconds(lambda: matrix @ vector, device)
    size = source.numel() * width
    side = SIDE[kind]
    square = torch.ones(side, side, dtype=dtype, device=device)
    calculated = _seconds(lambda: square @ square, device)
    return Limits(2 * size / copied, size / multiplied, 2 * side**3 / calculated)


def _seconds(work: Callable[[], object], device: str) -> float:
    """Of the fastest run."""
    work()
    settle(device)
    found = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        settle(device)
        found.append(time.perf_counter() - started)
    return min(found)


@dataclass
class Traffic:
    """Passes of one sort, added up. `rows`: tokens that went in; `columns`: keys that were read; `pairs`: a token and
    a key it was compared with; `told`: tokens whose successors were asked for."""

    passes: int = 0
    rows: int = 0
    columns: int = 0
    pairs: int = 0
    told: int = 0

    def add(self, batch: int, width: int, columns: int, told: int) -> None:
        self.passes += 1
        self.rows += batch * width
        self.columns += batch * columns
        self.pairs += batch * width * columns
        self.told += told


@dataclass(frozen=True)
class Sizes:
    """Of a model: numbers in the layers that write, in the head, in the part that looks; a token's keys and values in
    numbers; and what one comparison of a token with a key takes, in operations."""

    layers: int
    head: int
    vision: int
    kept: int
    pair: int
    width: int
    parameters: int

    @classmethod
    def of(cls, model: Any) -> Sizes:
        text = model.config.get_text_config()
        decoder, head = model.get_decoder(), model.get_output_embeddings().weight.numel()
        size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        layers = sum(part.numel() for part in decoder.layers.parameters())
        parameters = sum(part.numel() for part in model.parameters())
        embedding = model.get_input_embeddings().weight.numel()
        tied = text.tie_word_embeddings
        return cls(
            layers, head, parameters - layers - embedding - (0 if tied else head),
            text.num_hidden_layers * 2 * text.num_key_value_heads * size,
            text.num_hidden_layers * 4 * text.num_attention_heads * size,
            model.dtype.itemsize, parameters,
        )  # fmt: skip

    def moved(self, steps: Traffic) -> int:
        """Bytes: all weights once in each pass, and the keys and values that are read."""
        return self.width * (steps.passes * (self.layers + self.head) + steps.columns * self.kept)

    def calculated(self, steps: Traffic, patches: int = 0) -> int:
        """Operations. Of looking at pictures the matrices alone, so somewhat too few."""
        seen = 2 * self.vision * patches
        return 2 * self.layers * steps.rows + 2 * self.head * steps.told + self.pair * steps.pairs + seen
