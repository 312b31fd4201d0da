"""What a model on this machine needs, and what fits: plain arithmetic, without torch.

In: a model's configuration and the sizes of its weights, the memory of a device. Out: bytes, a number type, a number of
documents that go through the model at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docpipe.extractors.local.models.weight_files import WeightSizes

GIB = 1024**3
DTYPE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of one number."""

PAGE_TOKENS = 4096
"""Of one document of a page or two: about 2,500 for the images, 1,000 for the schema, the rest for the output."""

RESERVE = GIB // 2
"""Bytes: what a card's libraries take beside the model (some 0.2 GiB of workspaces), and gaps between blocks of
memory."""

SLACK = 0.05
"""Of the weights: copies that are alive for a moment while they are brought onto the card."""

SMALL_MODEL = 1_000_000_000
"""A model with fewer parameters runs in float32 on a CPU: it takes 4 GB at most and the figures are exact. Above that
halving what is read for each token matters more."""

ACTIVATION_ROWS = 32
"""Rows of the hidden size, and three of the feed-forward layer's, are alive for each token of a prompt while one layer
runs: 99,000 numbers with the widths of Qwen2.5-VL-3B, where 45,000 to 60,000 were measured for text and 65,000 to
89,000 for a prompt half of which is an image (benchmarks/gpu/model_memory.py)."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model can run: `id` is torch's, of a graphics card `cuda:0`, of the processor `cpu`; memory in bytes.
    `has_bfloat16`: the hardware calculates in it, so it is not slower than float32."""

    id: str
    name: str
    total_memory: int
    free_memory: int
    capability: tuple[int, int] | None = None
    has_bfloat16: bool = False

    @property
    def is_gpu(self) -> bool:
        return self.id != "cpu"


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What decides how much memory a model takes. Of the part that writes: `layers`, `kv_heads` that keep keys and
    values, of `head_size` numbers each, `hidden_size` and `intermediate_size` (of the feed-forward layer) numbers a
    token. `quantised_bytes` of the weights, or 0."""

    parameters: int
    layers: int
    kv_heads: int
    head_size: int
    hidden_size: int
    intermediate_size: int
    quantised_bytes: int = 0

    @classmethod
    def of(cls, config: Any, weights: WeightSizes) -> ModelShape:
        """`config` is transformers' own. Of a model in parts it is the one that writes that counts."""
        text = getattr(config, "text_config", None) or getattr(config, "decoder", None) or config
        heads = _first_setting(text, "decoder_attention_heads", "num_attention_heads")
        hidden_size = _first_setting(text, "hidden_size", "d_model")
        return cls(
            parameters=weights.parameters,
            layers=_first_setting(text, "decoder_layers", "num_hidden_layers"),
            kv_heads=_first_setting(text, "num_key_value_heads") or heads,
            head_size=_first_setting(text, "head_dim") or hidden_size // max(1, heads),
            hidden_size=hidden_size,
            intermediate_size=_first_setting(text, "decoder_ffn_dim", "intermediate_size") or 4 * hidden_size,
            quantised_bytes=weights.stored_bytes if getattr(config, "quantization_config", None) else 0,
        )

    def weight_bytes(self, number_bytes: int) -> int:
        return self.quantised_bytes or self.parameters * number_bytes

    def cache_bytes(self, number_bytes: int) -> int:
        """Kept for each token: its keys and values. Layers that see only a window are counted as if they saw all."""
        return self.layers * 2 * self.kv_heads * self.head_size * number_bytes

    def activation_bytes(self, number_bytes: int) -> int:
        """Alive for each token of a prompt while it goes through one layer."""
        return (ACTIVATION_ROWS * self.hidden_size + 3 * self.intermediate_size) * number_bytes

    def token_bytes(self, number_bytes: int) -> int:
        """Of one token of a prompt in all."""
        return self.cache_bytes(number_bytes) + self.activation_bytes(number_bytes)


def required_memory(shape: ModelShape, dtype: str, tokens: int = PAGE_TOKENS) -> int:
    """Bytes of memory for the model and a batch of so many tokens."""
    number_bytes = DTYPE_BYTES[dtype]
    return int(shape.weight_bytes(number_bytes) * (1 + SLACK)) + tokens * shape.token_bytes(number_bytes) + RESERVE


def batch_size(shape: ModelShape, dtype: str, free_memory: int, tokens: int = PAGE_TOKENS) -> int:
    """How many documents of so many tokens fit into what is free once the weights are loaded; at least one."""
    return max(1, (free_memory - RESERVE) // max(1, tokens * shape.token_bytes(DTYPE_BYTES[dtype])))


def choose_dtype(device: Device, shape: ModelShape, saved_dtype: str) -> str:
    """The type of the numbers to calculate with; `saved_dtype` is the one in which the model was saved.

    bfloat16 has float32's range, so whatever a model was trained in, it does not overflow. float16 does overflow in
    models that were trained in bfloat16: it is taken only where the model says float16 and the card knows no better.
    On a CPU float16 is of no use: a prompt took four times as long as in float32, and ten times as long as in bfloat16
    (AMD EPYC with AVX512-BF16, one matrix of 8192 x 2048 times 512 rows: 841, 219 and 80 ms).
    """
    if device.is_gpu:
        if device.has_bfloat16:
            return "bfloat16"
        return "float16" if saved_dtype == "float16" else "float32"
    if shape.parameters <= SMALL_MODEL:
        return "float32"
    fits_in_float32 = required_memory(shape, "float32") <= device.free_memory
    return "bfloat16" if device.has_bfloat16 or not fits_in_float32 else "float32"


def choose_device(devices: Sequence[Device]) -> Device:
    """The card with most free memory, else the processor. Where there is a card the processor is never taken in its
    stead without being told so: it is some fifty times slower, and whoever has a card should hear that it is full."""
    gpus = [device for device in devices if device.is_gpu]
    return max(gpus, key=lambda gpu: gpu.free_memory) if gpus else devices[0]


def in_gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def _first_setting(config: Any, *names: str) -> int:
    return next((value for name in names if isinstance(value := getattr(config, name, None), int) and value), 0)
