"""What the engine is compared with: a model's own forward pass over the whole prompt for each token.

In: a family, a prompt, a slot. Out: the completion that greedy choice under the grammar gives, token after token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

import pypdfium2
import pytest
import torch
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from docpipe.extractors.generative.backend import (
    BackendReply,
    Completion,
    OutputSlot,
    OutputToken,
    Prompt,
    object_schema,
    slots_schema,
)
from docpipe.extractors.local.constrained.grammar import GrammarCompiler
from docpipe.extractors.local.constrained.token_masks import allowed_tokens
from docpipe.extractors.local.engine.backend import EngineBackend
from docpipe.extractors.local.models.family import ModelFamily
from docpipe.extractors.local.token_texts import token_texts
from tests.support.tiny_models import tiny_model

CLOSE = 1e-4  # of log-probabilities
FAMILY = "qwen2_5_vl"  # its heads share keys and values, and its positions are the least simple
TEXT = {"type": "string", "minLength": 1, "maxLength": 10}
NULLABLE = {"type": ["string", "null"], "minLength": 1, "maxLength": 6}
AMOUNT = {"type": "string", "pattern": "^[0-9]{1,4},[0-9]{2}$"}
SLOTS = (
    OutputSlot("invoice_number", TEXT, 40),
    OutputSlot("seller.name", NULLABLE, 40),
    OutputSlot("gross_total", AMOUNT, 40),
    OutputSlot(
        "line_items", {"type": "array", "items": object_schema({"amount": NULLABLE}), "minItems": 1, "maxItems": 2}, 80
    ),
)
# The type of the tokens that a family writes itself, where its processor gives types.
GENERATED_TYPE = {"token_type_ids": {"paligemma": 1}}


@cache
def page() -> Image.Image:
    """A drawn invoice, as it is rasterised."""
    pdf = BytesIO()
    canvas = Canvas(pdf, pagesize=(420, 595))
    for line, text in enumerate(("Muster GmbH", "Rechnung 2021-00417", "01.02.2021", "Summe 1.234,50 EUR")):
        canvas.drawString(40, 550 - 40 * line, text)
    canvas.save()
    with pypdfium2.PdfDocument(pdf.getvalue()) as document:
        return document[0].render(scale=0.6).to_pil().convert("RGB")


def prompt(slots: tuple[OutputSlot, ...] = SLOTS, *, pages: int = 1, closing: str = "Answer in JSON.") -> Prompt:
    return Prompt(("Read the invoice.", *[page()] * pages, closing), slots)


@cache
def engine_backend(family: str) -> EngineBackend:
    return EngineBackend(f"hf:{family}", *tiny_model(family))


def replies(backend: EngineBackend, *prompts: Prompt) -> list[BackendReply]:
    """None of them an error."""
    answered = backend.complete(prompts)
    assert all(isinstance(reply, BackendReply) for reply in answered), answered
    return answered  # type: ignore[return-value]


def reply_to(prompt: Prompt, family: str = FAMILY) -> BackendReply:
    (reply,) = replies(engine_backend(family), prompt)
    return reply


def fields(count: int, value_schema: dict[str, Any], max_tokens: int = 60) -> tuple[OutputSlot, ...]:
    """Slots that differ in their names alone."""
    return tuple(OutputSlot(f"field_{number}", value_schema, max_tokens) for number in range(count))


class ForwardPass(NamedTuple):
    """`width`: tokens of each document."""

    documents: int
    width: int


@contextmanager
def counted_passes(family: str = FAMILY) -> Iterator[list[ForwardPass]]:
    """Every pass through the part of the model that writes."""
    passes: list[ForwardPass] = []

    def count(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
        fed = kwargs.get("input_ids") if kwargs.get("inputs_embeds") is None else kwargs["inputs_embeds"]
        passes.append(ForwardPass(fed.shape[0], fed.shape[1]))

    handle = tiny_model(family)[0].get_decoder().register_forward_pre_hook(count, with_kwargs=True)
    yield passes
    handle.remove()


def assert_same(completion: Completion, expected: Completion, why: str = "") -> None:
    """The same tokens, and about as probable."""
    assert (completion.text, completion.finish) == (expected.text, expected.finish), why
    assert [token.text for token in completion.tokens] == [token.text for token in expected.tokens], why
    logs = [token.log_probability for token in expected.tokens]
    assert [token.log_probability for token in completion.tokens] == pytest.approx(logs, abs=CLOSE), why


def reference_completion(family: str, prompt: Prompt, slot: OutputSlot) -> Completion:
    """Without a cache, without a batch: the whole prompt with its images goes through the model's own forward pass for
    each token that there is a choice about."""
    model, processor = tiny_model(family)
    tensors = dict(ModelFamily(model, processor).encode([prompt]).tensors)
    del tensors["position_ids"]  # the model works them out itself
    grammar = GrammarCompiler(processor.tokenizer, model.config.get_text_config().vocab_size)
    matcher = grammar.compile(slots_schema([slot]))
    tokens = list(matcher.consume_forced())
    logs = [0.0] * len(tokens)
    while not matcher.is_complete:
        with torch.inference_mode():
            logits = model(**extended(tensors, tokens, model.config.model_type)).logits[0, -1]
        log_probabilities = logits.masked_fill(~allowed_tokens([matcher])[0], -torch.inf).log_softmax(-1)
        tokens.append(int(log_probabilities.argmax()))
        logs.append(float(log_probabilities.max()))
        matcher.consume(tokens[-1])
        forced = matcher.consume_forced()
        tokens += forced
        logs += [0.0] * len(forced)
    output = tuple(map(OutputToken, token_texts(processor.tokenizer, tokens), logs))
    return Completion("".join(token.text for token in output), (slot.name,), tokens=output)


def extended(tensors: Mapping[str, Any], tokens: list[int], model_type: str) -> dict[str, Any]:
    """The input of a forward pass with these tokens behind the prompt."""
    added = torch.tensor([tokens])
    added_by_name = {"input_ids": added, "attention_mask": torch.ones_like(added)}
    for name in ("token_type_ids", "mm_token_type_ids"):
        if name in tensors:
            added_by_name[name] = torch.full_like(added, GENERATED_TYPE.get(name, {}).get(model_type, 0))
    return {**tensors, **{name: torch.cat([tensors[name], more], 1) for name, more in added_by_name.items()}}
