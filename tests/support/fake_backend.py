"""A backend that writes what a test wants, and remembers its prompts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docpipe.errors import DocpipeError
from docpipe.extractors.generative.backend import BackendReply, Completion, OutputToken, Prompt

ReplyFunction = Callable[[Prompt], BackendReply | DocpipeError]


@dataclass
class FakeBackend:
    """`reply_to` makes the reply to each prompt; `prompts` are all so far."""

    reply_to: ReplyFunction
    name: str = "fake:1"
    max_side: int = 2_000
    sees_pictures: bool = True
    reads_words: bool = True
    prompts: list[Prompt] = field(default_factory=list)

    def complete(self, prompts: Sequence[Prompt]) -> list[BackendReply | DocpipeError]:
        self.prompts += prompts
        return [self.reply_to(prompt) for prompt in prompts]


def replying_with(values: Mapping[str, Any], probability: float | None = None, **cost: float) -> ReplyFunction:
    """One object for each slot, as a local model writes it; what is not in `values` is null (of lists: empty)."""

    def reply_to(prompt: Prompt) -> BackendReply:
        completions = []
        for slot in prompt.slots:
            nothing: Any = [] if slot.is_list else None
            text = json.dumps({slot.name: values.get(slot.name, nothing)}, ensure_ascii=False)
            completions.append(completion_of(text, (slot.name,), probability))
        return BackendReply(tuple(completions), **{"tokens_in": 100, "image_tokens": 80, "tokens_out": 10, **cost})

    return reply_to


def completion_of(text: str, slot_names: tuple[str, ...], probability: float | None = None, **more: Any) -> Completion:
    """With a token for each character, whose probability together is that of each value's first character."""
    tokens = ()
    if probability is not None:
        tokens = tuple(OutputToken(letter, math.log(probability) if letter == "!" else 0.0) for letter in text)
    return Completion(text, slot_names, tokens=tokens, **more)
