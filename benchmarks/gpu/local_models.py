"""How fast a local model answers beside plain `generate`, one idea after the other, in one run on one device.

    python -m benchmarks.gpu.local_models [--preset qwen2.5-vl-3b] [--device cuda:0] [--pages 8] [--rounds 3] [--json
    FILE]

In: a model's sizes (benchmarks/gpu/random_models.py; the weights are random), drawn invoices with their real prompts.
Out: Markdown tables: pages and tokens a second, latency, the share of what the device was measured to be able to do,
and where a step's time goes (--profile).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch

from benchmarks.gpu.decoding_methods import CallMeasurement, DecodingBench
from benchmarks.gpu.device_limits import DeviceLimits, ModelSizes, PassTotals, measure, synchronise
from benchmarks.gpu.random_models import PRESETS, build
from benchmarks.gpu.step_profile import StepProfile, evenly_long, profile_steps
from benchmarks.gpu.step_profile import table as profile_table
from benchmarks.gpu.tasks import PageTask, draw_tasks
from docpipe.extractors.local.engine.engine import DRAFT_STEPS
from docpipe.extractors.local.models.devices import find_devices

BATCH_SIZES = (2, 4, 8, 16)
PLAIN = "plain `generate`, a page at a time"
AIM = 10.0  # times plain `generate`
CLEAR_PEAK = Path("/proc/self/clear_refs")  # Linux: writing 5 forgets the highest memory so far
MEBIBYTE = 1024**2


@dataclass
class MethodMeasurement:
    """One method of decoding: a list of calls for each round; `peak` memory in bytes."""

    name: str
    rounds: list[list[CallMeasurement]] = field(default_factory=list)
    peak: int = 0

    @property
    def calls(self) -> list[CallMeasurement]:
        return [call for own in self.rounds for call in own]

    def seconds_a_page(self, part: str = "seconds") -> float:
        """The median round's."""
        return median(sum(getattr(call, part) for call in own) / sum(call.pages for call in own) for own in self.rounds)

    def total(self, part: str) -> PassTotals:
        """`part`: `prompt_pass` or `decode_passes`."""
        total = PassTotals()
        for call in self.calls:
            for name, value in asdict(getattr(call, part)).items():
                setattr(total, name, getattr(total, name) + value)
        return total


DecodingMethod = Callable[[DecodingBench, Sequence[PageTask]], list[CallMeasurement]]


def _generate(bench: DecodingBench, pages: Sequence[PageTask]) -> list[CallMeasurement]:
    return [bench.generate(task) for task in pages]


def _engine(size: int, *, in_one_slot: bool = False, prefix: bool = False, draft_steps: int = 0) -> DecodingMethod:
    """In batches of so many pages."""

    def method(bench: DecodingBench, pages: Sequence[PageTask]) -> list[CallMeasurement]:
        bench.engine.configure(prefix=prefix, draft_steps=draft_steps)
        if prefix:
            bench.complete(pages[:1])  # a worker's first document leaves the prefix behind
        batches = [pages[first : first + size] for first in range(0, len(pages), size)]
        return [bench.complete(batch, in_one_slot=in_one_slot) for batch in batches]

    return method


def decoding_methods(pages: int, draft_steps: int = DRAFT_STEPS["cpu"]) -> dict[str, DecodingMethod]:
    """Each with the idea of those before it. `draft_steps` of a slot for a pass."""
    methods: dict[str, DecodingMethod] = {
        PLAIN: _generate,
        "held to the schema: forced tokens are not chosen": _engine(1, in_one_slot=True),
        "fields side by side": _engine(1),
    }
    sizes = [size for size in BATCH_SIZES if size <= pages]
    methods |= {f"batches of {size}": _engine(size) for size in sizes}
    methods["the schema's prompt kept, a page at a time"] = _engine(1, prefix=True)
    if sizes:
        methods[f"the schema's prompt kept, batches of {sizes[-1]}"] = _engine(sizes[-1], prefix=True)
    for size in (1, *sizes[-1:]):
        name = "a page at a time" if size == 1 else f"batches of {size}"
        methods[f"with drafts from the page's words, {name}"] = _engine(size, prefix=True, draft_steps=draft_steps)
    return methods


