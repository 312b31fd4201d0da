"""Models that are recommended for this machine: what they are, under which licence, and how much memory they take.

In: nothing. Out: `CATALOGUE`; `python -m docpipe.extractors.local.models.catalogue` prints the table of docs/models.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.extractors.local.models.memory_estimate import GIB, Device, ModelShape, choose_dtype, required_memory


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """`shape` is from the published configuration; the parameters were counted by building the model from it.
    `licence_note` is the number of the note in docs/models.md that says where the licence was seen, 0 where it was
    not."""

    repository: str
    family: str
    licence: str
    shape: ModelShape
    note: str = ""
    licence_note: int = 0

    @property
    def is_free(self) -> bool:
        """Whether anybody may use it for anything."""
        return self.licence in ("Apache-2.0", "MIT")


APACHE, GEMMA = "Apache-2.0", "Gemma terms"
GATED = "gated: accept the terms on its page first"
NEEDS_FINE_TUNING = "pre-trained only: fine-tune it first"

CATALOGUE = (
    CatalogueModel(
        "HuggingFaceTB/SmolVLM-256M-Instruct",
        "SmolVLM",
        APACHE,
        ModelShape(256_484_928, layers=30, kv_heads=3, head_size=64, hidden_size=576, intermediate_size=1536),
        "for trying it out; English",
        licence_note=4,
    ),
    CatalogueModel(
        "HuggingFaceTB/SmolVLM-500M-Instruct",
        "SmolVLM",
        APACHE,
        ModelShape(507_482_304, layers=32, kv_heads=5, head_size=64, hidden_size=960, intermediate_size=2560),
        "for trying it out; English",
        licence_note=4,
    ),
    CatalogueModel(
        "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
        "LLaVA-OneVision",
        APACHE,
        ModelShape(893_675_552, layers=24, kv_heads=2, head_size=64, hidden_size=896, intermediate_size=4864),
        "English, Chinese",
        licence_note=6,
    ),
    CatalogueModel(
        "Qwen/Qwen3-VL-2B-Instruct",
        "Qwen3-VL",
        APACHE,
        ModelShape(2_127_532_032, layers=28, kv_heads=8, head_size=128, hidden_size=2048, intermediate_size=6144),
        "begin here on a card of 8 GiB",
        licence_note=3,
    ),
    CatalogueModel(
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
        "SmolVLM",
        APACHE,
        ModelShape(2_246_784_880, layers=24, kv_heads=32, head_size=64, hidden_size=2048, intermediate_size=8192),
        "English",
        licence_note=5,
    ),
    CatalogueModel(
        "ibm-granite/granite-vision-3.3-2b",
        "Granite Vision",
        APACHE,
        ModelShape(2_975_396_928, layers=40, kv_heads=8, head_size=64, hidden_size=2048, intermediate_size=8192),
        "made for documents; English",
        licence_note=7,
    ),
    CatalogueModel(
        "google/paligemma2-3b-pt-448",
        "PaliGemma 2",
        GEMMA,
        ModelShape(3_033_127_152, layers=26, kv_heads=4, head_size=256, hidden_size=2304, intermediate_size=9216),
        f"{NEEDS_FINE_TUNING}; {GATED}",
        licence_note=8,
    ),
    CatalogueModel(
        "Qwen/Qwen2.5-VL-3B-Instruct",
        "Qwen2.5-VL",
        "Qwen Research (not for commercial use)",
        ModelShape(3_754_622_976, layers=36, kv_heads=2, head_size=128, hidden_size=2048, intermediate_size=11008),
        "the 7B is free to use",
        licence_note=1,
    ),
    CatalogueModel(
        "google/gemma-3-4b-it",
        "Gemma 3",
        GEMMA,
        ModelShape(4_300_079_472, layers=34, kv_heads=4, head_size=256, hidden_size=2560, intermediate_size=10240),
        f"pictures are scaled to 896 x 896; {GATED}",
        licence_note=8,
    ),
    CatalogueModel(
        "Qwen/Qwen3-VL-4B-Instruct",
        "Qwen3-VL",
        APACHE,
        ModelShape(4_437_815_808, layers=36, kv_heads=8, head_size=128, hidden_size=2560, intermediate_size=9728),
        "begin here on a card of 12 or 16 GiB",
        licence_note=3,
    ),
    CatalogueModel(
        "llava-hf/llava-onevision-qwen2-7b-ov-hf",
        "LLaVA-OneVision",
        APACHE,
        ModelShape(8_030_807_584, layers=28, kv_heads=4, head_size=128, hidden_size=3584, intermediate_size=18944),
        "English, Chinese",
    ),
    CatalogueModel(
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "Qwen2.5-VL",
        APACHE,
        ModelShape(8_292_166_656, layers=28, kv_heads=4, head_size=128, hidden_size=3584, intermediate_size=18944),
        licence_note=2,
    ),
    CatalogueModel(
        "HuggingFaceM4/Idefics3-8B-Llama3",
        "Idefics3",
        APACHE,
        ModelShape(8_462_086_384, layers=32, kv_heads=8, head_size=128, hidden_size=4096, intermediate_size=14336),
        "English; built on Llama 3.1, whose licence see",
        licence_note=9,
    ),
    CatalogueModel(
        "Qwen/Qwen3-VL-8B-Instruct",
        "Qwen3-VL",
        APACHE,
        ModelShape(8_767_123_696, layers=36, kv_heads=8, head_size=128, hidden_size=4096, intermediate_size=12288),
        "begin here on a card of 24 GiB",
        licence_note=3,
    ),
    CatalogueModel(
        "google/gemma-3-12b-it",
        "Gemma 3",
        GEMMA,
        ModelShape(12_187_325_040, layers=48, kv_heads=8, head_size=256, hidden_size=3840, intermediate_size=15360),
        f"pictures are scaled to 896 x 896; {GATED}",
        licence_note=8,
    ),
)
"""By size. Donut is not among them: it reads only what it was fine-tuned for (docs/models.md)."""


def fits(model: CatalogueModel, device: Device) -> bool:
    return required_memory(model.shape, choose_dtype(device, model.shape, "bfloat16")) <= device.free_memory


def smaller_than(device: Device, shape: ModelShape) -> CatalogueModel | None:
    """The largest model that fits, is smaller, and that anybody may use as it is."""
    smaller = [model for model in CATALOGUE if model.is_free and model.shape.parameters < shape.parameters]
    fitting = [model for model in smaller if fits(model, device)]
    return fitting[-1] if fitting else None


def table() -> Iterator[str]:
    """The lines of a Markdown table; memory in bfloat16."""
    yield "| model | parameters | on disk | memory with a page | 1,000 tokens more | licence | note |"
    yield "|---|---:|---:|---:|---:|---|---|"
    for model in CATALOGUE:
        shape, name = model.shape, f"`{model.repository}` ({model.family})"
        licence_note = f" [{model.licence_note}]" if model.licence_note else " (not looked up)"
        yield (
            f"| {name} | {shape.parameters / 1e9:.2f} B | {2 * shape.parameters / 1e9:.1f} GB"
            f" | {required_memory(shape, 'bfloat16') / GIB:.1f} GiB | {1000 * shape.token_bytes(2) / 1e6:.0f} MB"
            f" | {model.licence}{licence_note} | {model.note} |"
        )


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
