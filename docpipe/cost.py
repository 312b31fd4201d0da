"""What extraction costs: tokens, money and seconds, with the names of `Extraction.cost`. In: costs. Out: their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from docpipe.data import Answer


def add_costs(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {name: first.get(name, 0.0) + second.get(name, 0.0) for name in {**first, **second}}


def with_cost(answer: Answer, cost: Mapping[str, float]) -> Answer:
    """The answer, with what another one cost added to its own."""
    return replace(
        answer,
        tokens_in=answer.tokens_in + int(cost.get("tokens_in", 0)),
        image_tokens=answer.image_tokens + int(cost.get("image_tokens", 0)),
        tokens_out=answer.tokens_out + int(cost.get("tokens_out", 0)),
        money=answer.money + cost.get("money", 0.0),
    )
