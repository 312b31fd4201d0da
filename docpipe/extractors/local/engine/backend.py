"""A model on this machine as a backend: the engine behind questions, in batches that fit into its memory.

In: a model, its processor, questions. Out: replies. From one call to the next nothing is kept but the beginnings of
the prompts of a few schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from docpipe.errors import DocpipeError, TooLargeError
from docpipe.extractors.generative.backend import Question, Reply
from docpipe.extractors.local.engine.engine import Engine
from docpipe.extractors.local.models.devices import raise_if_device_failed
from docpipe.extractors.local.models.family import Family, Prompt

# Documents that go through together even where there is memory for more: from here on a step of a model of 3 billion
# parameters takes as long as its weights' worth of keys and values, and a longer batch waits for its longest document.
MOST = 16
ANSWER = 1_024  # columns of the cache that a long invoice's answer takes; longer ones are caught when memory runs out
GIB = 1024**3


class LocalBackend:
    """`fits` says how many documents of so many tokens go through at once; None: as many as there are, up to MOST.
    `guesses`: tokens of a slot that are guessed from the page's words in a step; 0: none, None: what suits the device.
    """

    def __init__(
        self, name: str, model: Any, processor: Any, *,
        fits: Callable[[int], int] | None = None, guesses: int | None = None,
    ) -> None:  # fmt: skip
        """Raises ModelError for a tokenizer that cannot be held to a grammar."""
        self._name, self._device = name, model.device
        self._family = Family(model, processor)
        self._engine = Engine(model, processor.tokenizer, causal=self._family.is_causal, guesses=guesses)
        self._fits = fits or (lambda _: MOST)
        self._room = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2**62

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_side(self) -> int:
        return self._family.max_side

    def answer(self, questions: Sequence[Question]) -> list[Reply | DocpipeError]:
        """An error stands in the place of the document that it concerns."""
        replies: dict[int, Reply | DocpipeError] = {}
        for alike in (True, False):  # processors take no batch in which only some have pictures
            numbers = [number for number, question in enumerate(questions) if bool(question.pictures) is alike]
            for start in range(0, len(numbers), MOST):
                batch = numbers[start : start + MOST]
                replies |= zip(batch, self._batch([questions[number] for number in batch]), strict=True)
        return [replies[number] for number in range(len(questions))]

    def _batch(self, questions: Sequence[Question]) -> list[Reply | DocpipeError]:
        """Halved until it fits."""
        try:
            prompt = self._prompt(questions)
            if len(questions) > 1 and self._fits(_columns(prompt, questions)) < len(questions):
                raise _TooManyError
            return self._filled(questions, prompt)
        except (_TooManyError, RuntimeError, DocpipeError) as error:
            if isinstance(error, RuntimeError) and not _is_full(error):
                raise_if_device_failed(error)
                raise
            if len(questions) == 1:
                return [error if isinstance(error, DocpipeError) else self._no_memory(questions[0], error)]
        # Outside the handler: its traceback would keep the tensors of the batch that did not fit.
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(questions) // 2
        return self._batch(questions[:half]) + self._batch(questions[half:])

    def _prompt(self, questions: Sequence[Question]) -> Prompt:
        prompt = self._family.prompt(questions)
        if max(prompt.lengths) >= self._room:
            raise TooLargeError(  # however often it is tried
                f"{len(questions[0].pictures)} pages with the schema are {max(prompt.lengths)} tokens, and {self._name}"
                f" has room for {self._room}",
                hint="Take a model with a longer context, a schema with fewer fields, or documents with fewer pages.",
            )
        return prompt

    def _filled(self, questions: Sequence[Question], prompt: Prompt) -> list[Reply | DocpipeError]:
        # a model is not asked for more than it was trained to see
        rooms = [self._room - length for length in prompt.lengths]
        slots = [
            [replace(slot, tokens=min(slot.tokens, room)) for slot in one.slots]
            for one, room in zip(questions, rooms, strict=True)
        ]
        written = self._engine.fill(prompt, slots, [one.words for one in questions])
        return [
            Reply(
                tuple(own),
                tokens_in=prompt.lengths[document],
                image_tokens=prompt.image_tokens[document],
                tokens_out=sum(len(one.tokens) for one in own),
            )
            for document, own in enumerate(written)
        ]

    def _no_memory(self, question: Question, error: Exception) -> TooLargeError:
        said = str(error).splitlines()[0] if str(error) else "out of memory"
        free = (
            f" ({torch.cuda.mem_get_info(self._device)[0] / GIB:.1f} GiB are free)"
            if self._device.type == "cuda"
            else ""
        )
        return TooLargeError(
            f"{self._name} has no memory for one document of {len(question.pictures)} pages{free}: {said}",
            hint="Take a smaller model (`docpipe doctor` says what fits), or free the device of other work.",
        )


class _TooManyError(Exception):
    """More documents than fit, found out before they were tried."""


def _is_full(error: RuntimeError) -> bool:
    """A card has a class of its own for it, the processor has words."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _columns(prompt: Prompt, questions: Sequence[Question]) -> int:
    """That one document takes: its prompt and its answer."""
    most = max(sum(slot.tokens for slot in question.slots) for question in questions)
    return prompt.seen.shape[1] + min(most, ANSWER)
