"""How long a run still takes, without jumps. In: pages done and pages to come, as they are known. Out: seconds.

The rate is that of all pages since the first; pages of files that are not open yet are guessed from the files opened
last, as the largest files come first. What is shown moves towards the estimate and never leaps to it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import mean

RECENT_FILES = 8  # whose pages stand for those of files to come
SETTLING_SECONDS = 20.0  # in which two thirds of a new estimate reach the screen
MIN_PAGES = 3  # before them a rate is a guess


@dataclass
class TimeLeft:
    """`files`: how many there are. `clock` counts seconds."""

    files: int
    clock: Callable[[], float] = time.monotonic
    _started: float | None = None
    _updated: float = 0.0
    _shown: float | None = None
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_FILES))
    _opened: int = 0
    _pages: int = 0

    def opened(self, pages: int) -> None:
        """A file was opened, or refused: then it has one page."""
        self._started = self.clock() if self._started is None else self._started
        self._recent.append(pages)
        self._opened += 1
        self._pages += pages

    @property
    def expected_pages(self) -> float:
        """Of all files."""
        unopened = max(0, self.files - self._opened)
        return self._pages + unopened * (mean(self._recent) if self._recent else 1)

    def seconds(self, done: int) -> float | None:
        """After so many pages; None as long as there is nothing to go by."""
        if self._started is None or done < MIN_PAGES:
            return None
        now = self.clock()
        estimate = (now - self._started) / done * max(0.0, self.expected_pages - done)
        if self._shown is None:
            self._shown = estimate
        else:
            elapsed = now - self._updated
            share = elapsed / (elapsed + SETTLING_SECONDS)
            self._shown = max(0.0, self._shown - elapsed)  # time passes
            self._shown += share * (estimate - self._shown)
        self._updated = now
        return self._shown
