"""Where the time of a step goes: inside the model, and in what docpipe does around it.

In: a bench, tasks. Out: milliseconds a step by part. On a card each part is waited for, so the parts are true and their
sum is more than a step takes otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.gpu.decoding_methods import DecodingBench
from benchmarks.gpu.device_limits import synchronise
from benchmarks.gpu.tasks import PageTask
from benchmarks.speed.stopwatch import Stopwatch, TimedFunction
from docpipe.extractors.local.constrained.grammar import GrammarMatcher
from docpipe.extractors.local.engine import attention, engine, sequences
from docpipe.extractors.local.engine.cache_layout import CacheLayout
from docpipe.extractors.local.engine.sequences import OutputSequence

ATTENTION, MLP, LAYERS, HEAD = "attention", "feed-forward", "the layers' rest", "LM head"
INSIDE = (ATTENTION, MLP, LAYERS, HEAD)
MASK, FORCED, CONSUMED = "grammar: what may follow", "grammar: what must follow", "grammar: what was taken"
CHOICE, NULLS, SEQUENCES = "the choice, its probability", "null's tokens", "sequences' bookkeeping"
TEXTS, LOOPS, FEED, VISIBLE = "sequences' texts", "loops", "the tokens that go in", "who sees what"
OUTSIDE = (MASK, FORCED, CONSUMED, CHOICE, NULLS, SEQUENCES, TEXTS, LOOPS, FEED, VISIBLE)
SAME_VALUE = "2021-00417 AB"  # fits every single field
TEACHER, PREFILL, STEP, REST = "teacher", "prefill", "step", "rest"


@dataclass(frozen=True)
class StepProfile:
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


class _SynchronisedStopwatch(Stopwatch):
    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        synchronise(self._device)
        with super().step(name):
            yield
            synchronise(self._device)


def evenly_long(task: PageTask) -> PageTask:
    """The same page, asked for its single fields alone, all as long as each other: every slot is busy at each step."""
    return replace(task.singles, values=dict.fromkeys(task.singles.values, SAME_VALUE))


def profile_steps(bench: DecodingBench, tasks: Sequence[PageTask]) -> StepProfile:
    """All documents in one batch, with the prompt's prefix at hand."""
    stopwatch = _SynchronisedStopwatch(bench.device)
    engine_: Any = bench.engine
    prefill = engine_._prefill

    def prefill_and_reset(inputs: Any) -> Any:
        prefilled = prefill(inputs)
        stopwatch.seconds.clear()  # what the prompt took is not a step's
        return prefilled

    engine_._prefill = prefill_and_reset
    try:
        with stopwatch.timing(_timed_parts(bench)):
            call = bench.complete(tasks)
    finally:
        del engine_._prefill
    steps = call.decode_passes.passes
    of_steps = {name: seconds for name, seconds in stopwatch.seconds.items() if name not in (TEACHER, PREFILL)}
    parts = {name: 1000 * seconds / steps for name, seconds in of_steps.items()}
    return StepProfile(len(tasks), call.decode_passes.choices / steps, steps, parts)


def _timed_parts(bench: DecodingBench) -> list[TimedFunction]:
    engine_: Any = bench.engine
    decoder = bench.model.get_decoder()
    parts = [(MLP, layer.mlp, "forward") for layer in decoder.layers]
    parts += [
        (ATTENTION, attention, "scaled_dot_product_attention"), (ATTENTION, attention, "sdpa_attention_forward"),
        (LAYERS, decoder, "forward"), (HEAD, bench.model.get_output_embeddings(), "forward"),
        (MASK, engine, "allowed_tokens"), (FORCED, GrammarMatcher, "consume_forced"),
        (CONSUMED, GrammarMatcher, "consume"), (CHOICE, engine_, "_choose_tokens"), (NULLS, engine_, "_null_starts"),
        (SEQUENCES, OutputSequence, "accept"), (TEXTS, OutputSequence, "missing_key"),
        (LOOPS, sequences, "is_looping"), (FEED, CacheLayout, "feed"), (VISIBLE, engine_, "_attention_masks"),
        (STEP, engine_, "_decode_step"), (TEACHER, engine_, "_taught_tokens"), (PREFILL, engine_, "_prefill"),
        (REST, engine_, "_decode"),
    ]  # fmt: skip
    return [TimedFunction(*part) for part in parts]


def table(profiles: Sequence[StepProfile]) -> Iterator[str]:
    """The lines of a Markdown table."""
    heads = [
        f"{profile.documents} document{'s' * (profile.documents > 1)}, {profile.sequences:.0f} slots busy"
        for profile in profiles
    ]
    yield f"| milliseconds a step | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(profiles)}"
    for name in (*INSIDE, *OUTSIDE):
        yield f"| {name} | {' | '.join(f'{profile.parts.get(name, 0.0):.2f}' for profile in profiles)} |"
    rest = [profile.parts.get(STEP, 0.0) + profile.parts.get(REST, 0.0) for profile in profiles]
    yield f"| what is left | {' | '.join(f'{milliseconds:.2f}' for milliseconds in rest)} |"
    yield f"| **inside the model** | {' | '.join(f'**{profile.inside:.2f}**' for profile in profiles)} |"
    yield f"| **outside** | {' | '.join(f'**{profile.outside:.2f}**' for profile in profiles)} |"
    yield f"| steps | {' | '.join(str(profile.steps) for profile in profiles)} |"
