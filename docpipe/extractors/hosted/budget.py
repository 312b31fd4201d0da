"""What hosted models may cost: a day's budget of tokens and money, over all processes of a machine.

In: an estimate before each request, and what the server reports after it. Out: leave to send it, or a BudgetError.
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

from docpipe.errors import BudgetError, ModelError, UsageError

MILLION = 1_000_000
RATES = {"in", "out", "cached_in"}


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens, in whatever currency the price list is written in."""

    tokens_in: float
    tokens_out: float
    cached_in: float

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """`cached` are those of `tokens_in` that the server had kept from before."""
        fresh = tokens_in - cached
        return (fresh * self.tokens_in + cached * self.cached_in + tokens_out * self.tokens_out) / MILLION


def read_price(path: Path | None, model: str) -> Price | None:
    """The model's price in the list `{"openai:NAME": {"in": 2.5, "out": 10.0, "cached_in": 1.25}}`; None where it is
    not listed. Raises UsageError."""
    if path is None:
        return None
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the price list {path} cannot be read: {error}", hint=_LIST) from error
    if isinstance(listed, dict) and model not in listed:
        return None
    entry: Any = listed.get(model) if isinstance(listed, dict) else None
    if not _is_entry(entry):
        raise UsageError(f"the price list {path} has no price that can be read for {model}", hint=_LIST)
    return Price(float(entry["in"]), float(entry["out"]), float(entry.get("cached_in", entry["in"])))


_LIST = 'DOCPIPE_PRICES names a JSON file: {"openai:NAME": {"in": 2.5, "out": 10.0}}, money for a million tokens.'


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not {"in", "out"} <= set(entry) <= RATES:
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
        """What it did cost, in the place of what was reserved. Yesterday's reservation stays yesterday's."""
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
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.with_name(self.file.name + ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                sums = self._read(day)
                yield sums
                # in the place of the old one at once: a process that is killed leaves the one or the other
                fresh = self.file.with_name(self.file.name + ".new")
                fresh.write_text(json.dumps(sums), encoding="utf-8")
                fresh.replace(self.file)
        except OSError as error:
            raise ModelError(f"the spending of the day cannot be kept: {error}", hint=_FILE) from error

    def _read(self, day: str) -> dict[str, Any]:
        """A file that cannot be understood is no leave to spend."""
        blank: dict[str, Any] = {"day": day, "tokens": 0, "money": 0.0}
        if not self.file.exists():
            return blank
        try:
            sums = json.loads(self.file.read_text(encoding="utf-8"))
            found = {"day": str(sums["day"]), "tokens": int(sums["tokens"]), "money": float(sums["money"])}
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{self.file} is no account of a day's spending", hint=_FILE) from error
        return found if found["day"] == day else blank


_FILE = "DOCPIPE_SPENDING_FILE says where it is kept. Make it writable, or delete it to begin the day anew."
