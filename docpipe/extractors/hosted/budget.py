"""What hosted models may cost: a day's budget of tokens and money over all processes of a machine, and a prompt's own.

In: an estimate before each request, and what the server reports after it. Out: leave to send it, or an error.
Each attempt counts, also one that failed: a request that died without an answer may have been billed.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe.data import Answer
from docpipe.errors import BudgetError, ModelError, TooLargeError, UsageError
from docpipe.private_files import create_folder, open_file, write_text

MILLION = 1_000_000
PRICES_HINT = 'DOCPIPE_PRICES names a JSON file: {"openai:NAME": {"in": 2.5, "out": 10.0}}, money for a million tokens.'
SPENDING_HINT = "DOCPIPE_SPENDING_FILE says where it is kept. Make it writable, or delete it to begin the day anew."
RATE_KEYS = {"in", "out", "cached_in"}


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """As the server counts. `tokens_in` has all of the prompt, also the images and what the server had kept of it from
    before (`cached_tokens`)."""

    tokens_in: int = 0
    tokens_out: int = 0
    cached_tokens: int = 0
    image_tokens: int = 0

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cached_tokens + other.cached_tokens,
            self.image_tokens + other.image_tokens,
        )

    @property
    def total(self) -> int:
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens, in whatever currency the price list is written in."""

    tokens_in: float
    tokens_out: float
    cached_in: float

    def cost(self, usage: TokenUsage) -> float:
        uncached = usage.tokens_in - usage.cached_tokens
        cached_money = usage.cached_tokens * self.cached_in
        return (uncached * self.tokens_in + cached_money + usage.tokens_out * self.tokens_out) / MILLION


def read_price(path: Path | None, model: str) -> Price | None:
    """The model's price in the list `{"openai:NAME": {"in": 2.5, "out": 10.0, "cached_in": 1.25}}`; None where it is
    not listed. Raises UsageError."""
    if path is None:
        return None
    try:
        price_list = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the price list {path} cannot be read: {error}", hint=PRICES_HINT) from error
    if isinstance(price_list, dict) and model not in price_list:
        return None
    entry: Any = price_list.get(model) if isinstance(price_list, dict) else None
    if not _is_price_entry(entry):
        raise UsageError(f"the price list {path} has no price that can be read for {model}", hint=PRICES_HINT)
    return Price(float(entry["in"]), float(entry["out"]), float(entry.get("cached_in", entry["in"])))


def _is_price_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not {"in", "out"} <= set(entry) <= RATE_KEYS:
        return False
    numbers = [rate for rate in entry.values() if isinstance(rate, int | float) and not isinstance(rate, bool)]
    return len(numbers) == len(entry) and all(math.isfinite(rate) and rate >= 0 for rate in numbers)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was counted for a request before it was sent."""

    day: str
    tokens: int
    money: float


@dataclass(frozen=True, slots=True)
class DayBudget:
    """`file` holds the day's sums; `file` + `.lock` is locked while they change. Without limits no file is touched."""

    file: Path
    tokens: int | None = None
    money: float | None = None
    today: Callable[[], datetime.date] = lambda: datetime.datetime.now(datetime.UTC).date()

    @property
    def is_limited(self) -> bool:
        return self.tokens is not None or self.money is not None

    def reserve(self, tokens: int, money: float) -> Reservation:
        """Counts the request as if it cost this. Raises BudgetError when it does not fit into the day any more: that
        may be tried again, and will work tomorrow."""
        day = self.today().isoformat()
        if not self.is_limited:
            return Reservation(day, tokens, money)
        with self._sums(day) as sums:
            if self.tokens is not None and sums["tokens"] + tokens > self.tokens:
                raise BudgetError(
                    f"the day's budget of {self.tokens:,} tokens is used up: {sums['tokens']:,} are counted, and the "
                    f"next request may need {tokens:,}"
                )
            if self.money is not None and sums["money"] + money > self.money:
                raise BudgetError(
                    f"the day's budget of {self.money:g} is used up: {sums['money']:.4f} are counted, and the next "
                    f"request may cost {money:.4f}"
                )
            sums["tokens"] += tokens
            sums["money"] = round(sums["money"] + money, 9)
        return Reservation(day, tokens, money)

    def settle(self, reservation: Reservation, tokens: int, money: float) -> None:
        """What the request did cost, in the place of what was reserved. Yesterday's reservation stays yesterday's."""
        if not self.is_limited:
            return
        with self._sums(self.today().isoformat()) as sums:
            if sums["day"] == reservation.day:
                sums["tokens"] = max(0, sums["tokens"] + tokens - reservation.tokens)
                sums["money"] = max(0.0, round(sums["money"] + money - reservation.money, 9))

    @contextmanager
    def _sums(self, day: str) -> Iterator[dict[str, Any]]:
        """The day's sums, to be changed; written when the block ends well, while no other process looks."""
        try:
            create_folder(self.file.parent)
            with open_file(self.file.with_name(self.file.name + ".lock"), "a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                sums = self._read(day)
                yield sums
                # in the place of the old one at once: a process that is killed leaves the one or the other
                new_file = self.file.with_name(self.file.name + ".new")
                write_text(new_file, json.dumps(sums))
                new_file.replace(self.file)
        except OSError as error:
            raise ModelError(f"the spending of the day cannot be kept: {error}", hint=SPENDING_HINT) from error

    def _read(self, day: str) -> dict[str, Any]:
        """A file that cannot be understood is no leave to spend."""
        blank: dict[str, Any] = {"day": day, "tokens": 0, "money": 0.0}
        if not self.file.exists():
            return blank
        try:
            sums = json.loads(self.file.read_text(encoding="utf-8"))
            stored = {"day": str(sums["day"]), "tokens": int(sums["tokens"]), "money": float(sums["money"])}
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{self.file} is no account of a day's spending", hint=SPENDING_HINT) from error
        return stored if stored["day"] == day else blank


class PromptSpending:
    """What one prompt has used, over all attempts, and what it may use: `limit` tokens, None without a limit."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._counted = 0
        self.usage = TokenUsage()
        self.money = 0.0

    def reserve(self, tokens: int, model: str) -> None:
        """Raises TooLargeError: the same document would be too large again."""
        if self._limit is not None and self._counted + tokens > self._limit:
            used = f", of which {self._counted:,} are used" if self._counted else ""
            raise TooLargeError(
                f"{model} may need {tokens:,} tokens for this document, and {self._limit:,} are allowed{used}",
                hint="Raise DOCPIPE_DOCUMENT_TOKENS, or send fewer pages.",
            )
        self._counted += tokens

    def settle(self, reserved: int, usage: TokenUsage, money: float) -> None:
        """What an attempt did use, in the place of the tokens that were reserved."""
        self._counted += usage.total - reserved
        self.usage += usage
        self.money += money

    @property
    def cost(self) -> dict[str, float]:
        """With the names of `Extraction.cost`."""
        usage = self.usage
        return Answer(
            (),
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            image_tokens=usage.image_tokens,
            money=self.money,
        ).cost
