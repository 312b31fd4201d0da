"""Where the time of a step goes: inside the model, and in what docpipe does around it.

In: a bench, tasks. Out: milliseconds a step by part. On a card each part is waited for, so the parts are true and their
sum is more than an unwatched step takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.gpu.decoding_ways import Bench
from benchmarks.gpu.device_limits import settle
from benchmarks.gpu.pages import Task
from benchmarks.speed.stopwatch import Stopwatch, TimedFunction
from docpipe.extractors.local.constrained.constraint import Writer
from docpipe.extractors.local.engine import attention, engine, sequences
from docpipe.extractors.local.engine.sequences import Branch, Columns

ATTENTION, MLP, LAYERS, HEAD = "attention", "feed-forward", "the layers' rest", "LM head"
INSIDE = (ATTENTION, MLP, LAYERS, HEAD)
MASK, FORCED, TAKEN = "grammar: what may follow", "grammar: what must follow", "grammar: what was taken"
CHOICE, NULLS, BRANCHES = "the choice, its probability", "null's tokens", "branches' bookkeeping"
TEXTS, LOOPS, FEED, SEEN = "branches' texts", "loops", "the tokens that go in", "who sees what"
OUTSIDE = (MASK, FORCED, TAKEN, CHOICE, NULLS, BRANCHES, TEXTS, LOOPS, FEED, SEEN)
EVEN = "2021-00417 AB"  # fits every single field
TEACHER, READ, STEP, REST = "teacher", "read", "step", "rest"


@dataclass(frozen=True)
class Profile:
    """`parts`: milliseconds a step. `sequences` are busy at a step, on average."""

    documents: int
    sequences: float
    steps: int
    parts: dict[str, float]

    @property
    def inside(self) -> float:
        return sum(self.parts.get(name, 0.0) for name in INSIDE)

    @property
    def outside(self) -> float:
        return sum(self.parts.get(name, 0.0) for name in (*OUTSIDE, STEP, REST))


class _Settled(Stopwatch):
    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        settle(self._device)
        with super().step(name):
            yield
            settle(self._device)


def even(task: Task) -> Task:
    """The same page, asked for its single fields alone, all as long as each other: every slot is busy at each step."""
    return replace(task.singles, values=dict.fromkeys(task.singles.values, EVEN))


def profile(bench: Bench, tasks: Sequence[Task]) -> Profile:
    """All documents in one batch, with the prompt's beginning at hand."""
    watch, run = _Settled(bench.device), None
    writing: Any = bench.engine
    original = writing._read

    def read(prompt: Any) -> Any:
        found = original(prompt)
        watch.seconds.clear()  # what the prompt took is not a step's
        return found

    writing._read = read
    try:
        with watch.timing(_parts(bench)):
            run = bench.fill(tasks)
    finally:
        del writing._read
    steps = run.steps.passes
    parts = {name: 1000 * seconds / steps for name, seconds in watch.seconds.items() if name not in (TEACHER, READ)}
    return Profile(len(tasks), run.steps.told / steps, steps, parts)


def _parts(bench: Bench) -> list[TimedFunction]:
    writing: Any = bench.engine
    decoder = bench.model.get_decoder()
    found = [(MLP, layer.mlp, "forward") for layer in decoder.layers]
    found += [
        (ATTENTION, attention, "scaled_dot_product_attention"), (ATTENTION, attention, "sdpa_attention_forward"),
        (LAYERS, decoder, "forward"), (HEAD, bench.model.get_output_embeddings(), "forward"),
        (MASK, engine, "allowed"), (FORCED, Writer, "forced"), (TAKEN, Writer, "take"),
        (CHOICE, writing, "_choose"), (NULLS, writing, "_nulls"), (BRANCHES, Branch, "choose"),
        (TEXTS, Branch, "missing"), (LOOPS, sequences, "is_looping"), (FEED, Columns, "feed"),
        (SEEN, writing, "_masks"), (STEP, writing, "_step"), (TEACHER, writing, "_whispered"),
        (READ, writing, "_read"), (REST, writing, "_write"),
    ]  # fmt: skip
    return [TimedFunction(*part) for part in found]


def lines(profiles: Sequence[Profile]) -> Iterator[str]:
    heads = [f"{one.documents} document{'s' * (one.documents > 1)}, {one.sequences:.0f} slots busy" for one in profiles]
    yield f"| milliseconds a step | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(profiles)}"
    for name in (*INSIDE, *OUTSIDE):
        yield f"| {name} | {' | '.join(f'{one.parts.get(name, 0.0):.2f}' for one in profiles)} |"
    rest = [one.parts.get(STEP, 0.0) + one.parts.get(REST, 0.0) for one in profiles]
    yield f"| what is left | {' | '.join(f'{each:.2f}' for each in rest)} |"
    yield f"| **inside the model** | {' | '.join(f'**{one.inside:.2f}**' for one in profiles)} |"
    yield f"| **outside** | {' | '.join(f'**{one.outside:.2f}**' for one in profiles)} |"
    yield f"| steps | {' | '.join(str(one.steps) for one in profiles)} |"
