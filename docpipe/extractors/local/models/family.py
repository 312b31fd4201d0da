"""What differs between families of vision-language models: how a question becomes a model's input, and where it stands.

In: a model, its processor, questions. Out: a `Prompt`: tensors for one pass over all of them, and positions to go on
from. A family is known by its configuration (`model_type`), never by a repository's name.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor

from docpipe.errors import AnswerError, ModelError
from docpipe.extractors.generative.backend import Question
from docpipe.extractors.local.generate_backend import largest_side

# Each of them is tested against its own forward pass, token by token (tests/unit/extractors/local/test_families.py).
FAST = frozenset(
    {"qwen2_5_vl", "qwen3_vl", "llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "gemma3", "paligemma"}
)
WRITERS = frozenset(
    {"qwen2_5_vl_text", "qwen3_vl_text", "llama", "mistral", "qwen2", "granite", "gemma", "gemma3_text"}
)
ROTATED = frozenset({"qwen2_5_vl", "qwen3_vl"})  # positions in three dimensions, and pictures of any size

# Of a picture, where a model takes any number: 2,048 tokens of Qwen2.5-VL and 1,568 of Qwen3-VL. An A4 page has 129
# dots an inch then, and print of 8 points is 14 pixels high.
PIXELS = 1_605_632
A4 = 1.414  # its height by its width


@dataclass(frozen=True, slots=True)
class Prompt:
    """`inputs` are the forward pass's arguments, documents padded on the left; `seen` [B, L] is False for padding.
    `ahead` [B]: what the position of a token exceeds its place among its document's tokens by, after the prompt.
    `heads`: the tokens before the first picture, of documents that have one."""

    inputs: Mapping[str, Any]
    seen: Tensor
    ahead: Tensor
    lengths: tuple[int, ...]
    image_tokens: tuple[int, ...]
    heads: tuple[tuple[int, ...], ...]


def is_fast(config: Any) -> bool:
    """Whether the engine has been tested with this family; every other goes through transformers' `generate`."""
    text = config.get_text_config()
    if config.model_type not in FAST or text.model_type not in WRITERS:
        return False
    # Places and positions part company behind a picture, and no model's window has been seen to slide over one.
    return config.model_type not in ROTATED or "sliding_attention" not in kinds_of_layers(text)


def kinds_of_layers(text: Any) -> set[str]:
    """`full_attention` or `sliding_attention`, or both."""
    kinds = set(getattr(text, "layer_types", None) or ())
    slides = getattr(text, "sliding_window", None) is not None
    return kinds or {"sliding_attention" if slides else "full_attention"}


def without_videos(kind: Any) -> Any:
    """The processor's class without the part that prepares videos, which insists on torchvision."""
    kept = [name for name in kind.get_attributes() if "video" not in name]
    module = sys.modules[kind.__module__]
    if getattr(module, "num2words", str) is None:  # SmolVLM wants it, to spell out how many frames a video has
        module.num2words = str  # type: ignore[attr-defined]

    def from_args_and_dict(_: Any, /, args: Any, processor_dict: Any, **kwargs: Any) -> Any:
        return kind.from_args_and_dict.__func__(bare, args, {**processor_dict, "video_processor": None}, **kwargs)

    bare: Any = type(
        kind.__name__,
        (kind,),
        {"get_attributes": classmethod(lambda _: kept), "from_args_and_dict": classmethod(from_args_and_dict)},
    )
    return bare


