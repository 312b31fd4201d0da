"""How fast a local model answers beside plain `generate`, one idea after the other, in one run on one device.

    python -m benchmarks.gpu.local_models [--preset qwen2.5-vl-3b] [--device cuda:0] [--pages 8] [--rounds 3] [--json
    FILE]

In: a model's sizes (benchmarks/gpu/models.py; the weights are random), drawn invoices with their real prompts. Out:
Markdown tables: pages and tokens a second, latency, the share of what the device was measured to be able to do, and
where a step's time goes (--profile).
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

from benchmarks.gpu.decoding_ways import Bench, Run
from benchmarks.gpu.device_limits import Limits, Sizes, Traffic, measure, settle
from benchmarks.gpu.models import PRESETS, build
from benchmarks.gpu.pages import Task, tasks
from benchmarks.gpu.profile import Profile, even, profile
from benchmarks.gpu.profile import lines as profile_lines
from docpipe.extractors.local.engine.engine import GUESSES
from docpipe.extractors.local.models.devices import find_places

BATCHES = (2, 4, 8, 16)
PLAIN = "plain `generate`, a page at a time"
AIM = 10.0
CLEAR_PEAK = Path("/proc/self/clear_refs")  # Linux: writing 5 forgets the highest memory so far
MEBIBYTE = 1024**2


@dataclass
class Measured:
    """One way of writing: a list of runs for each round."""

    name: str
    rounds: list[list[Run]] = field(default_factory=list)
    peak: int = 0

    @property
    def runs(self) -> list[Run]:
        return [run for own in self.rounds for run in own]

    def a_page(self, part: str = "seconds") -> float:
        """Seconds, the median round's."""
        return median(sum(getattr(run, part) for run in own) / sum(run.pages for run in own) for own in self.rounds)

    def total(self, part: str) -> Traffic:
        found = Traffic()
        for run in self.runs:
            one: Traffic = getattr(run, part)
            for name, value in asdict(one).items():
                setattr(found, name, getattr(found, name) + value)
        return found


Way = Callable[[Bench, Sequence[Task]], list[Run]]


def _plain(bench: Bench, pages: Sequence[Task]) -> list[Run]:
    return [bench.generate(task) for task in pages]


def _engine(size: int, *, in_one: bool = False, prefix: bool = False, guesses: int = 0) -> Way:
    def way(bench: Bench, pages: Sequence[Task]) -> list[Run]:
        bench.engine.share(prefix=prefix, guesses=guesses)
        if prefix:
            bench.fill(pages[:1])  # a worker's first document leaves the beginning behind
        return [bench.fill(pages[at : at + size], in_one=in_one) for at in range(0, len(pages), size)]

    return way


def ways(pages: int, guesses: int = GUESSES["cpu"]) -> dict[str, Way]:
    """Each with the idea of those before it. `guesses`: tokens of a slot in a step."""
    found: dict[str, Way] = {
        PLAIN: _plain,
        "held to the schema: forced tokens are not chosen": _engine(1, in_one=True),
        "fields side by side": _engine(1),
    }
    sizes = [size for size in BATCHES if size <= pages]
    found |= {f"batches of {size}": _engine(size) for size in sizes}
    found["the schema's prompt kept, a page at a time"] = _engine(1, prefix=True)
    if sizes:
        found[f"the schema's prompt kept, batches of {sizes[-1]}"] = _engine(sizes[-1], prefix=True)
    for size in (1, *sizes[-1:]):
        name = "a page at a time" if size == 1 else f"batches of {size}"
        found[f"with guesses from the page's words, {name}"] = _engine(size, prefix=True, guesses=guesses)
    return found


def main() -> None:
    options = _options()
    device = options.device if options.device != "auto" else find_places()[0].device
    dtype = _dtype(options.dtype, device)
    preset = PRESETS[options.preset or ("qwen2.5-vl-3b" if device.startswith("cuda") else "cpu-25m")]
    torch.set_num_threads(options.threads)
    model, processor = build(preset, device, dtype)
    bench = Bench(model, processor, device)
    pages = tasks(options.pages, bench.family.max_side)
    pages = [task.singles for task in pages] if options.singles else pages
    limits = measure(device, dtype)
    sizes = Sizes.of(model)
    print("\n".join([*_machine(device, dtype, options.threads), *_asked(preset.name, sizes, pages, bench)]), flush=True)
    if not options.profile:
        guesses = options.guesses or GUESSES["cpu" if device == "cpu" else "card"]
        found = _measured(bench, pages, options.rounds, ways(len(pages), guesses))
        limits = limits.best(measure(device, dtype))
        print("\n".join(["", *_speeds(found), "", *_shares(found, sizes, limits)]))
        if options.json:
            options.json.write_text(json.dumps(_record(preset.name, found, sizes, limits), indent=1))
    print("\n".join(["", *profile_lines(list(_profiles(bench, pages)))]))


def _profiles(bench: Bench, pages: Sequence[Task]) -> Iterator[Profile]:
    """Of one page and of all with every slot busy, and of all as they are."""
    bench.engine.share(prefix=True)
    evenly = [even(task) for task in pages]
    for asked in (evenly[:1], evenly, pages):
        bench.fill(asked)
        yield profile(bench, asked)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure local models beside plain generate.")
    parser.add_argument("--preset", choices=PRESETS, help="default: qwen2.5-vl-3b on a card, cpu-25m elsewhere")
    parser.add_argument("--device", default="auto", help="cuda:0, cpu; default: the card with most free memory, or cpu")
    parser.add_argument("--dtype", default="auto", help="default: bfloat16 on a card, float32 elsewhere")
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="of torch on a CPU")
    parser.add_argument("--singles", action="store_true", help="ask for single fields only, no lists")
    parser.add_argument("--guesses", type=int, help="tokens of a slot in a step; default: what suits the device")
    parser.add_argument("--profile", action="store_true", help="only where a step's time goes")
    parser.add_argument("--json", type=Path, help="write the figures there; benchmarks/gpu/arithmetic.py reads them")
    return parser.parse_args()


