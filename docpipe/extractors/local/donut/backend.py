"""Donut: an encoder-decoder that was fine-tuned to read one sort of document, and answers in tags of its own.

In: a VisionEncoderDecoderModel, its DonutProcessor, prompts. Out: replies, the tags turned into JSON. It reads no text:
it knows the fields that its tags name and no others. It sees one page at a time; of a single field the first page with
a value counts, rows of all pages follow each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from llguidance import LLMatcher
from PIL.Image import Image

from docpipe.errors import DocpipeError, SchemaError
from docpipe.extractors.generative.backend import (
    BackendReply,
    Completion,
    FinishReason,
    OutputSlot,
    OutputToken,
    Prompt,
)
from docpipe.extractors.local.constrained.byte_tokenizer import llguidance_tokenizer
from docpipe.extractors.local.constrained.guided_generation import device_errors, generate
from docpipe.extractors.local.donut.grammar import TagGuide, TagNode
from docpipe.extractors.local.donut.tags import TagMapping, TagVocabulary, cell_schemas, find_task_token
from docpipe.extractors.local.models.processors import largest_image_side
from docpipe.extractors.local.token_texts import token_texts

MIN_PROBABILITY = 1e-9  # of which a logarithm is taken
MAX_LENGTH = 400  # characters of a value whose schema does not bound it


class DonutBackend:
    def __init__(self, name: str, model: Any, processor: Any) -> None:
        """Raises ModelError when nothing says which task the model was fine-tuned for."""
        self._name, self._model, self._processor = name, model, processor
        self._tokenizer = processor.tokenizer
        self._task_token = find_task_token(name, self._tokenizer, model)
        self._vocabulary = TagVocabulary.of(self._tokenizer, self._task_token, model.config.decoder.vocab_size)
        self._llguidance_tokenizer = llguidance_tokenizer(self._tokenizer)
        self._matchers: dict[str, LLMatcher] = {}  # by their regular expressions

    @property
    def name(self) -> str:
        return self._name

    sees_pictures = True
    reads_words = False  # it was trained to read a picture and nothing else

    @property
    def max_side(self) -> int:
        return largest_image_side(getattr(self._processor, "image_processor", None))

    def complete(self, prompts: Sequence[Prompt]) -> list[BackendReply | DocpipeError]:
        """A prompt of which the model knows no field has an empty reply where it knows another's. An error stands in
        the place of the document that it concerns."""
        mappings = [TagMapping(prompt.slots, self._vocabulary) for prompt in prompts]
        if not any(mapping.known_slots for mapping in mappings):
            return [self._unknown_schema_error() for _ in prompts]
        replies: list[BackendReply | DocpipeError] = []
        for prompt, mapping in zip(prompts, mappings, strict=True):
            try:
                replies.append(self._reply(prompt, mapping))
            except DocpipeError as error:
                replies.append(error)
        return replies

    def _reply(self, prompt: Prompt, mapping: TagMapping) -> BackendReply:
        if not mapping.known_slots:
            return BackendReply(())
        pages: list[TagGuide] = []
        image_tokens = 0
        for image in prompt.images:
            guide = TagGuide(self._vocabulary, mapping, self._new_matcher)
            image_tokens += self._read_page(image, guide)
            pages.append(guide)
        completions = tuple(self._completion(slot, pages) for slot in mapping.known_slots) if pages else ()
        tokens_out = sum(len(guide.tokens) for guide in pages)
        return BackendReply(completions, image_tokens + len(pages), image_tokens, tokens_out)

    def _read_page(self, image: Image, guide: TagGuide) -> int:
        """Fills the guide; how many tokens the image is."""
        pixels = self._processor(images=image, return_tensors="pt").pixel_values  # [1, 3, H, W]
        with torch.inference_mode(), device_errors():
            encoded = self._model.encoder(pixels.to(self._model.device, self._model.dtype))
        start = torch.tensor([[self._task_token]], device=self._model.device)
        max_tokens = self._model.config.decoder.max_position_embeddings - 1
        generate(self._model, {"encoder_outputs": encoded, "decoder_input_ids": start}, guide, max_tokens)
        return int(encoded.last_hidden_state.shape[1])

    def _new_matcher(self, value_schema: Mapping[str, Any]) -> LLMatcher:
        """Of the text of a value."""
        regex = _value_regex(value_schema)
        if regex not in self._matchers:
            matcher = LLMatcher(self._llguidance_tokenizer, LLMatcher.grammar_from_regex(regex), log_level=0)
            if matcher.is_error():
                raise SchemaError(f"no model can be held to the pattern {regex}: {matcher.get_error()}")
            self._matchers[regex] = matcher
        return self._matchers[regex].deep_copy()

    def _completion(self, slot: OutputSlot, pages: Sequence[TagGuide]) -> Completion:
        if slot.is_list:
            return self._list_completion(slot, pages)
        null_probability = math.prod(_null_probability(slot, guide) for guide in pages)
        outcomes = [_single_outcome(slot, guide) for guide in pages]
        whole = [outcome.node for outcome in outcomes if outcome.node is not None and outcome.finish == "complete"]
        value = next(filter(None, map(self._value_tokens, whole)), None)
        head = OutputToken("{" + json.dumps(slot.name) + ": ", 0.0)
        end = OutputToken("}", 0.0)
        if value is not None:
            return _joined(slot, "complete", [head, *value, end], null_probability)
        unfinished = [outcome for outcome in outcomes if outcome.finish != "complete"]
        if unfinished:
            begun = next((outcome.node for outcome in unfinished if outcome.node is not None), None)
            value = self._value_tokens(begun) if begun is not None else None
            return _joined(slot, unfinished[0].finish, [head, *(value or [])[:-1]])
        null = OutputToken("null", math.log(max(null_probability, MIN_PROBABILITY)))
        return _joined(slot, "complete", [head, null, end], null_probability)

    def _list_completion(self, slot: OutputSlot, pages: Sequence[TagGuide]) -> Completion:
        """Only rows that are whole; the list stays open where it was cut off."""
        tokens = [OutputToken("{" + json.dumps(slot.name) + ": [", 0.0)]
        cut_off: FinishReason | None = None
        for guide in pages:
            lists = [node for node in guide.root.descendants() if _is_target(node, slot, "")]
            finish = _finish(slot, guide, lists)
            cut_off = cut_off or (finish if finish != "complete" else None)
            for node in lists:
                is_whole = node.is_closed and slot.name not in guide.truncated
                for row in node.rows if is_whole else node.rows[:-1]:
                    row_tokens = self._row_tokens(slot, row)
                    separator = [OutputToken(", ", 0.0)] if row_tokens and len(tokens) > 1 else []
                    tokens += [*separator, *row_tokens]
        return _joined(slot, cut_off or "complete", tokens if cut_off else [*tokens, OutputToken("]}", 0.0)])

    def _row_tokens(self, slot: OutputSlot, row: Mapping[str, TagNode]) -> list[OutputToken]:
        """Empty where no cell has a value."""
        nodes = [inner for node in row.values() for inner in (node, *node.descendants())]
        tokens, before, is_empty = [], "{", True
        for cell in cell_schemas(slot):
            node = next((node for node in nodes if _is_target(node, slot, cell)), None)
            value = self._value_tokens(node) if node is not None else None
            is_empty = is_empty and value is None
            tokens += [OutputToken(f"{before}{json.dumps(cell)}: ", 0.0), *(value or [OutputToken("null", 0.0)])]
            before = ", "
        return [] if is_empty else [*tokens, OutputToken("}", 0.0)]

    def _value_tokens(self, node: TagNode) -> list[OutputToken] | None:
        """As a JSON string, its quotes apart; None where nothing but blanks stands there."""
        ids = [scored.token for scored in node.text_tokens]
        category = self._vocabulary.categories.get(ids[0]) if ids else None
        texts = [category] if category else token_texts(self._tokenizer, ids)
        text = "".join(texts)
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if not text.strip():
            return None
        tokens, position = [OutputToken('"', 0.0)], 0
        for token_text, scored in zip(texts, node.text_tokens, strict=True):
            kept = token_text[max(0, start - position) : max(0, end - position)]
            tokens.append(OutputToken(json.dumps(kept, ensure_ascii=False)[1:-1], scored.log_probability))
            position += len(token_text)
        return [*tokens, OutputToken('"', node.closing_log_probability)]

    def _unknown_schema_error(self) -> SchemaError:
        names = ", ".join(sorted(self._vocabulary.opening)) or "no fields"
        task = self._tokenizer.convert_ids_to_tokens(self._task_token)
        return SchemaError(
            f"{self._name} was fine-tuned for {task} and knows none of the schema's fields; it knows {names}",
            hint="Use a schema whose fields have these names (never --schema auto: it cannot tell sorts of documents"
            " apart), or another model.",
        )


def _value_regex(value_schema: Mapping[str, Any]) -> str:
    if "pattern" in value_schema:
        return str(value_schema["pattern"]).removeprefix("^").removesuffix("$")
    return rf"[^\x00-\x1f]{{1,{value_schema.get('maxLength', MAX_LENGTH)}}}"


@dataclass(frozen=True, slots=True)
class _SingleOutcome:
    """Where a page has the value of a single field, and whether that is whole."""

    node: TagNode | None
    finish: FinishReason


def _single_outcome(slot: OutputSlot, guide: TagGuide) -> _SingleOutcome:
    nodes = [node for node in guide.root.descendants() if _is_target(node, slot, "")]
    nodes.sort(key=lambda node: not node.text_tokens)  # a tag may come again where another has nothing in it
    return _SingleOutcome(nodes[0] if nodes else None, _finish(slot, guide, nodes[:1]))


def _finish(slot: OutputSlot, guide: TagGuide, nodes: Sequence[TagNode]) -> FinishReason:
    if slot.name in guide.truncated:
        return "length"
    if nodes and all(node.is_closed for node in nodes):
        return "complete"
    return guide.finish or "length"


def _null_probability(slot: OutputSlot, guide: TagGuide) -> float:
    """That a page has no value: its tag never came, or is empty."""
    node = _single_outcome(slot, guide).node
    unopened = guide.unopened_probabilities[slot.name]
    return unopened if node is None else unopened + (1.0 - unopened) * node.empty_probability


def _is_target(node: TagNode, slot: OutputSlot, cell: str) -> bool:
    return node.target is not None and node.target.slot.name == slot.name and node.target.cell == cell


def _joined(
    slot: OutputSlot, finish: FinishReason, tokens: Sequence[OutputToken], null_probability: float | None = None
) -> Completion:
    text = "".join(token.text for token in tokens)
    null_probabilities = {} if null_probability is None else {slot.name: null_probability}
    return Completion(text, (slot.name,), finish, tuple(tokens), null_probabilities)