class Family:
    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        self._kind: str = model.config.model_type
        self._images = processor.image_processor
        self._pixels = PIXELS
        if self._kind in ROTATED:
            self._pixels = min(PIXELS, int(dict(self._images.size)["longest_edge"]))

    @property
    def max_side(self) -> int:
        if self._kind in ROTATED:
            return isqrt(round(self._pixels * A4))
        return largest_side(self._images)

    def prompt(self, questions: Sequence[Question]) -> Prompt:
        """Raises ModelError for a model that has no chat template and is not known either."""
        processed = self._processed(questions)
        heads = tuple(map(self._head, processed["input_ids"], processed["attention_mask"]))
        inputs = processed.to(self._model.device, dtype=self._model.dtype)
        inputs.pop("labels", None)
        seen = inputs["attention_mask"].bool()
        lengths = seen.sum(1)
        inputs["position_ids"] = self._positions(inputs, seen)
        return Prompt(
            inputs=dict(inputs),
            seen=seen,
            ahead=inputs["position_ids"].amax(-1).reshape(-1, len(questions))[-1] + 1 - lengths,
            lengths=tuple(lengths.tolist()),
            image_tokens=tuple((inputs["input_ids"] == self._image_token).sum(1).tolist()),
            heads=heads,
        )

    @property
    def is_causal(self) -> bool:
        """Whether a token sees all that is before it and nothing else, as far as the first picture."""
        return self._kind != "paligemma" and kinds_of_layers(self._model.config.get_text_config()) == {"full_attention"}

    def _head(self, tokens: Tensor, mask: Tensor) -> tuple[int, ...]:
        own: list[int] = tokens[mask.bool()].tolist()
        return tuple(own[: own.index(self._image_token)]) if self._image_token in own else ()

    @property
    def _image_token(self) -> int:
        return int(self._model.config.image_token_id)

    def _processed(self, questions: Sequence[Question]) -> Any:
        texts = [self._text(question.parts) for question in questions]
        pictures = [list(question.pictures) for question in questions]
        options: dict[str, Any] = {"images": pictures} if any(pictures) else {}
        start = self._processor.tokenizer.bos_token
        if start and texts[0].startswith(start):  # the template has written it
            options["add_special_tokens"] = False
        if self._kind in ROTATED:
            sides = dict(self._images.size)
            options["size"] = {"shortest_edge": sides["shortest_edge"], "longest_edge": self._pixels}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PaliGemma's makes labels for a training that nobody does
                return self._processor(text=texts, padding=True, padding_side="left", return_tensors="pt", **options)
        except Exception as error:
            raise AnswerError(
                f"the model's processor does not take this document: {error}",
                hint="A page may be far too long for its width, or a text of the schema may hold a picture's sign.",
            ) from error

    def _text(self, parts: Sequence[Any]) -> str:
        """One turn of the user, and the beginning of the model's. The tokenizer fills in the template: a processor
        may want its video processor for it."""
        tokenizer = self._processor.tokenizer
        template = getattr(self._processor, "chat_template", None) or tokenizer.chat_template
        if not template:
            return self._plain(parts)
        content = [{"type": "text", "text": part} if isinstance(part, str) else {"type": "image"} for part in parts]
        turn = [{"role": "user", "content": content}]
        return str(
            tokenizer.apply_chat_template(turn, chat_template=template, tokenize=False, add_generation_prompt=True)
        )

    def _plain(self, parts: Sequence[Any]) -> str:
        """As these families were trained, where no template says so."""
        picture = str(getattr(self._processor, "image_token", ""))
        texts = [part for part in parts if isinstance(part, str)]
        if self._kind == "paligemma":  # pictures first; its processor ends the line
            return picture * (len(parts) - len(texts)) + "\n".join(texts)
        if self._kind in ("llava", "llava_next"):
            said = "\n".join(part if isinstance(part, str) else picture for part in parts)
            return f"USER: {said} ASSISTANT:"
        raise ModelError(
            f"the model ({self._kind}) has no chat template",
            hint="Take a model that was trained to follow instructions: its folder has a chat_template.jinja.",
        )

    def _positions(self, inputs: Mapping[str, Any], seen: Tensor) -> Tensor:
        """[B, L], or [3, B, L] where pictures have height and width."""
        if self._kind in ROTATED:
            positions, _ = self._model.model.get_rope_index(
                inputs["input_ids"],
                mm_token_type_ids=inputs["mm_token_type_ids"],
                image_grid_thw=inputs.get("image_grid_thw"),
                attention_mask=inputs["attention_mask"],
            )
            return torch.as_tensor(positions)
        first = 1 if self._kind == "paligemma" else 0  # it counts from one
        return (seen.long().cumsum(-1) - 1).clamp(min=0) + first
