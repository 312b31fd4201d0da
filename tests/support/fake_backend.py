"""A backend that says what a test wants, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from docpipe.data import Page
from docpipe.errors import DocpipeError
from docpipe.extractors.generative.backend import Question, Reply, Token, Written

Says = Callable[[Question], Reply | DocpipeError]


@dataclass
class Speaking:
    """`says` makes the reply of each question; `asked` are all questions so far."""

    says: Says
    name: str = "speaking:1"
    max_side: int = 2_000
    asked: list[Question] = field(default_factory=list)

    def answer(self, questions: Sequence[Question]) -> list[Reply | DocpipeError]:
        self.asked += questions
        return [self.says(question) for question in questions]


def saying(values: Mapping[str, Any], probability: float | None = None, **cost: float) -> Says:
    """One object for each slot, as a local model writes it; what is not in `values` is null (of lists: empty)."""

    def says(question: Question) -> Reply:
        written = []
        for slot in question.slots:
            nothing: Any = [] if slot.value.get("type") == "array" else None
            text = json.dumps({slot.name: values.get(slot.name, nothing)}, ensure_ascii=False)
            written.append(written_of(text, (slot.name,), probability))
        return Reply(tuple(written), **{"tokens_in": 100, "image_tokens": 80, "tokens_out": 10, **cost})

    return says


def written_of(text: str, slots: tuple[str, ...], probability: float | None = None, **more: Any) -> Written:
    """With a token for each character, whose probability together is that of each value's first character."""
    import math

    tokens = ()
    if probability is not None:
        tokens = tuple(Token(letter, math.log(probability) if letter == "!" else 0.0) for letter in text)
    return Written(text, slots, tokens=tokens, **more)


@dataclass(frozen=True)
class Paper:
    """A page's picture: white, of a size, and it remembers how it was opened."""

    width: int
    height: int

    def open(self, *, max_side: int | None = None) -> Image.Image:
        image = Image.new("RGB", (self.width, self.height), "white")
        if max_side is not None and max(image.size) > max_side:
            image.thumbnail((max_side, max_side))
        return image

    def turned(self, degrees: int) -> Paper:
        return self


def drawn(page: Page) -> Page:
    """The page with a picture."""
    return replace(page, image=Paper(page.width, page.height))