def _dtype(said: str, device: str) -> torch.dtype:
    name = said if said != "auto" else "bfloat16" if device.startswith("cuda") else "float32"
    found: torch.dtype = getattr(torch, name)
    return found


def _measured(bench: Bench, pages: Sequence[Task], rounds: int, able: Mapping[str, Way]) -> list[Measured]:
    """The ways take turns, so that what else the machine does hits all of them."""
    found = {name: Measured(name) for name in able}
    bench.generate(pages[0])
    bench.fill(pages[:1])  # grammars are compiled once in a worker's life
    bench.fill(pages[:1], in_one=True)
    for turn in range(rounds):
        for name in able if turn % 2 == 0 else reversed(able):
            _forget_peak(bench.device)
            found[name].rounds.append(able[name](bench, pages))
            found[name].peak = max(found[name].peak, _peak(bench.device))
    return list(found.values())


def _forget_peak(device: str) -> None:
    settle(device)
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


def _machine(device: str, dtype: torch.dtype, threads: int) -> Iterator[str]:
    place = next((place for place in find_places() if place.device == device), None)
    name = place.name if place and place.is_card else _processor()
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "transformers", "llguidance"))
    yield "| machine | |\n|---|---|"
    yield f"| device | {device}: {name}{'' if device.startswith('cuda') else f', {threads} of its cores'} |"
    yield f"| numbers | {str(dtype).removeprefix('torch.')} |"
    yield f"| system | {platform.system()} {platform.release()}, Python {platform.python_version()}; {packages} |"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _asked(name: str, sizes: Sizes, pages: Sequence[Task], bench: Bench) -> Iterator[str]:
    prompts = [bench.family.prompt([task.question]) for task in pages[:1]]
    answers = [bench.answer_tokens(task) for task in pages]
    width, height = pages[0].question.pictures[0].size
    yield f"| model | {name}: {sizes.parameters / 1e6:,.1f} million parameters, random |"
    yield f"| pages | {len(pages)} drawn invoices, {width} x {height} pixels |"
    yield f"| prompt | {prompts[0].lengths[0]:,} tokens, {prompts[0].image_tokens[0]:,} of them the picture |"
    slots = pages[0].question.slots
    lists = [slot.name for slot in slots if slot.value["type"] == "array"]
    yield f"| slots | {len(slots)}, of which lists: {', '.join(lists) or 'none'} |"
    yield f"| answer | {min(answers)} to {max(answers)} tokens, {sum(answers) / len(answers):.0f} on average |"


def _speeds(found: Sequence[Measured]) -> Iterator[str]:
    plain = found[0].a_page()
    yield "| way | pages a second | answer tokens a second | latency of a call, s | steps a page | times plain |"
    yield "|---|---:|---:|---:|---:|---:|"
    for one in found:
        pages = sum(run.pages for run in one.runs)
        tokens = sum(run.answer for run in one.runs) / pages
        latency, steps = median(run.seconds for run in one.runs), one.total("steps").passes / pages
        each = one.a_page()
        figures = f"{1 / each:.3f} | {tokens / each:.0f} | {latency:.2f} | {steps:.0f} | {plain / each:.1f}"
        yield f"| {one.name} | {figures} |"
    best = plain / min(one.a_page() for one in found)
    yield f"\nThe aim is {AIM:.0f} times plain `generate`: {'reached' if best >= AIM else 'missed'} with {best:.1f}."


def _shares(found: Sequence[Measured], sizes: Sizes, limits: Limits) -> Iterator[str]:
    yield (
        f"Measured limits: {limits.copy / 1e9:.1f} GB/s copied, {limits.read / 1e9:.1f} GB/s read by a matrix times a"
        f" vector, {limits.flops / 1e9:,.0f} billion operations a second.\n"
    )
    yield (
        "| way | prepare, s a page | read, s a page | of the operations limit | write, s a page | a step, ms"
        " | of the bandwidth | of the operations | peak memory, MiB |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for one in found:
        prompt, steps = one.total("prompt"), one.total("steps")
        reading, writing = (sum(getattr(run, part) for run in one.runs) for part in ("read", "write"))
        looked = sizes.calculated(prompt, sum(run.patches for run in one.runs)) / reading / limits.flops
        moved = sizes.moved(steps) / writing / limits.bandwidth
        done = sizes.calculated(steps) / writing / limits.flops
        yield (
            f"| {one.name} | {one.a_page('prepare'):.3f} | {one.a_page('read'):.3f} | {looked:.0%}"
            f" | {one.a_page('write'):.3f} | {1000 * writing / steps.passes:.2f} | {moved:.0%} | {done:.0%}"
            f" | {one.peak / MEBIBYTE:,.0f} |"
        )


def _record(name: str, found: Sequence[Measured], sizes: Sizes, limits: Limits) -> dict[str, object]:
    return {
        "preset": name, "sizes": asdict(sizes), "limits": asdict(limits),
        "ways": [{"name": one.name, "peak": one.peak, "runs": [asdict(run) for run in one.runs]} for one in found],
    }  # fmt: skip


if __name__ == "__main__":
    main()
