"""Requests to a server that may fail: which failures pass, how long to wait, when to give up, and what to tell then.

In: an attempt that comes back with an answer or with a `Failure`. Out: the answer, or the last failure.
The clients' own retries are switched off: this is the one place.
"""

from __future__ import annotations

import email.utils
import logging
import math
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError

T = TypeVar("T")
log = logging.getLogger(__name__)

PASSING = frozenset({408, 409, 429})  # and all from 500 on: those that the providers' own clients try again
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds; doubled from attempt to attempt. A limit per minute is over after 60.
JITTER = 0.25  # of a wait, added: processes that were sent away together do not come back together
KINDS = {"answer": "", "timeout": "no answer in time", "connection": "not reached", "cut": "the answer broke off"}
WORDS = 300  # characters of a server's message that are passed on
NO_CREDIT = re.compile(r"insufficient_quota|billing|credit balance|payment", re.IGNORECASE)
TOO_LONG = re.compile(
    r"context.{0,3}(length|window|size)|(prompt|input|request) is too (long|large)|too many (images|tokens)|"
    r"input token count",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """`answer` is an HTTP answer other than 2xx, `timeout` none in time, `connection` no server, `cut` one that broke
    off or cannot be understood. `said` are the server's words, `detail` the whole of its body."""

    kind: Literal["answer", "timeout", "connection", "cut"]
    said: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: Any = None

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later. The server's word comes first."""
        if self.status is None:
            return True
        told = self.headers.get("x-should-retry")
        if told in ("true", "false"):
            return told == "true"
        if self.status == 429 and NO_CREDIT.search(self.said):
            return False
        return self.status in PASSING or self.status >= 500

    @property
    def may_be_billed(self) -> bool:
        """Refused requests cost nothing; of one that broke off, or failed within the server, nobody knows."""
        return self.status is None or self.status >= 500 or self.status == 408

    @property
    def is_too_long(self) -> bool:
        return self.status == 413 or (self.status in (400, 422) and TOO_LONG.search(self.said) is not None)

    def wait_asked(self, now: float) -> float | None:
        """Seconds that the server wants to be left alone, by header or in the body; None where it does not say."""
        after_ms, after = self.headers.get("retry-after-ms"), self.headers.get("retry-after")
        if after_ms is not None and (found := _number(after_ms)) is not None:
            return found / 1000
        if after is not None:
            if (found := _number(after)) is not None:
                return found
            date = email.utils.parsedate_tz(after)
            return None if date is None else max(0.0, email.utils.mktime_tz(date) - now)
        return _retry_info(self.detail)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def _retry_info(detail: Any) -> float | None:
    """Google's `{"error": {"details": [{"@type": "…RetryInfo", "retryDelay": "7s"}]}}`."""
    error = detail.get("error", detail) if isinstance(detail, Mapping) else None
    entries = error.get("details") if isinstance(error, Mapping) else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and str(entry.get("@type", "")).endswith("RetryInfo"):
            return _number(str(entry.get("retryDelay", "")).removesuffix("s"))
    return None


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and how long. The clocks and the dice are arguments so that tests need not wait."""

    attempts: int = 6
    seconds: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    dice: Callable[[], float] = random.random

    def insist(self, attempt: Callable[[], T | Failure]) -> T | Failure:
        """The first answer, or the failure after which it is not worth while to go on."""
        began = self.clock()
        for number in range(1, self.attempts + 1):
            result = attempt()
            if not isinstance(result, Failure) or not result.may_pass or number == self.attempts:
                return result
            wait = self._wait(result, number)
            if self.clock() - began + wait > self.seconds:
                return result
            log.warning("attempt %d failed (%s); the next one in %.1f s", number, _kind(result), wait)
            self.sleep(wait)
        raise AssertionError("there is at least one attempt")

    def _wait(self, failure: Failure, number: int) -> float:
        asked = failure.wait_asked(self.now())
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (number - 1)) if asked is None else asked
        return wait * (1 + JITTER * self.dice())


def _kind(failure: Failure) -> str:
    """Without the server's words: the log is no place for what may be on a page."""
    return KINDS[failure.kind] if failure.status is None else f"HTTP {failure.status}"


@dataclass(frozen=True, slots=True)
class Place:
    """Whom a request goes to, for messages: `openai:gpt-…`, host and port, the variables for key and address."""

    model: str
    server: str
    key_variable: str
    url_variable: str
    is_own: bool = False

    @property
    def name(self) -> str:
        """Part of the run key, and what a calibration is found by: another server's model is another model."""
        return f"{self.model}@{self.server}" if self.is_own else self.model


def error_of(failure: Failure, place: Place) -> DocpipeError:
    """What a user is told. `failure.said` must not have the key in it any more."""
    message, hint = _told(failure, place)
    kind = TooLargeError if failure.is_too_long else AnswerError if failure.status in OF_THE_DOCUMENT else ModelError
    return kind(f"{message}: {failure.said}" if failure.said else message, hint=hint)


def _told(failure: Failure, place: Place) -> tuple[str, str]:
    """What happened, and what to do."""
    model, server, status = place.model, place.server, failure.status
    told: Mapping[int | None, tuple[str, str]] = {
        401: (
            f"{server} does not take our key for {model}",
            f"Set {place.key_variable} to a key that is valid there.",
        ),
        402: (f"{server} wants to be paid for {model}", NO_CREDIT_HINT),
        403: (
            f"{server} does not let us use {model}",
            f"Set {place.key_variable} to a key that may use this model from this network.",
        ),
        404: (
            f"{server} has no model {model.partition(':')[2]}",
            f"Look at its name, and at {place.url_variable}: for openai a base URL usually ends in /v1.",
        ),
        429: (
            f"{model} has had too many requests",
            "Ask less at a time (DOCPIPE_HOSTED_PARALLEL, --jobs), or for a higher limit at the provider.",
        ),
    }
    if failure.is_too_long:
        hint = "Send fewer pages, or use a model or a server with a longer context."
        return f"the document is too large for {model} (HTTP {status})", hint
    if status in told:
        return told[402 if status == 429 and not failure.may_pass else status]
    if failure.kind == "connection":
        hint = f"Is it running? {place.url_variable} says where it is; HTTPS_PROXY and HTTP_PROXY are followed."
        return f"{server} cannot be reached for {model}", hint
    if status is None or status >= 500:
        hint = "Try again later; a provider has a page with its status."
        return f"{server} failed at {model} ({_kind(failure)})", hint
    hint = "Does the model take pictures? docs/hosted.md says what docpipe asks of a server."
    return f"{server} refuses the request for {model} (HTTP {status})", hint


# What a server dislikes about one request: another document's may be fine, so it stops nobody and is not repeated.
OF_THE_DOCUMENT = (400, 415, 422)
NO_CREDIT_HINT = "The account has no credit left: see the provider's page about billing."
