"""Tiny models without eyes, with random weights, one for each family that the engine runs: real configs, no hub.

In: nothing. Out: model and processor, by the family's name; a folder of one that `--model hf:FOLDER` can name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import transformers

from docpipe.extractors.local.models.processors import TextProcessor
from tests.support.tiny_models import QWEN, TEXT, sentencepiece_bpe, token_ids, tokenizer_of

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Takes a text as content and nothing else, as the templates of such models do."""


def writer(config_class: Any, *, sentencepiece: bool = False, **settings: Any) -> Any:
    """Model and processor of this family."""
    more = {"bpe": sentencepiece_bpe} if sentencepiece else {}
    tokenizer = tokenizer_of(QWEN, {}, eos_token="<|im_end|>", **more)
    tokenizer.chat_template = CHAT
    config = config_class(**TEXT, **token_ids(tokenizer), **settings)
    return transformers.AutoModelForCausalLM.from_config(config), TextProcessor(tokenizer)


WRITERS: Mapping[str, Callable[[], Any]] = {
    "text_llama": lambda: writer(transformers.LlamaConfig, sentencepiece=True),
    "text_mistral": lambda: writer(transformers.MistralConfig, sliding_window=None),
    "text_qwen2": lambda: writer(transformers.Qwen2Config),
    "text_qwen3": lambda: writer(transformers.Qwen3Config, head_dim=8),
    "text_granite": lambda: writer(transformers.GraniteConfig),
    "text_gemma3": lambda: writer(transformers.Gemma3TextConfig, head_dim=8, sliding_window=64),
}


def save_tiny_writer(family: str, folder: Path) -> Path:
    """The folder with the model of this family, as a hub has it."""
    from tests.support.tiny_models import tiny_model

    model, processor = tiny_model(family)
    model.save_pretrained(folder / family)
    processor.tokenizer.save_pretrained(folder / family)
    return folder / family
