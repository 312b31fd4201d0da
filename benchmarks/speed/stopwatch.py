"""Seconds by step of a path through many functions.

In: functions of objects or modules, each with the name of a step. Out: seconds by step; one inside another counts for
itself alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any, NamedTuple


class TimedFunction(NamedTuple):
    """A function of an object or a module by its name, and the step that its time counts for."""

    step: str
    owner: Any
    name: str


class Stopwatch:
    """For one thread."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside: list[float] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = perf_counter()
        self._inside.append(0.0)
        try:
            yield
        finally:
            took = perf_counter() - started
            self.seconds[name] += took - self._inside.pop()
            if self._inside:
                self._inside[-1] += took

    @contextmanager
    def timing(self, functions: Sequence[TimedFunction]) -> Iterator[None]:
        """Meanwhile each of these functions is timed."""
        with ExitStack() as wrapped:
            for function in functions:
                wrapped.enter_context(self._wrapped(function))
            yield

    @contextmanager
    def _wrapped(self, function: TimedFunction) -> Iterator[None]:
        step, owner, name = function
        original, was_its_own = getattr(owner, name), name in vars(owner)

        def timed(*arguments: Any, **options: Any) -> Any:
            with self.step(step):
                return original(*arguments, **options)

        setattr(owner, name, timed)
        try:
            yield
        finally:
            setattr(owner, name, original) if was_its_own else delattr(owner, name)
