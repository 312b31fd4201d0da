"""transformers' own `generate`, held by a guide: which tokens may come next, which came, and when it is over.

In: a model, its inputs, a `DecodingGuide`. Out: nothing; the guide has what was generated. Whatever a checkpoint's
generation config says of sampling, beams or penalties does not count: a value is copied from a page, not composed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from docpipe.errors import TooLargeError
from docpipe.extractors.generative.backend import FinishReason
from docpipe.extractors.local.models.devices import raise_if_device_failed

KEPT_SETTINGS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")


class DecodingGuide(Protocol):
    @property
    def finish(self) -> FinishReason | None:
        """None while there is more to generate."""
        ...

    def allowed_tokens(self) -> Tensor | None:
        """Which tokens may come next, bool [vocabulary]; None: all."""
        ...

    def accept(self, token: int, log_probabilities: Tensor) -> None:
        """The token that was chosen, and how probable each token was under the mask: [vocabulary]."""
        ...


def generate(model: Any, inputs: Mapping[str, Any], guide: DecodingGuide, max_tokens: int) -> None:
    """At most `max_tokens`, always the most probable. Raises TooLargeError where the device has no room for it."""
    logits_processor = _GuidedLogits(guide)
    own_config, model.generation_config = model.generation_config, _greedy_config(model.generation_config, max_tokens)
    try:
        with torch.inference_mode(), device_errors():
            model.generate(
                **inputs,
                logits_processor=LogitsProcessorList([logits_processor]),
                stopping_criteria=StoppingCriteriaList([_GuidedStopping(logits_processor)]),
            )
    finally:
        model.generation_config = own_config


@contextmanager
def device_errors() -> Iterator[None]:
    """Raises TooLargeError where the device has no memory left, and ModelError where it has failed."""
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


def _greedy_config(own_config: GenerationConfig, max_tokens: int) -> GenerationConfig:
    settings = {name: getattr(own_config, name, None) for name in KEPT_SETTINGS}
    config: Any = GenerationConfig  # untyped
    return cast(GenerationConfig, config(**settings, do_sample=False, num_beams=1, max_new_tokens=max_tokens))


class _GuidedLogits(LogitsProcessor):
    """Masks what the guide does not allow, and keeps the log-probabilities of the step: [vocabulary]."""

    def __init__(self, guide: DecodingGuide) -> None:
        self.guide = guide
        self.log_probabilities = torch.empty(0)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002  (the interface's arguments)
        scores = scores.float()  # [1, vocabulary]
        allowed = self.guide.allowed_tokens()
        if allowed is not None:
            missing = scores.shape[-1] - len(allowed)  # embeddings have rows that no token uses
            allowed = torch.nn.functional.pad(allowed, (0, missing)) if missing > 0 else allowed[: scores.shape[-1]]
            scores = scores.masked_fill(~allowed.to(scores.device), -torch.inf)
        self.log_probabilities = scores.log_softmax(-1)[0]
        return scores


class _GuidedStopping(StoppingCriteria):
    """Hands each token to the guide, and stops when it is finished."""

    def __init__(self, logits_processor: _GuidedLogits) -> None:
        self._logits_processor = logits_processor

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:  # noqa: ARG002
        guide = self._logits_processor.guide
        guide.accept(int(input_ids[0, -1]), self._logits_processor.log_probabilities)
        return torch.tensor([guide.finish is not None], device=input_ids.device)
