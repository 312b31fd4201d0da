"""The plain path: transformers' own `generate`, held to the schema, for models that the fast engine does not know."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw
from transformers import GenerationConfig

from docpipe.errors import TooLargeError
from docpipe.extractors.generative.backend import OutputSlot, OutputToken, Prompt, object_schema
from docpipe.extractors.local.generate.backend import GenerateBackend
from docpipe.extractors.local.models.processors import largest_image_side
from docpipe.extractors.local.token_texts import token_texts
from tests.support.tiny_models import tiny_model

TEXT = {"type": ["string", "null"], "minLength": 1, "maxLength": 12}
NUMBER = {"type": ["string", "null"], "pattern": '^[^0-9"\\\\\\n\\r\\t]{0,4}[0-9][^"\\\\\\n\\r\\t]{0,4}$'}
ROWS = {"type": "array", "items": object_schema({"description": TEXT, "amount": NUMBER}), "maxItems": 2}
SLOTS = (
    OutputSlot("invoice_number", TEXT, 60),
    OutputSlot("items", ROWS, 200),
    OutputSlot("seller.name", TEXT, 60),
    OutputSlot("gross_total", NUMBER, 60),
)
FAMILIES = ["llava", "qwen2_5_vl", "smolvlm", "paligemma"]  # with a chat template and without, pictures of each sort


@pytest.fixture(scope="module")
def page() -> Image.Image:
    image = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(image).text((50, 50), "Invoice No 12\nTotal 1.234,50 EUR", fill="black", font_size=40)
    return image


def prompt(*images: Image.Image, slots: tuple[OutputSlot, ...] = SLOTS) -> Prompt:
    return Prompt(("Copy the values.", *images, "Answer with one JSON object."), slots)


def backend_of(family: str, **kwargs) -> GenerateBackend:
    return GenerateBackend("hf:tiny", *tiny_model(family), **kwargs)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_is_json_of_the_schema(family, page):
    (reply,) = backend_of(family).complete([prompt(page)])
    assert [completion.slot_names for completion in reply.completions] == [
        ("invoice_number", "seller.name", "gross_total"),
        ("items",),
    ]
    for completion in reply.completions:
        assert completion.finish == "complete"
        values = json.loads(completion.text)
        assert tuple(values) == completion.slot_names
        assert "".join(token.text for token in completion.tokens) == completion.text
    values = {key: value for completion in reply.completions for key, value in json.loads(completion.text).items()}
    assert all(len(values[key] or "") <= 12 for key in ("invoice_number", "seller.name"))
    assert values["gross_total"] is None or any(sign.isdigit() for sign in values["gross_total"])
    assert len(values["items"]) <= 2 and all(list(row) == ["description", "amount"] for row in values["items"])
    assert reply.tokens_out == sum(len(completion.tokens) for completion in reply.completions)
    assert 0 < reply.image_tokens < reply.tokens_in


def test_each_token_is_the_most_probable_of_those_that_fit(page):
    (reply,) = backend_of("qwen2_5_vl").complete([prompt(page)])
    singles, rows = reply.completions
    assert all(token.log_probability <= 0.0 for completion in reply.completions for token in completion.tokens)
    opening = singles.tokens[: first_choice(singles.tokens)]
    assert '{"invoice_number":'.startswith("".join(token.text for token in opening)) and len(opening) > 2
    assert any(token.log_probability < 0.0 for token in singles.tokens)
    assert singles.null_probabilities.keys() == {"invoice_number", "seller.name", "gross_total"}
    assert not rows.null_probabilities


def first_choice(tokens: Sequence[OutputToken]) -> int:
    return next(at for at, token in enumerate(tokens) if token.log_probability < 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_probability_of_null_is_that_of_the_first_token_of_the_value(family, page):
    for slot in (slot for slot in SLOTS if slot.name != "items"):
        (reply,) = backend_of(family).complete([prompt(page, slots=(slot,))])
        (completion,) = reply.completions
        probability = math.exp(completion.tokens[first_choice(completion.tokens)].log_probability)
        null_probability = completion.null_probabilities[slot.name]
        if json.loads(completion.text)[slot.name] is None:
            assert probability - 1e-6 <= null_probability <= 1.0 + 1e-6
        else:
            assert 0.0 < null_probability <= 1.0 - probability + 1e-6


def test_a_field_s_probability_of_null_is_told_behind_others_too(page):
    (reply,) = backend_of("llava").complete([prompt(page)])
    first = SLOTS[0]
    (alone,) = backend_of("llava").complete([prompt(page, slots=(first,))])
    together, by_itself = (each.completions[0].null_probabilities[first.name] for each in (reply, alone))
    # not the same: a token may be `null}`, where nothing follows
    assert math.isclose(together, by_itself, rel_tol=0.02)
    assert all(0.0 < probability < 1.0 for probability in reply.completions[0].null_probabilities.values())


def test_an_answer_is_cut_off_where_no_tokens_are_left(page):
    slots = (OutputSlot("items", {**ROWS, "minItems": 2}, 20), replace(SLOTS[0], max_tokens=4))
    (reply,) = backend_of("llava").complete([prompt(page, slots=slots)])
    assert [(completion.slot_names, completion.finish) for completion in reply.completions] == [
        (("invoice_number",), "length"),
        (("items",), "length"),
    ]
    assert [len(completion.tokens) for completion in reply.completions] == [4, 20]
    for completion in reply.completions:
        with pytest.raises(json.JSONDecodeError):
            json.loads(completion.text)


def test_a_model_that_repeats_itself_is_stopped(page):
    model, processor = tiny_model("llava")
    word = processor.tokenizer.convert_tokens_to_ids("A")
    favourite = 1_000.0 * torch.nn.functional.one_hot(torch.tensor(word), model.config.text_config.vocab_size)
    hook = model.get_output_embeddings().register_forward_hook(lambda _, __, logits: logits + favourite)
    try:
        slots = (OutputSlot("invoice_number", {"type": "string", "maxLength": 400}, 420),)
        (reply,) = GenerateBackend("hf:tiny", model, processor).complete([prompt(page, slots=slots)])
    finally:
        hook.remove()
    (completion,) = reply.completions
    assert completion.finish == "loop"
    assert 40 <= completion.text.count("A") < 60, "neither earlier than a loop can be told, nor much later"


def test_without_a_grammar_the_model_writes_what_it_likes_about_all_slots(page):
    (reply,) = backend_of("qwen2_5_vl", grammar=False).complete([prompt(page)])
    (completion,) = reply.completions
    assert completion.slot_names == tuple(slot.name for slot in SLOTS)
    assert "".join(token.text for token in completion.tokens) == completion.text and completion.text
    with pytest.raises(json.JSONDecodeError):
        json.loads(completion.text)
    assert not completion.null_probabilities


def test_the_text_of_a_free_answer_is_that_of_generate_itself(page):
    model, processor = tiny_model("qwen2_5_vl")
    backend = GenerateBackend("hf:tiny", model, processor, grammar=False)
    (reply,) = backend.complete([prompt(page)])
    content = [{"type": "text", "text": "Copy the values."}, {"type": "image", "image": page}]
    content.append({"type": "text", "text": "Answer with one JSON object."})
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip
    tokens = model.generate(**inputs, do_sample=False, max_new_tokens=sum(slot.max_tokens for slot in SLOTS))
    generated = processor.tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :])
    assert reply.completions[0].text == generated.removesuffix(processor.tokenizer.eos_token)
    assert reply.tokens_in == inputs["input_ids"].shape[1]


def test_several_pages_and_none_are_asked_about(page):
    backend = backend_of("qwen2_5_vl")
    one_page, two_pages, no_page = backend.complete([prompt(page), prompt(page, page), prompt()])
    assert two_pages.image_tokens == 2 * one_page.image_tokens and no_page.image_tokens == 0
    for reply in (one_page, two_pages, no_page):
        assert all(completion.finish == "complete" for completion in reply.completions)


def test_a_document_that_is_too_long_does_not_spoil_the_others(page):
    long = Prompt(("word " * 5_000, page), SLOTS[:1])
    error, reply = backend_of("llava").complete([long, prompt(page, slots=SLOTS[:1])])
    assert isinstance(error, TooLargeError) and "has room for 4096" in error.message
    assert not error.retryable, "a worker must not try it for hours"
    assert reply.completions[0].finish == "complete"


def test_how_probable_null_is_is_known_of_fields_named_in_any_script(page):
    slots = (OutputSlot("größe", TEXT, 40), OutputSlot("total", TEXT, 40))
    (reply,) = backend_of("qwen2_5_vl").complete([prompt(page, slots=slots)])
    assert set(reply.completions[0].null_probabilities) == {"größe", "total"}


def test_what_a_checkpoint_says_of_sampling_does_not_count(page):
    model, processor = tiny_model("llava")
    backend = GenerateBackend("hf:tiny", model, processor)
    kept, expected = model.generation_config, backend.complete([prompt(page)])
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=3.0, repetition_penalty=5.0, eos_token_id=kept.eos_token_id
    )
    try:
        assert backend.complete([prompt(page)]) == expected
        assert model.generation_config.repetition_penalty == 5.0, "the model is given back as it was"
    finally:
        model.generation_config = kept


@pytest.mark.parametrize("text", ["Größe 5 €", "日本の請求書", "naïve 😀 ok", '{"a": "é"}'])
def test_characters_of_several_tokens_are_spelled_whole(text):
    tokenizer = tiny_model("qwen2_5_vl")[1].tokenizer
    tokens = [int(tokenizer.convert_tokens_to_ids(token)) for token in bytewise(tokenizer, text)]
    texts = token_texts(tokenizer, tokens)
    assert len(texts) == len(tokens) > len(text) - 1
    assert "".join(texts) == text and "\ufffd" not in "".join(texts)
    half_texts = token_texts(tokenizer, tokenizer("€", add_special_tokens=False).input_ids[:1])
    assert "".join(half_texts) in ("", "€"), "the half of a character is nobody's"


def bytewise(tokenizer, text: str) -> list[str]:
    """The tokens of single bytes: as many tokens as a text can have."""
    (pieces,) = [tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    return [sign for piece, _ in pieces for sign in piece]


@pytest.mark.parametrize(
    ("size", "side"),
    [
        ({"height": 336, "width": 224}, 336),
        ({"longest_edge": 1456}, 1456),
        ({"shortest_edge": 56 * 56, "longest_edge": 1280 * 28 * 28}, 1001),  # pixels, not sides
        ({}, 1280),
    ],
)
def test_the_largest_side_is_what_the_processor_leaves(size, side):
    class Images:
        pass

    images = Images()
    images.size = size
    assert largest_image_side(images) == side
    images.image_grid_pinpoints = [[384, 768], [2304, 384]]
    assert largest_image_side(images) == 2304