def main() -> None:
    options = _options()
    device = options.device if options.device != "auto" else find_devices()[0].id
    dtype = _dtype(options.dtype, device)
    preset = PRESETS[options.preset or ("qwen2.5-vl-3b" if device.startswith("cuda") else "cpu-25m")]
    torch.set_num_threads(options.threads)
    model, processor = build(preset, device, dtype)
    bench = DecodingBench(model, processor, device)
    pages = draw_tasks(options.pages, bench.family.max_side)
    pages = [task.singles for task in pages] if options.singles else pages
    limits = measure(device, dtype)
    sizes = ModelSizes.of(model)
    machine = _machine_rows(device, dtype, options.threads)
    print("\n".join([*machine, *_workload_rows(preset.name, sizes, pages, bench)]), flush=True)
    if not options.profile:
        draft_steps = options.draft_steps or DRAFT_STEPS["cpu" if device == "cpu" else "gpu"]
        methods = _measure_methods(bench, pages, options.rounds, decoding_methods(len(pages), draft_steps))
        limits = limits.best(measure(device, dtype))
        print("\n".join(["", *_speed_table(methods), "", *_share_table(methods, sizes, limits)]))
        if options.json:
            options.json.write_text(json.dumps(_record(preset.name, methods, sizes, limits), indent=1))
    print("\n".join(["", *profile_table(list(_profiles(bench, pages)))]))


def _profiles(bench: DecodingBench, pages: Sequence[PageTask]) -> Iterator[StepProfile]:
    """Of one page and of all with every slot busy, and of all as they are."""
    bench.engine.configure(prefix=True)
    even = [evenly_long(task) for task in pages]
    for tasks in (even[:1], even, pages):
        bench.complete(tasks)
        yield profile_steps(bench, tasks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure local models beside plain generate.")
    parser.add_argument("--preset", choices=PRESETS, help="default: qwen2.5-vl-3b on a card, cpu-25m elsewhere")
    parser.add_argument("--device", default="auto", help="cuda:0, cpu; default: the card with most free memory, or cpu")
    parser.add_argument("--dtype", default="auto", help="default: bfloat16 on a card, float32 elsewhere")
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="of torch on a CPU")
    parser.add_argument("--singles", action="store_true", help="ask for single fields only, no lists")
    parser.add_argument("--draft-steps", type=int, help="of a slot for a pass; default: what suits the device")
    parser.add_argument("--profile", action="store_true", help="only where a step's time goes")
    parser.add_argument("--json", type=Path, help="write the figures there; benchmarks/gpu/arithmetic.py reads them")
    return parser.parse_args()


def _dtype(name: str, device: str) -> torch.dtype:
    """`auto`, or a name as torch has it."""
    if name == "auto":
        name = "bfloat16" if device.startswith("cuda") else "float32"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _measure_methods(
    bench: DecodingBench, pages: Sequence[PageTask], rounds: int, methods: Mapping[str, DecodingMethod]
) -> list[MethodMeasurement]:
    """The methods take turns, so that what else the machine does hits all of them."""
    measured = {name: MethodMeasurement(name) for name in methods}
    bench.generate(pages[0])
    bench.complete(pages[:1])  # grammars are compiled once in a worker's life
    bench.complete(pages[:1], in_one_slot=True)
    for number in range(rounds):
        for name in methods if number % 2 == 0 else reversed(methods):
            _forget_peak(bench.device)
            measured[name].rounds.append(methods[name](bench, pages))
            measured[name].peak = max(measured[name].peak, _peak(bench.device))
    return list(measured.values())


def _forget_peak(device: str) -> None:
    synchronise(device)
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    elif CLEAR_PEAK.exists():
        CLEAR_PEAK.write_text("5")


