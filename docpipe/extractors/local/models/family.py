"""What differs between families of vision-language models: how a prompt becomes a model's input, and token positions.

In: a model, its processor, prompts. Out: `ModelInputs`: tensors for one pass over all of them, and positions to go on
from. A family is known by its configuration (`model_type`), never by a repository's name.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor

from docpipe.errors import AnswerError, ModelError
from docpipe.extractors.generative.backend import Prompt
from docpipe.extractors.local.models.processors import largest_image_side

# Each of them is tested against its own forward pass, token by token (tests/unit/extractors/local/engine/).
ENGINE_FAMILIES = frozenset(
    {"qwen2_5_vl", "qwen3_vl", "llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "gemma3", "paligemma"}
)
ENGINE_TEXT_MODELS = frozenset(
    {"qwen2_5_vl_text", "qwen3_vl_text", "llama", "mistral", "qwen2", "granite", "gemma", "gemma3_text"}
)
ENGINE_WRITERS = frozenset({"llama", "mistral", "qwen2", "qwen3", "granite", "gemma3_text"})  # models without eyes
MROPE_FAMILIES = frozenset({"qwen2_5_vl", "qwen3_vl"})  # positions in three dimensions, and images of any size

# Of an image, where a model takes any number: 2,048 tokens of Qwen2.5-VL and 1,568 of Qwen3-VL. An A4 page has 129
# dots an inch then, and print of 8 points is 14 pixels high.
MAX_IMAGE_PIXELS = 1_605_632
NO_TOKEN = -1  # the id of the image's token in a model without eyes: none has it
A4_RATIO = 1.414  # its height by its width


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """The inputs of a forward pass for a batch of B prompts of at most L tokens, padded on the left."""

    tensors: Mapping[str, Any]
    """The arguments of the model's `forward`."""

    mask: Tensor
    """[B, L], bool: False for padding."""

    position_offsets: Tensor
    """[B]: by how much the position of a token behind the prompt exceeds its index among its document's tokens."""

    lengths: tuple[int, ...]
    """[B]: tokens of each prompt, with its images."""

    image_tokens: tuple[int, ...]
    """[B]: those of the images alone."""

    prefixes: tuple[tuple[int, ...], ...]
    """[B]: the token ids before the first image; empty where there is none."""


def engine_supports(config: Any) -> bool:
    """Whether the engine has been tested with this family; every other goes through transformers' `generate`."""
    text = config.get_text_config()
    if config.model_type in ENGINE_WRITERS:
        return True
    if config.model_type not in ENGINE_FAMILIES or text.model_type not in ENGINE_TEXT_MODELS:
        return False
    # Indexes and positions part company behind an image, and no model's window has been seen to slide over one.
    return config.model_type not in MROPE_FAMILIES or "sliding_attention" not in attention_types(text)


def attention_types(text_config: Any) -> set[str]:
    """Of the layers: `full_attention` or `sliding_attention`, or both."""
    types = set(getattr(text_config, "layer_types", None) or ())
    slides = getattr(text_config, "sliding_window", None) is not None
    return types or {"sliding_attention" if slides else "full_attention"}


