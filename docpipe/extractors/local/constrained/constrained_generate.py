"""transformers' own `generate`, held by a pen: what may be written next, what was written, and when it is over.

In: a model, its inputs, a `Pen`. Out: nothing; the pen knows what was written. Whatever a checkpoint's generation
config says of sampling, beams or penalties does not count: an answer is copied from a page, not composed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from docpipe.errors import TooLargeError
from docpipe.extractors.generative.backend import Finish
from docpipe.extractors.local.models.devices import raise_if_device_failed

ENDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
HALF = "\ufffd"  # what a tokenizer makes of bytes that are no character, or not yet
LONGEST = 4  # bytes of a character in UTF-8, and so tokens of one byte


class Pen(Protocol):
    @property
    def finish(self) -> Finish | None:
        """None while there is more to write."""
        ...

    def allowed(self) -> Tensor | None:
        """Which tokens may come next, bool [vocabulary]; None: all."""
        ...

    def take(self, token: int, log_probabilities: Tensor) -> None:
        """What was chosen, and how probable each token was under the mask: [vocabulary]."""
        ...


def write(model: Any, inputs: Mapping[str, Any], pen: Pen, limit: int) -> None:
    """At most `limit` tokens, always the most probable. Raises TooLargeError where the device has no room for it."""
    held = _Held(pen)
    kept, model.generation_config = model.generation_config, _plain(model.generation_config, limit)
    try:
        with torch.inference_mode(), memory():
            model.generate(
                **inputs,
                logits_processor=LogitsProcessorList([held]),
                stopping_criteria=StoppingCriteriaList([_Taken(held)]),
            )
    finally:
        model.generation_config = kept


@contextmanager
def memory() -> Iterator[None]:
    """Raises TooLargeError where the device has none left, and ModelError where it has failed."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TooLargeError(
            f"the model ran out of memory: {str(error).partition(chr(10))[0]}",
            hint="Take a smaller model (`docpipe doctor` says what fits), or free the device of other work.",
        ) from error
    except RuntimeError as error:
        raise_if_device_failed(error)
        raise


def spelled(tokenizer: Any, tokens: Sequence[int]) -> list[str]:
    """The text of each token, so that all joined are the text. The bytes of a character may be spread over several
    tokens: the last of them has it, and the half of one at the end is nobody's."""
    texts: list[str] = []
    first = done = 0
    for end in range(1, len(tokens) + 1):
        text = _decoded(tokenizer, tokens[first:end])
        if text.endswith(HALF) and end - done < LONGEST:
            texts.append("")
            continue
        texts.append(text[len(_decoded(tokenizer, tokens[first:done])) :])
        first, done = done, end
    return texts


def _decoded(tokenizer: Any, tokens: Sequence[int]) -> str:
    if not tokens:
        return ""
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _plain(given: GenerationConfig, limit: int) -> GenerationConfig:
    ends = {name: getattr(given, name, None) for name in ENDS}
    config: Any = GenerationConfig  # untyped
    return cast(GenerationConfig, config(**ends, do_sample=False, num_beams=1, max_new_tokens=limit))


class _Held(LogitsProcessor):
    """Closes what the pen does not allow, and keeps the log-probabilities of the step."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.log_probabilities = torch.empty(0)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002  (the interface's arguments)
        scores = scores.float()
        allowed = self.pen.allowed()
        if allowed is not None:
            missing = scores.shape[-1] - len(allowed)  # embeddings have rows that no token uses
            allowed = torch.nn.functional.pad(allowed, (0, missing)) if missing > 0 else allowed[: scores.shape[-1]]
            scores = scores.masked_fill(~allowed.to(scores.device), -torch.inf)
        self.log_probabilities = scores.log_softmax(-1)[0]
        return scores


class _Taken(StoppingCriteria):
    """Hands each token to the pen, and stops when it is through."""

    def __init__(self, held: _Held) -> None:
        self._held = held

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:  # noqa: ARG002
        pen = self._held.pen
        pen.take(int(input_ids[0, -1]), self._held.log_probabilities)
        return torch.tensor([pen.finish is not None], device=input_ids.device)
