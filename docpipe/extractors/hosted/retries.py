"""Requests to a server that may fail: how often they are tried, how long to wait, and when to give up.

In: an attempt that comes back with a result or with a `Failure`. Out: the result, or the last failure.
The clients' own retries are switched off: this is the one place.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from docpipe.extractors.hosted.failures import RequestFailure

T = TypeVar("T")
log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds; doubled from attempt to attempt. A limit per minute is over after 60.
JITTER = 0.25  # of a wait, added: processes that were sent away together do not come back together


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter: how often, and for how many seconds in all. The clocks and the random numbers
    are fields so that tests need not wait."""

    max_attempts: int = 6
    max_seconds: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    random_number: Callable[[], float] = random.random

    def run(self, attempt: Callable[[], T | RequestFailure]) -> T | RequestFailure:
        """The first result, or the failure after which it is not worth while to go on."""
        began = self.clock()
        for number in range(1, self.max_attempts + 1):
            result = attempt()
            if not isinstance(result, RequestFailure) or not result.is_transient or number == self.max_attempts:
                return result
            wait = self._wait(result, number)
            if self.clock() - began + wait > self.max_seconds:
                return result
            log.warning("attempt %d failed (%s); the next one in %.1f s", number, result.summary, wait)
            self.sleep(wait)
        raise AssertionError("there is at least one attempt")

    def _wait(self, failure: RequestFailure, number: int) -> float:
        """Seconds after the attempt of this number."""
        retry_after = failure.retry_after(self.now())
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (number - 1)) if retry_after is None else retry_after
        return wait * (1 + JITTER * self.random_number())