def _peak(device: str) -> int:
    """Bytes: of the card, or of the whole process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():
        return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _machine_rows(device_id: str, dtype: torch.dtype, threads: int) -> Iterator[str]:
    device = next((device for device in find_devices() if device.id == device_id), None)
    name = device.name if device and device.is_gpu else _cpu_name()
    cores = "" if device_id.startswith("cuda") else f", {threads} of its cores"
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "transformers", "llguidance"))
    yield "| machine | |\n|---|---|"
    yield f"| device | {device_id}: {name}{cores} |"
    yield f"| numbers | {str(dtype).removeprefix('torch.')} |"
    yield f"| system | {platform.system()} {platform.release()}, Python {platform.python_version()}; {packages} |"


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _workload_rows(name: str, sizes: ModelSizes, pages: Sequence[PageTask], bench: DecodingBench) -> Iterator[str]:
    inputs = bench.family.encode([pages[0].prompt])
    answers = [bench.answer_tokens(task) for task in pages]
    width, height = pages[0].prompt.images[0].size
    slots = pages[0].prompt.slots
    lists = [slot.name for slot in slots if slot.is_list]
    yield f"| model | {name}: {sizes.parameters / 1e6:,.1f} million parameters, random |"
    yield f"| pages | {len(pages)} drawn invoices, {width} x {height} pixels |"
    yield f"| prompt | {inputs.lengths[0]:,} tokens, {inputs.image_tokens[0]:,} of them the picture |"
    yield f"| slots | {len(slots)}, of which lists: {', '.join(lists) or 'none'} |"
    yield f"| answer | {min(answers)} to {max(answers)} tokens, {sum(answers) / len(answers):.0f} on average |"


def _speed_table(methods: Sequence[MethodMeasurement]) -> Iterator[str]:
    plain = methods[0].seconds_a_page()
    yield "| way | pages a second | answer tokens a second | latency of a call, s | steps a page | times plain |"
    yield "|---|---:|---:|---:|---:|---:|"
    for method in methods:
        pages = sum(call.pages for call in method.calls)
        tokens = sum(call.answer_tokens for call in method.calls) / pages
        latency = median(call.seconds for call in method.calls)
        steps = method.total("decode_passes").passes / pages
        seconds = method.seconds_a_page()
        figures = f"{1 / seconds:.3f} | {tokens / seconds:.0f} | {latency:.2f} | {steps:.0f} | {plain / seconds:.1f}"
        yield f"| {method.name} | {figures} |"
    best = plain / min(method.seconds_a_page() for method in methods)
    yield f"\nThe aim is {AIM:.0f} times plain `generate`: {'reached' if best >= AIM else 'missed'} with {best:.1f}."


def _share_table(methods: Sequence[MethodMeasurement], sizes: ModelSizes, limits: DeviceLimits) -> Iterator[str]:
    yield (
        f"Measured limits: {limits.copy_bytes / 1e9:.1f} GB/s copied, {limits.read_bytes / 1e9:.1f} GB/s read by a"
        f" matrix times a vector, {limits.flops / 1e9:,.0f} billion operations a second.\n"
    )
    yield (
        "| way | prepare, s a page | prefill, s a page | of the operations limit | decode, s a page | a step, ms"
        " | of the bandwidth | of the operations | peak memory, MiB |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for method in methods:
        prompt, steps = method.total("prompt_pass"), method.total("decode_passes")
        prefill, decode = (sum(getattr(call, part) for call in method.calls) for part in ("prefill", "decode"))
        patches = sum(call.patches for call in method.calls)
        prefill_share = sizes.operations(prompt, patches) / prefill / limits.flops
        moved_share = sizes.moved_bytes(steps) / decode / limits.bandwidth
        operations_share = sizes.operations(steps) / decode / limits.flops
        yield (
            f"| {method.name} | {method.seconds_a_page('prepare'):.3f} | {method.seconds_a_page('prefill'):.3f}"
            f" | {prefill_share:.0%} | {method.seconds_a_page('decode'):.3f} | {1000 * decode / steps.passes:.2f}"
            f" | {moved_share:.0%} | {operations_share:.0%} | {method.peak / MEBIBYTE:,.0f} |"
        )


def _record(
    preset: str, methods: Sequence[MethodMeasurement], sizes: ModelSizes, limits: DeviceLimits
) -> dict[str, object]:
    """As JSON for benchmarks/gpu/arithmetic.py."""
    return {
        "preset": preset, "sizes": asdict(sizes), "limits": asdict(limits),
        "methods": [
            {"name": method.name, "peak": method.peak, "calls": [asdict(call) for call in method.calls]}
            for method in methods
        ],
    }  # fmt: skip


if __name__ == "__main__":
    main()
