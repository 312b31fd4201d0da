"""What a person may choose for all models behind an HTTP API. In: nothing. Out: `HostedOptions`, with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostedOptions:
    """`parallel`: requests at a time, of one process. `seconds`: the longest wait for the next bytes of an answer.
    `attempts` at one request, within `patience_seconds` with the waits between them. `thinking_tokens` beside those of
    the answer, `document_tokens` for one prompt over all attempts. `day_tokens` and `day_money`: limits of a day (UTC)
    for all processes of a machine, who add up in `spending_file` what they spent, at the prices of the file `prices`.
    """

    parallel: int = 4
    seconds: float = 120.0
    attempts: int = 6
    patience_seconds: float = 300.0
    thinking_tokens: int = 4_096
    document_tokens: int | None = None
    day_tokens: int | None = None
    day_money: float | None = None
    prices: Path | None = None
    spending_file: Path | None = None
