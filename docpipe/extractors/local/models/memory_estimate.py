"""What a model on this machine needs, and what fits: plain arithmetic, without torch.

In: a model's configuration, the headers of its safetensors files, the memory of a card. Out: bytes, a number type, a
number of documents that go through the model at once.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe.errors import ModelError

GIB = 1024**3
WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of one number."""

PAGE_TOKENS = 4096
"""Of one document of a page or two: about 2,500 for the pictures, 1,000 for the schema, the rest for the answer."""

RESERVE = GIB // 2
"""What a card's libraries take beside the model (some 0.2 GiB of workspaces), and gaps between blocks of memory."""

SLACK = 0.05
"""Of the weights: copies that are alive for a moment while they are brought onto the card."""

SMALL = 1_000_000_000
"""A model with fewer parameters runs in float32 on a CPU: it takes 4 GB at most and the figures are exact. Above that
halving what is read for each token matters more."""

ACTIVATIONS = 32
"""Rows of the hidden size, and three of the feed-forward layer's, are alive for each token of a prompt while one layer
runs: 99,000 numbers with the widths of Qwen2.5-VL-3B, where 45,000 to 60,000 were measured for text and 65,000 to
89,000 for a prompt half of which is a picture (benchmarks/gpu/model_memory.py)."""

LONGEST_HEADER = 100_000_000  # bytes; the format's own limit
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model can run: a graphics card (`cuda:0`) or the processor (`cpu`). `fast_bfloat16`: the hardware
    calculates in it, so it is not slower than float32."""

    device: str
    name: str
    total: int
    free: int
    capability: tuple[int, int] | None = None
    fast_bfloat16: bool = False

    @property
    def is_card(self) -> bool:
        return self.device != "cpu"


@dataclass(frozen=True, slots=True)
class Weights:
    """`parameters` are numbers, `stored` their bytes in the files."""

    parameters: int
    stored: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how much memory a model takes. Of the part that writes: `layers`, `key_heads` that keep keys and
    values, of `head` numbers each, `hidden` and `inner` numbers a token. `packed`: bytes of quantised weights, or 0."""

    parameters: int
    layers: int
    key_heads: int
    head: int
    hidden: int
    inner: int
    packed: int = 0

    @classmethod
    def of(cls, config: Any, weights: Weights) -> Shape:
        """`config` is transformers' own. Of a model in parts it is the one that writes that counts."""
        text = getattr(config, "text_config", None) or getattr(config, "decoder", None) or config
        heads = _first(text, "decoder_attention_heads", "num_attention_heads")
        hidden = _first(text, "hidden_size", "d_model")
        return cls(
            parameters=weights.parameters,
            layers=_first(text, "decoder_layers", "num_hidden_layers"),
            key_heads=_first(text, "num_key_value_heads") or heads,
            head=_first(text, "head_dim") or hidden // max(1, heads),
            hidden=hidden,
            inner=_first(text, "decoder_ffn_dim", "intermediate_size") or 4 * hidden,
            packed=weights.stored if getattr(config, "quantization_config", None) else 0,
        )

    def weights(self, width: int) -> int:
        return self.packed or self.parameters * width

    def cache(self, width: int) -> int:
        """Bytes that are kept for each token. Layers that see only a window are counted as if they saw everything."""
        return self.layers * 2 * self.key_heads * self.head * width

    def working(self, width: int) -> int:
        """Bytes that are alive for each token of a prompt while it goes through one layer."""
        return (ACTIVATIONS * self.hidden + 3 * self.inner) * width


def needed(shape: Shape, dtype: str, tokens: int = PAGE_TOKENS) -> int:
    """Bytes of memory for the model and a batch of so many tokens."""
    width = WIDTHS[dtype]
    weights = shape.weights(width)
    return int(weights * (1 + SLACK)) + tokens * (shape.cache(width) + shape.working(width)) + RESERVE


def batch_that_fits(shape: Shape, dtype: str, free: int, tokens: int = PAGE_TOKENS) -> int:
    """How many documents of so many tokens fit into what is free once the weights are loaded; at least one."""
    width = WIDTHS[dtype]
    return max(1, (free - RESERVE) // max(1, tokens * (shape.cache(width) + shape.working(width))))


def dtype_for(place: Place, shape: Shape, stated: str) -> str:
    """The type of the numbers to calculate with; `stated` is the one in which the model was saved.

    bfloat16 has float32's range, so whatever a model was trained in, it does not overflow. float16 does overflow in
    models that were trained in bfloat16: it is taken only where the model says float16 and the card knows no better.
    On a CPU float16 is of no use: a prompt took four times as long as in float32, and ten times as long as in bfloat16
    (AMD EPYC with AVX512-BF16, one matrix of 8192 x 2048 times 512 rows: 841, 219 and 80 ms).
    """
    if place.is_card:
        if place.fast_bfloat16:
            return "bfloat16"
        return "float16" if stated == "float16" else "float32"
    if shape.parameters <= SMALL:
        return "float32"
    return "bfloat16" if place.fast_bfloat16 or needed(shape, "float32") > place.free else "float32"


def choose_place(places: Sequence[Place]) -> Place:
    """The card with most free memory, else the processor. Where there is a card the processor is never taken in its
    stead without being told so: it is some fifty times slower, and whoever has a card should hear that it is full."""
    cards = [place for place in places if place.is_card]
    return max(cards, key=lambda card: card.free) if cards else places[0]


def weights_in(folder: Path) -> Weights:
    """Read from the files' headers alone. Raises ModelError when there are none, or one is damaged or incomplete."""
    files = weight_files(folder)
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise ModelError(
            f"{folder} lacks {', '.join(missing)}", hint="Download the model again, or copy all its files."
        )
    parameters = stored = 0
    for file in files:
        header = read_header(file)
        for entry in header.values():
            count = 1
            for size in entry["shape"]:
                count *= size
            parameters += count if "F" in entry["dtype"] else 0  # tables of whole numbers are no parameters
            stored += entry["data_offsets"][1] - entry["data_offsets"][0]
    return Weights(parameters, stored)


def weight_files(folder: Path) -> list[Path]:
    """The files that transformers will read, whether they are there or not; none when the folder has no safetensors."""
    if (folder / SINGLE).exists():
        return [folder / SINGLE]
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return [folder / name for name in sorted(set(index["weight_map"].values()))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"{folder / INDEX} cannot be read: {error}", hint="Download the model again.") from error


def read_header(file: Path) -> Mapping[str, Any]:
    """The tensors of a safetensors file. Raises ModelError when it is no such file or has been cut off."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > LONGEST_HEADER:
                raise ValueError("its header is too long")
            header: dict[str, Any] = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if file.stat().st_size != end:
            raise ValueError(f"it has {file.stat().st_size:,} bytes and should have {end:,}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ModelError(
            f"the weights in {file} are damaged: {error}", hint="Delete the file and download the model again."
        ) from error
    return header


def in_gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def _first(config: Any, *names: str) -> int:
    return next((value for name in names if isinstance(value := getattr(config, name, None), int) and value), 0)
