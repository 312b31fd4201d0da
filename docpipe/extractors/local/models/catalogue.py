"""Models that are recommended for this machine: what they are, under which licence, and how much memory they take.

In: nothing. Out: `CATALOGUE`; `python -m docpipe.extractors.local.models.catalogue` prints the table of docs/models.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.extractors.local.models.memory_estimate import GIB, Place, Shape, dtype_for, needed


@dataclass(frozen=True, slots=True)
class Model:
    """`shape` is from the published configuration; the parameters were counted by building the model from it. `seen`
    is the number of the note in docs/models.md that says where the licence was seen, 0 where it was not."""

    repository: str
    family: str
    licence: str
    shape: Shape
    note: str = ""
    seen: int = 0

    @property
    def free(self) -> bool:
        """Whether anybody may use it for anything."""
        return self.licence in ("Apache-2.0", "MIT")


def _shape(parameters: int, layers: int, heads: tuple[int, int], widths: tuple[int, int]) -> Shape:
    return Shape(parameters, layers, heads[0], heads[1], widths[0], widths[1])


APACHE, MIT, GEMMA = "Apache-2.0", "MIT", "Gemma terms"
GATED = "gated: accept the terms on its page first"
TUNE = "pre-trained only: fine-tune it first"

CATALOGUE = (
    Model(
        "HuggingFaceTB/SmolVLM-256M-Instruct",
        "SmolVLM",
        APACHE,
        _shape(256_484_928, 30, (3, 64), (576, 1536)),
        "for trying it out; English",
        seen=4,
    ),
    Model(
        "HuggingFaceTB/SmolVLM-500M-Instruct",
        "SmolVLM",
        APACHE,
        _shape(507_482_304, 32, (5, 64), (960, 2560)),
        "for trying it out; English",
        seen=4,
    ),
    Model(
        "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
        "LLaVA-OneVision",
        APACHE,
        _shape(893_675_552, 24, (2, 64), (896, 4864)),
        "English, Chinese",
        seen=6,
    ),
    Model(
        "Qwen/Qwen3-VL-2B-Instruct",
        "Qwen3-VL",
        APACHE,
        _shape(2_127_532_032, 28, (8, 128), (2048, 6144)),
        "begin here on a card of 8 GiB",
        seen=3,
    ),
    Model(
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
        "SmolVLM",
        APACHE,
        _shape(2_246_784_880, 24, (32, 64), (2048, 8192)),
        "English",
        seen=5,
    ),
    Model(
        "ibm-granite/granite-vision-3.3-2b",
        "Granite Vision",
        APACHE,
        _shape(2_975_396_928, 40, (8, 64), (2048, 8192)),
        "made for documents; English",
        seen=7,
    ),
    Model(
        "google/paligemma2-3b-pt-448",
        "PaliGemma 2",
        GEMMA,
        _shape(3_033_127_152, 26, (4, 256), (2304, 9216)),
        f"{TUNE}; {GATED}",
        seen=8,
    ),
    Model(
        "Qwen/Qwen2.5-VL-3B-Instruct",
        "Qwen2.5-VL",
        "Qwen Research (not for commercial use)",
        _shape(3_754_622_976, 36, (2, 128), (2048, 11008)),
        "the 7B is free to use",
        seen=1,
    ),
    Model(
        "google/gemma-3-4b-it",
        "Gemma 3",
        GEMMA,
        _shape(4_300_079_472, 34, (4, 256), (2560, 10240)),
        f"pictures are scaled to 896 x 896; {GATED}",
        seen=8,
    ),
    Model(
        "Qwen/Qwen3-VL-4B-Instruct",
        "Qwen3-VL",
        APACHE,
        _shape(4_437_815_808, 36, (8, 128), (2560, 9728)),
        "begin here on a card of 12 or 16 GiB",
        seen=3,
    ),
    Model(
        "llava-hf/llava-onevision-qwen2-7b-ov-hf",
        "LLaVA-OneVision",
        APACHE,
        _shape(8_030_807_584, 28, (4, 128), (3584, 18944)),
        "English, Chinese",
    ),
    Model(
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "Qwen2.5-VL",
        APACHE,
        _shape(8_292_166_656, 28, (4, 128), (3584, 18944)),
        seen=2,
    ),
    Model(
        "HuggingFaceM4/Idefics3-8B-Llama3",
        "Idefics3",
        APACHE,
        _shape(8_462_086_384, 32, (8, 128), (4096, 14336)),
        "English; built on Llama 3.1, whose licence see",
        seen=9,
    ),
    Model(
        "Qwen/Qwen3-VL-8B-Instruct",
        "Qwen3-VL",
        APACHE,
        _shape(8_767_123_696, 36, (8, 128), (4096, 12288)),
        "begin here on a card of 24 GiB",
        seen=3,
    ),
    Model(
        "google/gemma-3-12b-it",
        "Gemma 3",
        GEMMA,
        _shape(12_187_325_040, 48, (8, 256), (3840, 15360)),
        f"pictures are scaled to 896 x 896; {GATED}",
        seen=8,
    ),
)
"""By size. Donut is not among them: it reads only what it was fine-tuned for (docs/models.md)."""


def fits(model: Model, place: Place) -> bool:
    return needed(model.shape, dtype_for(place, model.shape, "bfloat16")) <= place.free


def smaller_than(place: Place, shape: Shape) -> Model | None:
    """The largest model that fits, is smaller, and that anybody may use as it is."""
    fitting = [one for one in CATALOGUE if one.free and one.shape.parameters < shape.parameters and fits(one, place)]
    return fitting[-1] if fitting else None


def table() -> Iterator[str]:
    yield "| model | parameters | on disk | memory with a page | 1,000 tokens more | licence | note |"
    yield "|---|---:|---:|---:|---:|---|---|"
    for one in CATALOGUE:
        shape, name = one.shape, f"`{one.repository}` ({one.family})"
        seen = f" [{one.seen}]" if one.seen else " (not looked up)"
        yield (
            f"| {name} | {shape.parameters / 1e9:.2f} B | {2 * shape.parameters / 1e9:.1f} GB"
            f" | {needed(shape, 'bfloat16') / GIB:.1f} GiB | {1000 * (shape.cache(2) + shape.working(2)) / 1e6:.0f} MB"
            f" | {one.licence}{seen} | {one.note} |"
        )


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
