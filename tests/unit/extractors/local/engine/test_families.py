"""Every family of local models, on a real page: the engine against the model's own forward pass, token by token."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from transformers import LlavaConfig, MllamaConfig

from docpipe.extractors.generative.backend import Completion, Prompt
from docpipe.extractors.local.engine.backend import EngineBackend
from docpipe.extractors.local.models.family import attention_types, engine_supports
from tests.support.engine_reference import (
    CLOSE,
    SLOTS,
    assert_same,
    engine_backend,
    page,
    prompt,
    reference_completion,
    replies,
)
from tests.support.tiny_models import FAMILIES, tiny_model


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tiny_model_of_the_family_writes_json_that_fits_the_schema(family: str):
    assert engine_supports(tiny_model(family)[0].config)
    (reply,) = replies(engine_backend(family), prompt())
    values = {name: value for completion in reply.completions for name, value in json.loads(completion.text).items()}
    assert list(values) == [slot.name for slot in SLOTS]
    assert {completion.finish for completion in reply.completions} == {"complete"}
    assert 1 <= len(values["invoice_number"]) <= 10
    assert values["seller.name"] is None or 1 <= len(values["seller.name"]) <= 6
    assert float(values["gross_total"].replace(",", ".")) >= 0
    assert 1 <= len(values["line_items"]) <= 2
    assert 0 < reply.image_tokens < reply.tokens_in


@pytest.mark.parametrize("family", FAMILIES)
def test_side_by_side_is_what_the_model_itself_says_one_after_the_other(family: str):
    asked = prompt()
    (reply,) = replies(engine_backend(family), asked)
    for slot, completion in zip(SLOTS, reply.completions, strict=True):
        reference = reference_completion(family, asked, slot)
        assert_same(completion, reference)
        least = min(token.log_probability for token in reference.tokens)
        assert least < -CLOSE, "there was no choice: this shows nothing"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_of_documents_of_different_lengths_gives_what_each_alone_gives(family: str):
    batch = (
        prompt(),
        prompt(SLOTS[:1], pages=2, closing="Answer in JSON, and only with what is printed on the two pages."),
        prompt(SLOTS[2:], closing="JSON."),
    )
    together = replies(engine_backend(family), *batch)
    assert len({reply.tokens_in for reply in together}) == 3, "equal lengths: this shows nothing"
    for asked, reply in zip(batch, together, strict=True):
        (alone,) = replies(engine_backend(family), asked)
        assert (reply.tokens_in, reply.image_tokens) == (alone.tokens_in, alone.image_tokens)
        for completion, expected in zip(reply.completions, alone.completions, strict=True):
            assert_same(completion, expected)
            assert completion.null_probabilities == pytest.approx(expected.null_probabilities, abs=CLOSE)


def printed_values(completion: Completion) -> list[str]:
    """The texts in it, as they would be printed."""
    texts: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, str):
            texts.append(value)
        for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            collect(inner)

    collect(json.loads(completion.text))
    return texts


PAGE_LINES = (
    ("right", lambda texts: texts),
    ("half right", lambda texts: [text[: len(text) // 2 + 1] + '"\\ü7' for text in texts]),
    ("more than there is", lambda texts: [" ".join(texts), *(f"{text} and more" for text in texts)]),
    ("wrong", lambda _: ['Muster GmbH "\\" é', "Rechnung 2021-00417", "Summe 1.234,50 EUR"]),
)


@pytest.mark.parametrize("family", FAMILIES)
def test_drafts_change_no_answer_however_right_they_are(family: str):
    """The page's words are what the model writes itself, so drafts are accepted, accepted by half, or rejected."""
    plain = EngineBackend(f"hf:{family}", *tiny_model(family), draft_steps=0)
    drafting = EngineBackend(f"hf:{family}", *tiny_model(family), draft_steps=5)
    batch = [prompt(), prompt(pages=2, closing="Answer in JSON, and only with what is printed.")]
    expected = replies(plain, *batch)
    texts = [[text for completion in reply.completions for text in printed_values(completion)] for reply in expected]
    for name, lines_of in PAGE_LINES:
        with_lines = [replace(asked, page_lines=tuple(lines_of(own))) for asked, own in zip(batch, texts, strict=True)]
        for reply, other in zip(replies(drafting, *with_lines), expected, strict=True):
            for completion, without in zip(reply.completions, other.completions, strict=True):
                assert_same(completion, without, name)
                assert completion.null_probabilities == pytest.approx(without.null_probabilities, abs=CLOSE), name


LONG = "Read the invoice. " + " ".join(f"field {number}: total net amount in EUR;" for number in range(12))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_kept_of_a_prompts_prefix_changes_no_answer(family: str):
    def long_prompt(pages: int, closing: str) -> Prompt:
        return Prompt((LONG, *[page()] * pages, closing), SLOTS[:3])

    def fresh_backend() -> EngineBackend:
        return EngineBackend(f"hf:{family}", *tiny_model(family))

    batch = (
        long_prompt(1, "Answer in JSON."),
        long_prompt(2, "Only JSON."),
        long_prompt(1, "Answer in JSON, as it is printed."),
    )
    used = fresh_backend()
    # the prefix is kept of the first, which is padded
    used.complete([long_prompt(1, "JSON."), long_prompt(2, "Now answer in JSON.")])
    for asked, reply in zip(batch, replies(used, *batch), strict=True):
        (alone,) = replies(fresh_backend(), asked)
        assert (reply.tokens_in, reply.image_tokens) == (alone.tokens_in, alone.image_tokens)
        for completion, expected in zip(reply.completions, alone.completions, strict=True):
            assert_same(completion, expected)


@pytest.mark.parametrize("family", ["gemma3", "llava_next"])
def test_the_window_of_a_sliding_layer_is_shorter_than_the_prompt(family: str):
    """Or the tests above would not see whether the engine's masks slide."""
    text_config = tiny_model(family)[0].config.get_text_config()
    assert "sliding_attention" in attention_types(text_config)
    (reply,) = replies(engine_backend(family), prompt())
    assert reply.tokens_in > text_config.sliding_window


def test_a_family_that_was_not_tested_goes_through_generate():
    assert not engine_supports(MllamaConfig())
    assert not engine_supports(LlavaConfig(text_config={"model_type": "falcon"}))
    assert engine_supports(LlavaConfig(text_config={"model_type": "llama"}))
