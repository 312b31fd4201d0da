"""A model on this machine as a backend: the engine behind prompts, in batches that fit into its memory.

In: a model, its processor, prompts. Out: replies. From one call to the next nothing is kept but the prefixes of the
prompts of a few schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from docpipe.errors import DocpipeError, TooLargeError
from docpipe.extractors.generative.backend import BackendReply, Prompt
from docpipe.extractors.local.engine.engine import Engine
from docpipe.extractors.local.models.devices import raise_if_device_failed
from docpipe.extractors.local.models.family import ModelFamily, ModelInputs

# Documents that go through together even where there is memory for more: from here on a step of a model of 3 billion
# parameters takes as long as its weights' worth of keys and values, and a longer batch waits for its longest document.
MAX_DOCUMENTS = 16
OUTPUT_COLUMNS = 1_024  # of the cache that a long invoice's output takes; longer ones are caught when memory runs out
GIB = 1024**3


class EngineBackend:
    """`documents_that_fit` says how many documents of so many tokens go through at once; None: as many as there are, up
    to MAX_DOCUMENTS. `draft_steps`: choices of a slot that are drafted from the page's words for a pass; 0: none, None:
    what suits the device."""

    def __init__(
        self, name: str, model: Any, processor: Any, *,
        documents_that_fit: Callable[[int], int] | None = None, draft_steps: int | None = None,
    ) -> None:  # fmt: skip
        """Raises ModelError for a tokenizer that cannot be held to a grammar."""
        self._name, self._device = name, model.device
        self._family = ModelFamily(model, processor)
        self._engine = Engine(model, processor.tokenizer, causal=self._family.is_causal, draft_steps=draft_steps)
        self._documents_that_fit = documents_that_fit or (lambda _: MAX_DOCUMENTS)
        text_config = model.config.get_text_config()
        self._context_length = getattr(text_config, "max_position_embeddings", None) or 2**62

    @property
    def name(self) -> str:
        return self._name

    reads_words = True

    @property
    def sees_pictures(self) -> bool:
        return self._family.sees_pictures

    @property
    def max_side(self) -> int:
        return self._family.max_side

    def complete(self, prompts: Sequence[Prompt]) -> list[BackendReply | DocpipeError]:
        """An error stands in the place of the document that it concerns."""
        replies: dict[int, BackendReply | DocpipeError] = {}
        for has_images in (True, False):  # processors take no batch in which only some have images
            numbers = [number for number, prompt in enumerate(prompts) if bool(prompt.images) is has_images]
            for start in range(0, len(numbers), MAX_DOCUMENTS):
                batch = numbers[start : start + MAX_DOCUMENTS]
                replies |= zip(batch, self._complete_batch([prompts[number] for number in batch]), strict=True)
        return [replies[number] for number in range(len(prompts))]

    def _complete_batch(self, prompts: Sequence[Prompt]) -> list[BackendReply | DocpipeError]:
        """Halved until it fits."""
        try:
            inputs = self._encode(prompts)
            if len(prompts) > 1 and self._documents_that_fit(_cache_columns(inputs, prompts)) < len(prompts):
                raise _BatchTooLargeError
            return self._replies(prompts, inputs)
        except (_BatchTooLargeError, RuntimeError, DocpipeError) as error:
            if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
                raise_if_device_failed(error)
                raise
            if len(prompts) == 1:
                return [error if isinstance(error, DocpipeError) else self._out_of_memory_error(prompts[0], error)]
        # Outside the handler: its traceback would keep the tensors of the batch that did not fit.
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(prompts) // 2
        return self._complete_batch(prompts[:half]) + self._complete_batch(prompts[half:])

    def _encode(self, prompts: Sequence[Prompt]) -> ModelInputs:
        inputs = self._family.encode(prompts)
        if max(inputs.lengths) >= self._context_length:
            raise TooLargeError(  # however often it is tried
                f"{len(prompts[0].images)} pages with the schema are {max(inputs.lengths)} tokens, and {self._name}"
                f" has room for {self._context_length}",
                hint="Take a model with a longer context, a schema with fewer fields, or documents with fewer pages.",
            )
        return inputs

    def _replies(self, prompts: Sequence[Prompt], inputs: ModelInputs) -> list[BackendReply | DocpipeError]:
        # a model is not asked for more than it was trained to see
        slots = [
            [replace(slot, max_tokens=min(slot.max_tokens, self._context_length - length)) for slot in prompt.slots]
            for prompt, length in zip(prompts, inputs.lengths, strict=True)
        ]
        completions = self._engine.complete(inputs, slots, [prompt.page_lines for prompt in prompts])
        return [
            BackendReply(
                tuple(own),
                tokens_in=inputs.lengths[document],
                image_tokens=inputs.image_tokens[document],
                tokens_out=sum(len(completion.tokens) for completion in own),
            )
            for document, own in enumerate(completions)
        ]

    def _out_of_memory_error(self, prompt: Prompt, error: Exception) -> TooLargeError:
        reason = str(error).splitlines()[0] if str(error) else "out of memory"
        free = ""
        if self._device.type == "cuda":
            free = f" ({torch.cuda.mem_get_info(self._device)[0] / GIB:.1f} GiB are free)"
        return TooLargeError(
            f"{self._name} has no memory for one document of {len(prompt.images)} pages{free}: {reason}",
            hint="Take a smaller model (`docpipe doctor` says what fits), or free the device of other work.",
        )


class _BatchTooLargeError(Exception):
    """More documents than fit, found out before they were tried."""


def _is_out_of_memory(error: RuntimeError) -> bool:
    """A card has a class of its own for it, the processor has words."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _cache_columns(inputs: ModelInputs, prompts: Sequence[Prompt]) -> int:
    """That one document takes: its prompt and its output."""
    output_tokens = max(sum(slot.max_tokens for slot in prompt.slots) for prompt in prompts)
    return inputs.mask.shape[1] + min(output_tokens, OUTPUT_COLUMNS)
