"""Loaded models of this process, shared by its threads. In: a model and the settings. Out: components for one document.

Pages are opened one after another by a decoder process, and models are not all made for several threads. So each
thread that works at the same time has components of its own; they are handed on when it is done. A program with one
thread loads them once.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from docpipe.capacity import default_jobs, usable_cores
from docpipe.components import Components, ModelName, load_components
from docpipe.config import Settings


@dataclass
class _Loaded:
    """Of one model: components that nobody uses just now, and how many there are in all. A large local model is there
    once: a second one would not fit beside it."""

    limit: int
    idle: list[Components] = field(default_factory=list)
    count: int = 0


_loaded: dict[tuple[ModelName, Settings], _Loaded] = {}
_changed = threading.Condition()


@contextmanager
def borrowed_components(model: ModelName, settings: Settings) -> Iterator[Components]:
    """For as long as the block lasts. Loads them when all are in use, as many as fit into memory; then it waits. They
    are closed when the process ends. Raises ModelError."""
    components = _borrow(model, settings)
    try:
        yield components
    finally:
        with _changed:
            _loaded[model, settings].idle.append(components)
            _changed.notify()


def _borrow(model: ModelName, settings: Settings) -> Components:
    key = (model, settings)
    with _changed:
        loaded = _loaded.setdefault(key, _Loaded(1 if model.is_local else default_jobs()))
        while not loaded.idle and loaded.count >= loaded.limit:
            _changed.wait()
        if loaded.idle:
            return loaded.idle.pop()
        loaded.count += 1
        threads = max(1, usable_cores() // loaded.count)  # the first may be alone for ever; those beside it share
    try:
        components = load_components(model, settings, threads=threads)
    except BaseException:
        with _changed:
            loaded.count -= 1
            _changed.notify()
        raise
    atexit.register(components.close)
    return components
