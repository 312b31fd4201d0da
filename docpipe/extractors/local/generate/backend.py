"""Any image-text-to-text model by transformers' own `generate`: for those that the fast engine does not know, and what
the engine is measured against.

In: a model, its processor, prompts. Out: replies. One prompt after the other; its single fields are written in one
object, each list in one of its own, so that a list that runs out of tokens costs no field.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError
from docpipe.extractors.generative.backend import (
    BackendReply,
    Completion,
    OutputSlot,
    OutputToken,
    Prompt,
    slots_schema,
)
from docpipe.extractors.local.constrained.grammar import GrammarCompiler
from docpipe.extractors.local.constrained.guided_generation import generate
from docpipe.extractors.local.generate.guides import FreeGuide, JsonGuide
from docpipe.extractors.local.models.processors import largest_image_side
from docpipe.extractors.local.token_texts import token_texts


class GenerateBackend:
    """Without `grammar` the model writes what it likes, about all slots at once."""

    def __init__(self, name: str, model: Any, processor: Any, *, grammar: bool = True) -> None:
        """Raises ModelError for a tokenizer that cannot be held to a grammar."""
        self._name, self._model, self._processor = name, model, processor
        self._text_config = model.config.get_text_config()
        vocabulary_size = self._text_config.vocab_size
        self._grammar = _grammar_compiler(name, processor.tokenizer, vocabulary_size) if grammar else None

    @property
    def name(self) -> str:
        return self._name

    reads_words = True

    @property
    def sees_pictures(self) -> bool:
        return getattr(self._processor, "image_processor", None) is not None

    @property
    def max_side(self) -> int:
        return largest_image_side(getattr(self._processor, "image_processor", None))

    def complete(self, prompts: Sequence[Prompt]) -> list[BackendReply | DocpipeError]:
        """An error stands in the place of the document that it concerns."""
        replies: list[BackendReply | DocpipeError] = []
        for prompt in prompts:
            try:
                replies.append(self._reply(prompt))
            except DocpipeError as error:
                replies.append(error)
        return replies

    def _reply(self, prompt: Prompt) -> BackendReply:
        inputs = self._inputs(prompt)
        token_ids = inputs["input_ids"]  # [1, L]
        length = int(token_ids.shape[-1])
        image_tokens = int(sum((token_ids == token).sum() for token in _image_token_ids(self._model, self._processor)))
        context_length = getattr(self._text_config, "max_position_embeddings", None) or math.inf
        if context_length <= length:
            message = f"the question is {length} tokens long, and {self._name} has room for {context_length}"
            hint = "Take a model with a longer context, a schema with fewer fields, or documents with fewer pages."
            raise TooLargeError(message, hint=hint)  # however often it is tried
        completions, tokens_in, tokens_out = [], 0, 0
        for slots in _slot_groups(prompt.slots) if self._grammar else [prompt.slots]:
            guide = self._guide(slots)
            max_tokens = int(min(context_length - length, sum(slot.max_tokens for slot in slots)))
            generate(self._model, inputs, guide, max_tokens)
            completions.append(_completion(guide, self._processor.tokenizer, slots))
            tokens_in += length
            tokens_out += len(guide.tokens)
        return BackendReply(tuple(completions), tokens_in, image_tokens * len(completions), tokens_out)

    def _guide(self, slots: Sequence[OutputSlot]) -> FreeGuide:
        if self._grammar is None:
            return FreeGuide(_end_token_ids(self._model))
        matcher = self._grammar.compile(slots_schema(slots))
        nullable = [slot.name for slot in slots if "null" in slot.value_schema.get("type", ())]
        return JsonGuide(matcher, self._processor.tokenizer, nullable)

    def _inputs(self, prompt: Prompt) -> Any:
        """The processor's tensors for a batch of one."""
        text = self._text(prompt)
        start = getattr(self._processor.tokenizer, "bos_token", None)
        options: dict[str, Any] = {"images": [list(prompt.images)]} if prompt.images else {}
        if start and text.startswith(start):  # the template has written it
            options["add_special_tokens"] = False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some make labels for a training that nobody does, and say so
                inputs = self._processor(text=[text], return_tensors="pt", **options)
        except Exception as error:
            raise AnswerError(
                f"{self._name}'s processor does not take this document: {error}",
                hint="Take a model that reads several pictures and text, or one that docs/models.md names.",
            ) from error
        inputs.pop("labels", None)
        return inputs.to(self._model.device, dtype=self._model.dtype)

    def _text(self, prompt: Prompt) -> str:
        """By the chat template of its processor; without one images come first, as such models were trained. The
        tokenizer fills in the template: a processor may ask for its video part, which needs torchvision."""
        template = getattr(self._processor, "chat_template", None)
        template = template.get("default") if isinstance(template, dict) else template
        if not template:
            images = getattr(self._processor, "image_token", "") * len(prompt.images)
            return images + "\n".join(part for part in prompt.parts if isinstance(part, str))
        content: Any = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"} for part in prompt.parts
        ]
        if not self.sees_pictures:  # the templates of such models take a text and nothing else
            content = "\n".join(part for part in prompt.parts if isinstance(part, str))
        return str(
            self._processor.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}],
                chat_template=template, tokenize=False, add_generation_prompt=True,
            )
        )  # fmt: skip


def _grammar_compiler(name: str, tokenizer: Any, vocabulary_size: int) -> GrammarCompiler:
    try:
        return GrammarCompiler(tokenizer, vocabulary_size)
    except ValueError as error:
        raise ModelError(
            f"{name} cannot be held to a schema: {error}",
            hint="Take a model whose tokenizer is a byte-level BPE, or a BPE with bytes to fall back on.",
        ) from error


def _slot_groups(slots: Sequence[OutputSlot]) -> list[tuple[OutputSlot, ...]]:
    """Single fields in one object, as they help each other; each list apart."""
    singles = tuple(slot for slot in slots if not slot.is_list)
    lists = [(slot,) for slot in slots if slot.is_list]
    return [singles, *lists] if singles else [*lists]


def _completion(guide: FreeGuide, tokenizer: Any, slots: Sequence[OutputSlot]) -> Completion:
    tokens = tuple(map(OutputToken, token_texts(tokenizer, guide.tokens), guide.log_probabilities))
    text = "".join(token.text for token in tokens)
    slot_names = tuple(slot.name for slot in slots)
    return Completion(text, slot_names, guide.finish or "length", tokens, guide.null_probabilities)


def _image_token_ids(model: Any, processor: Any) -> set[int]:
    places = ((model.config, "image_token_id"), (model.config, "image_token_index"), (processor, "image_token_id"))
    values = (getattr(owner, name, None) for owner, name in places)
    return {value for value in values if isinstance(value, int)}


def _end_token_ids(model: Any) -> set[int]:
    ids = model.generation_config.eos_token_id
    return set(ids) if isinstance(ids, list | tuple) else {ids} - {None}
