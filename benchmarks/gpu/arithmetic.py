"""What the measured passes would cost on a card: arithmetic, for want of one. Nothing here was measured on a card.

    python -m benchmarks.gpu.arithmetic FIGURES.json [--model qwen2.5-vl-3b] [--bandwidth 3350] [--tflops 989]

In: figures of benchmarks/gpu/local_models.py (how many passes each method takes does not depend on the device), a
model's sizes, what a card can do, and what is assumed of the rest. Out: a Markdown table: seconds a page for each
method, in three cases.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.gpu.device_limits import ModelSizes, PassTotals
from benchmarks.gpu.random_models import PRESETS, ModelPreset, model_of, processor_of, tokenizer_of
from benchmarks.gpu.tasks import draw_tasks
from docpipe.extractors.local.models.family import ModelFamily

TIMED_PAGES = 3  # whose preparation is timed, after one that is not


@dataclass(frozen=True)
class GpuAssumptions:
    """Bytes and operations a second that are reached; milliseconds of a pass that Python and the launching of kernels
    take (`host`), those of a step outside the model, and as many more of it for each busy slot."""

    bandwidth: float
    flops: float
    host: float
    outside_step: float
    outside_slot: float


@dataclass(frozen=True)
class ImageSize:
    """Of a page's image, as the model sees it: rows of the vision encoder, and tokens of the prompt."""

    patches: int
    tokens: int


def call_seconds(
    call: Mapping[str, Any], sizes: ModelSizes, gpu: GpuAssumptions, image: ImageSize, *, by_engine: bool = True
) -> float:
    """Of one call of the figures, with such images instead of those that were measured. Without the preparation.
    `by_engine`: steps have a part outside the model."""
    pages = call["pages"]
    more = pages * image.tokens - call["image_tokens"]
    prompt, steps = PassTotals(**call["prompt_pass"]), PassTotals(**call["decode_passes"])
    prompt.pairs += more * prompt.columns // pages + prompt.rows * more // pages
    prompt.rows += more
    steps.columns += more * steps.passes
    steps.pairs += more * steps.rows // pages
    prefill = max(sizes.operations(prompt, pages * image.patches) / gpu.flops, gpu.host / 1000)
    decode = max(sizes.moved_bytes(steps) / gpu.bandwidth, sizes.operations(steps) / gpu.flops)
    outside = steps.passes * gpu.outside_step + steps.choices * gpu.outside_slot if by_engine else 0.0
    return prefill + max(decode, steps.passes * gpu.host / 1000) + outside / 1000


def sizes_of(preset: ModelPreset) -> ModelSizes:
    """Without memory for the weights."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("meta"):
            return ModelSizes.of(model_of(preset, _AnyTokenizer()))
    finally:
        torch.set_default_dtype(before)


class _AnyTokenizer:
    """For a configuration that asks for the numbers of special tokens."""

    eos_token = "<|im_end|>"

    def convert_tokens_to_ids(self, _: str) -> int:
        return 1


@dataclass(frozen=True)
class Preparation:
    """Of a page in full size, on this machine's CPU."""

    seconds: float
    image: ImageSize


def measure_preparation(preset: ModelPreset) -> Preparation:
    """With the preset's images and a tiny model."""
    tiny = PRESETS["tiny"]
    vision = {**tiny.vision, "patch_size": preset.vision["patch_size"]}
    full_size = ModelPreset(tiny.name, preset.kind, tiny.text, vision, "", preset.pixels)
    tokenizer = tokenizer_of(tiny)
    family = ModelFamily(model_of(tiny, tokenizer), processor_of(full_size, tokenizer))
    seconds = []
    for task in draw_tasks(TIMED_PAGES + 1, family.max_side):
        started = time.perf_counter()
        inputs = family.encode([task.prompt])
        seconds.append(time.perf_counter() - started)
    return Preparation(median(seconds[1:]), ImageSize(len(inputs.tensors["pixel_values"]), inputs.image_tokens[0]))


def main() -> None:
    options = _options()
    preset = PRESETS[options.model]
    preparation = measure_preparation(preset)
    bandwidth, flops = options.bandwidth * 1e9 * options.bandwidth_share, options.tflops * 1e12 * options.flops_share
    host = options.host_layer * PRESETS[options.model].text["num_hidden_layers"]
    outside_step, outside_slot = options.outside
    cases = {
        f"as it is: {host:.0f} ms of host time a pass": GpuAssumptions(
            bandwidth, flops, host, outside_step, outside_slot
        ),
        "with CUDA graphs: none": GpuAssumptions(bandwidth, flops, 0.0, outside_step, outside_slot),
        "and nothing outside the model": GpuAssumptions(bandwidth, flops, 0.0, 0.0, 0.0),
    }
    figures = json.loads(options.figures.read_text())
    print(
        f"{preset.name}, {preparation.image.tokens:,} tokens a picture; preparing a page takes"
        f" {preparation.seconds:.3f} s here and is left out.\n"
    )
    print("\n".join(table(figures["methods"], sizes_of(preset), cases, preparation.image)))


def table(
    methods: list[dict[str, Any]], sizes: ModelSizes, cases: Mapping[str, GpuAssumptions], image: ImageSize
) -> Iterator[str]:
    """The first of the methods is plain `generate`."""
    yield f"| way | {' | '.join(f'{name}: s a page | times plain' for name in cases)} |"
    yield f"|---|{'---:|---:|' * len(cases)}"
    plain: dict[str, float] = {}
    for method in methods:
        cells = []
        for name, gpu in cases.items():
            by_engine = method is not methods[0]
            seconds = sum(call_seconds(call, sizes, gpu, image, by_engine=by_engine) for call in method["calls"])
            a_page = seconds / sum(call["pages"] for call in method["calls"])
            cells.append(f"{a_page:.3f} | {plain.setdefault(name, a_page) / a_page:.1f}")
        yield f"| {method['name']} | {' | '.join(cells)} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Add up what measured passes would cost on a card.")
    parser.add_argument("figures", type=Path, help="written by benchmarks/gpu/local_models.py --json")
    parser.add_argument("--model", choices=[name for name in PRESETS if "qwen" in name], default="qwen2.5-vl-3b")
    parser.add_argument("--bandwidth", type=float, default=3350.0, help="GB/s by the data sheet (H100 SXM)")
    parser.add_argument("--tflops", type=float, default=989.0, help="by the data sheet, bfloat16, dense (H100 SXM)")
    parser.add_argument("--bandwidth-share", type=float, default=0.6, help="of it that is reached: an assumption")
    parser.add_argument("--flops-share", type=float, default=0.4, help="of it that is reached: an assumption")
    parser.add_argument("--host-layer", type=float, default=0.5, help="ms of host time a layer and pass: an assumption")
    parser.add_argument("--outside", type=float, nargs=2, default=(1.4, 0.1), help="ms a step, and a busy slot")
    return parser.parse_args()


if __name__ == "__main__":
    main()
