"""What the measured passes would cost on a card: arithmetic, for want of one. Nothing here was measured on a card.

    python -m benchmarks.gpu.arithmetic FIGURES.json [--model qwen2.5-vl-3b] [--bandwidth 3350] [--tflops 989]

In: figures of benchmarks/gpu/local_models.py (how many passes each way takes does not depend on the device), a model's
sizes, what a card can do, and what is assumed of the rest. Out: a Markdown table: seconds a page for each way, in three
cases.
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

from benchmarks.gpu.device_limits import Sizes, Traffic
from benchmarks.gpu.models import PRESETS, Preset, model_of, processor_of, tokenizer_of
from benchmarks.gpu.pages import tasks
from docpipe.extractors.local.models.family import Family

PAGES = 3  # whose preparing is timed, after one that is not


@dataclass(frozen=True)
class Card:
    """Bytes and operations a second that are reached; milliseconds of a pass that Python and the launching of kernels
    take (`host`), and those of a step outside the model: `outside[0]`, and `outside[1]` more for each busy slot."""

    bandwidth: float
    flops: float
    host: float
    outside: tuple[float, float]


def seconds(run: Mapping[str, Any], sizes: Sizes, card: Card, image: int, patches: int) -> float:
    """Of one call, with pictures of `image` tokens instead of those that were measured. Without the preparing."""
    pages = run["pages"]
    more = pages * image - run["image_tokens"]
    prompt, steps = Traffic(**run["prompt"]), Traffic(**run["steps"])
    prompt.pairs += more * prompt.columns // pages + prompt.rows * more // pages
    prompt.rows += more
    steps.columns += more * steps.passes
    steps.pairs += more * steps.rows // pages
    read = max(sizes.calculated(prompt, pages * patches) / card.flops, card.host / 1000)
    work = max(sizes.moved(steps) / card.bandwidth, sizes.calculated(steps) / card.flops)
    around = steps.passes * card.outside[0] + steps.told * card.outside[1] if run["taught"] else 0.0
    return read + max(work, steps.passes * card.host / 1000) + around / 1000


def sizes_of(preset: Preset) -> Sizes:
    """Without memory for the weights."""
    kept = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("meta"):
            return Sizes.of(model_of(preset, _Tokens()))
    finally:
        torch.set_default_dtype(kept)


class _Tokens:
    """Where a configuration asks for the numbers of special tokens."""

    eos_token = "<|im_end|>"

    def convert_tokens_to_ids(self, _: str) -> int:
        return 1


def preparing(preset: Preset) -> tuple[float, int, int]:
    """Seconds, tokens of the picture and patches of a page in full size, on this machine's CPU."""
    small = PRESETS["tiny"]
    whole = Preset(small.name, preset.kind, small.text, {**small.vision, **_patch(preset)}, "", preset.pixels)
    tokenizer = tokenizer_of(small)
    family = Family(model_of(small, tokenizer), processor_of(whole, tokenizer))
    found = []
    for task in tasks(PAGES + 1, family.max_side):
        started = time.perf_counter()
        prompt = family.prompt([task.question])
        found.append(time.perf_counter() - started)
    return median(found[1:]), prompt.image_tokens[0], len(prompt.inputs["pixel_values"])


def _patch(preset: Preset) -> dict[str, Any]:
    return {"patch_size": preset.vision["patch_size"]}


def main() -> None:
    options = _options()
    preset = PRESETS[options.model]
    sizes = sizes_of(preset)
    prepare, image, patches = preparing(preset)
    told = json.loads(options.figures.read_text())
    outside = (options.outside[0], options.outside[1])
    reached = (options.bandwidth * 1e9 * options.bandwidth_share, options.tflops * 1e12 * options.flops_share)
    host = options.host_layer * PRESETS[options.model].text["num_hidden_layers"]
    cards = {
        f"as it is: {host:.0f} ms of host time a pass": Card(*reached, host, outside),
        "with CUDA graphs: none": Card(*reached, 0.0, outside),
        "and nothing outside the model": Card(*reached, 0.0, (0.0, 0.0)),
    }
    print(f"{preset.name}, {image:,} tokens a picture; preparing a page takes {prepare:.3f} s here and is left out.\n")
    print("\n".join(table(told["ways"], sizes, cards, (image, patches))))


def table(
    ways: list[dict[str, Any]], sizes: Sizes, cards: Mapping[str, Card], picture: tuple[int, int]
) -> Iterator[str]:
    yield f"| way | {' | '.join(f'{name}: s a page | times plain' for name in cards)} |"
    yield f"|---|{'---:|---:|' * len(cards)}"
    plain: dict[str, float] = {}
    for way in ways:
        cells = []
        for name, card in cards.items():
            runs = [{**run, "taught": way is not ways[0]} for run in way["runs"]]
            each = sum(seconds(run, sizes, card, *picture) for run in runs) / sum(run["pages"] for run in runs)
            cells.append(f"{each:.3f} | {plain.setdefault(name, each) / each:.1f}")
        yield f"| {way['name']} | {' | '.join(cells)} |"


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