class ModelFamily:
    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        self._model_type: str = model.config.model_type
        self._image_processor = processor.image_processor
        self._max_pixels = MAX_IMAGE_PIXELS
        if self._model_type in MROPE_FAMILIES:
            self._max_pixels = min(MAX_IMAGE_PIXELS, int(dict(self._image_processor.size)["longest_edge"]))

    @property
    def sees_pictures(self) -> bool:
        return self._image_processor is not None

    @property
    def max_side(self) -> int:
        if self._model_type in MROPE_FAMILIES:
            return isqrt(round(self._max_pixels * A4_RATIO))
        return largest_image_side(self._image_processor)

    @property
    def is_causal(self) -> bool:
        """Whether a token sees all that is before it and nothing else, as far as the first image."""
        types = attention_types(self._model.config.get_text_config())
        return self._model_type != "paligemma" and types == {"full_attention"}

    def encode(self, prompts: Sequence[Prompt]) -> ModelInputs:
        """Raises ModelError for a model that has no chat template and is not known either."""
        processed = self._processed(prompts)
        prefixes = tuple(map(self._prefix, processed["input_ids"], processed["attention_mask"]))
        tensors = processed.to(self._model.device, dtype=self._model.dtype)
        tensors.pop("labels", None)
        mask = tensors["attention_mask"].bool()
        lengths = mask.sum(1)
        positions = tensors["position_ids"] = self._position_ids(tensors, mask)
        return ModelInputs(
            tensors=dict(tensors),
            mask=mask,
            position_offsets=positions.amax(-1).reshape(-1, len(prompts))[-1] + 1 - lengths,
            lengths=tuple(lengths.tolist()),
            image_tokens=tuple((tensors["input_ids"] == self._image_token).sum(1).tolist()),
            prefixes=prefixes,
        )

    def _prefix(self, token_ids: Tensor, mask: Tensor) -> tuple[int, ...]:
        """The tokens before the first image of one prompt; both arguments [L]."""
        unpadded: list[int] = token_ids[mask.bool()].tolist()
        return tuple(unpadded[: unpadded.index(self._image_token)]) if self._image_token in unpadded else ()

    @property
    def _image_token(self) -> int:
        return int(self._model.config.image_token_id) if self.sees_pictures else NO_TOKEN

    def _processed(self, prompts: Sequence[Prompt]) -> Any:
        texts = [self._chat_text(prompt.parts) for prompt in prompts]
        images = [list(prompt.images) for prompt in prompts]
        options: dict[str, Any] = {"images": images} if any(images) else {}
        start = self._processor.tokenizer.bos_token
        if start and texts[0].startswith(start):  # the template has written it
            options["add_special_tokens"] = False
        if self._model_type in MROPE_FAMILIES:
            edges = dict(self._image_processor.size)
            options["size"] = {"shortest_edge": edges["shortest_edge"], "longest_edge": self._max_pixels}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PaliGemma's makes labels for a training that nobody does
                return self._processor(text=texts, padding=True, padding_side="left", return_tensors="pt", **options)
        except Exception as error:
            raise AnswerError(
                f"the model's processor does not take this document: {error}",
                hint="A page may be far too long for its width, or a text of the schema may hold a picture's sign.",
            ) from error

    def _chat_text(self, parts: Sequence[Any]) -> str:
        """One turn of the user, and the beginning of the model's. The tokenizer fills in the template: a processor
        may want its video processor for it."""
        tokenizer = self._processor.tokenizer
        template = getattr(self._processor, "chat_template", None) or tokenizer.chat_template
        if not template:
            return self._text_without_template(parts)
        content: Any = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"} for part in parts
        ]
        if not self.sees_pictures:  # the templates of such models take a text and nothing else
            content = "\n".join(parts)
        turn = [{"role": "user", "content": content}]
        return str(
            tokenizer.apply_chat_template(turn, chat_template=template, tokenize=False, add_generation_prompt=True)
        )

    def _text_without_template(self, parts: Sequence[Any]) -> str:
        """As these families were trained."""
        image = str(getattr(self._processor, "image_token", ""))
        texts = [part for part in parts if isinstance(part, str)]
        if self._model_type == "paligemma":  # images first; its processor ends the line
            return image * (len(parts) - len(texts)) + "\n".join(texts)
        if self._model_type in ("llava", "llava_next"):
            content = "\n".join(part if isinstance(part, str) else image for part in parts)
            return f"USER: {content} ASSISTANT:"
        raise ModelError(
            f"the model ({self._model_type}) has no chat template",
            hint="Take a model that was trained to follow instructions: its folder has a chat_template.jinja.",
        )

    def _position_ids(self, tensors: Mapping[str, Any], mask: Tensor) -> Tensor:
        """[B, L], or [3, B, L] where images have height and width."""
        if self._model_type in MROPE_FAMILIES:
            positions, _ = self._model.model.get_rope_index(
                tensors["input_ids"],
                mm_token_type_ids=tensors["mm_token_type_ids"],
                image_grid_thw=tensors.get("image_grid_thw"),
                attention_mask=tensors["attention_mask"],
            )
            return torch.as_tensor(positions)
        first = 1 if self._model_type == "paligemma" else 0  # it counts from one
        return (mask.long().cumsum(-1) - 1).clamp(min=0) + first
