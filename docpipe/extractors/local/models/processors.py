"""transformers' processors, which turn images and texts into a model's tensors: what docpipe asks of them.

In: a processor or its class. Out: how large an image it leaves; a class that needs nothing for videos.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import BatchFeature

DEFAULT_SIDE = 1_280  # pixels, of a processor that does not say: a page's small print can still be read
LARGEST_SIDE = 16_384  # pixels; a `size` above it counts the pixels of an image, not those of a side


def largest_image_side(image_processor: Any) -> int:
    """The longer side in pixels that an image has at most when its processor is through."""
    grid = getattr(image_processor, "image_grid_pinpoints", None)
    if grid:
        return int(max(max(sides) for sides in grid))
    size = dict(getattr(image_processor, "size", None) or {})
    values = [value for value in size.values() if isinstance(value, int)] or [DEFAULT_SIDE]
    return max(values) if max(values) <= LARGEST_SIDE else math.isqrt(max(values))


def without_video_processor(processor_class: Any) -> Any:
    """The processor's class without the part that prepares videos, which insists on torchvision."""
    attributes = [name for name in processor_class.get_attributes() if "video" not in name]
    module = sys.modules[processor_class.__module__]
    if getattr(module, "num2words", str) is None:  # SmolVLM wants it, to spell out how many frames a video has
        module.num2words = str  # type: ignore[attr-defined]

    def from_args_and_dict(_: Any, /, args: Any, processor_dict: Any, **kwargs: Any) -> Any:
        settings = {**processor_dict, "video_processor": None}
        return processor_class.from_args_and_dict.__func__(reduced_class, args, settings, **kwargs)

    reduced_class: Any = type(
        processor_class.__name__,
        (processor_class,),
        {"get_attributes": classmethod(lambda _: attributes), "from_args_and_dict": classmethod(from_args_and_dict)},
    )
    return reduced_class


@dataclass(frozen=True)
class TextProcessor:
    """For a model without eyes: its tokenizer, called as a processor is."""

    tokenizer: Any
    image_processor: None = None

    @property
    def chat_template(self) -> Any:
        return self.tokenizer.chat_template

    def __call__(self, text: Sequence[str], **options: Any) -> BatchFeature:
        return BatchFeature(dict(self.tokenizer(list(text), **options)))


def text_processor(folder: Any) -> TextProcessor:
    """Raises whatever transformers raises for a folder without a tokenizer."""
    from transformers import AutoTokenizer  # heavy: transformers' tokenizers

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # what is padded is masked anyway
    return TextProcessor(tokenizer)
