"""Time as a test wants it."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class AheadClock:
    """Runs as the real one does, ahead of it by as much as the test says."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead
