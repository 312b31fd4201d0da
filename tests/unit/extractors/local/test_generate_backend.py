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
from docpipe.extractors.generative.backend import Question, Slot, Token, object_of
from docpipe.extractors.local.constrained.constrained_generate import spelled
from docpipe.extractors.local.generate_backend import PlainBackend, largest_side
from tests.support.tiny_models import built

TEXT = {"type": ["string", "null"], "minLength": 1, "maxLength": 12}
NUMBER = {"type": ["string", "null"], "pattern": '^[^0-9"\\\\\\n\\r\\t]{0,4}[0-9][^"\\\\\\n\\r\\t]{0,4}$'}
ROWS = {"type": "array", "items": object_of({"description": TEXT, "amount": NUMBER}), "maxItems": 2}
SLOTS = (
    Slot("invoice_number", TEXT, 60),
    Slot("items", ROWS, 200),
    Slot("seller.name", TEXT, 60),
    Slot("gross_total", NUMBER, 60),
)
FAMILIES = ["llava", "qwen2_5_vl", "smolvlm", "paligemma"]  # with a chat template and without, pictures of each sort


@pytest.fixture(scope="module")
def page() -> Image.Image:
    picture = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(picture).text((50, 50), "Invoice No 12\nTotal 1.234,50 EUR", fill="black", font_size=40)
    return picture


def asked(*pictures: Image.Image, wanted: tuple[Slot, ...] = SLOTS) -> Question:
    return Question(("Copy the values.", *pictures, "Answer with one JSON object."), wanted)


def plain(family: str, **kwargs) -> PlainBackend:
    return PlainBackend("hf:tiny", *built(family), **kwargs)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_is_json_of_the_schema(family, page):
    (reply,) = plain(family).answer([asked(page)])
    assert [one.slots for one in reply.written] == [("invoice_number", "seller.name", "gross_total"), ("items",)]
    for written in reply.written:
        assert written.finish == "complete"
        told = json.loads(written.text)
        assert tuple(told) == written.slots
        assert "".join(token.text for token in written.tokens) == written.text
    told = {key: value for one in reply.written for key, value in json.loads(one.text).items()}
    assert all(len(told[key] or "") <= 12 for key in ("invoice_number", "seller.name"))
    assert told["gross_total"] is None or any(sign.isdigit() for sign in told["gross_total"])
    assert len(told["items"]) <= 2 and all(list(row) == ["description", "amount"] for row in told["items"])
    assert reply.tokens_out == sum(len(one.tokens) for one in reply.written)
    assert 0 < reply.image_tokens < reply.tokens_in


def test_each_token_is_the_most_probable_of_those_that_fit(page):
    (reply,) = plain("qwen2_5_vl").answer([asked(page)])
    single, rows = reply.written
    assert all(token.log_probability <= 0.0 for one in reply.written for token in one.tokens)
    opening = single.tokens[: first_choice(single.tokens)]
    assert '{"invoice_number":'.startswith("".join(token.text for token in opening)) and len(opening) > 2
    assert any(token.log_probability < 0.0 for token in single.tokens)
    assert single.absent.keys() == {"invoice_number", "seller.name", "gross_total"} and not rows.absent


def first_choice(tokens: Sequence[Token]) -> int:
    return next(at for at, token in enumerate(tokens) if token.log_probability < 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_probability_of_null_is_that_of_the_first_token_of_the_value(family, page):
    for slot in (one for one in SLOTS if one.name != "items"):
        (reply,) = plain(family).answer([asked(page, wanted=(slot,))])
        (written,) = reply.written
        chosen = math.exp(written.tokens[first_choice(written.tokens)].log_probability)
        absent = written.absent[slot.name]
        if json.loads(written.text)[slot.name] is None:
            assert chosen - 1e-6 <= absent <= 1.0 + 1e-6
        else:
            assert 0.0 < absent <= 1.0 - chosen + 1e-6


def test_a_field_s_probability_of_null_is_told_behind_others_too(page):
    (reply,) = plain("llava").answer([asked(page)])
    first = SLOTS[0]
    (alone,) = plain("llava").answer([asked(page, wanted=(first,))])
    there, here = reply.written[0].absent[first.name], alone.written[0].absent[first.name]
    assert math.isclose(there, here, rel_tol=0.02)  # not the same: a token may be `null}`, where nothing follows
    assert all(0.0 < absent < 1.0 for absent in reply.written[0].absent.values())


def test_an_answer_is_cut_off_where_no_tokens_are_left(page):
    wanted = (Slot("items", {**ROWS, "minItems": 2}, 20), replace(SLOTS[0], tokens=4))
    (reply,) = plain("llava").answer([asked(page, wanted=wanted)])
    assert [(one.slots, one.finish) for one in reply.written] == [
        (("invoice_number",), "length"),
        (("items",), "length"),
    ]
    assert [len(one.tokens) for one in reply.written] == [4, 20]
    for written in reply.written:
        with pytest.raises(json.JSONDecodeError):
            json.loads(written.text)


def test_a_model_that_repeats_itself_is_stopped(page):
    model, processor = built("llava")
    word = processor.tokenizer.convert_tokens_to_ids("A")
    favourite = 1_000.0 * torch.nn.functional.one_hot(torch.tensor(word), model.config.text_config.vocab_size)
    hook = model.get_output_embeddings().register_forward_hook(lambda _, __, logits: logits + favourite)
    try:
        wanted = (Slot("invoice_number", {"type": "string", "maxLength": 400}, 420),)
        (reply,) = PlainBackend("hf:tiny", model, processor).answer([asked(page, wanted=wanted)])
    finally:
        hook.remove()
    (written,) = reply.written
    assert written.finish == "loop"
    assert 40 <= written.text.count("A") < 60, "neither earlier than a loop can be told, nor much later"


def test_without_a_grammar_the_model_writes_what_it_likes_about_all_slots(page):
    (reply,) = plain("qwen2_5_vl", grammar=False).answer([asked(page)])
    (written,) = reply.written
    assert written.slots == tuple(slot.name for slot in SLOTS)
    assert "".join(token.text for token in written.tokens) == written.text and written.text
    with pytest.raises(json.JSONDecodeError):
        json.loads(written.text)
    assert not written.absent


def test_the_text_of_a_free_answer_is_that_of_generate_itself(page):
    model, processor = built("qwen2_5_vl")
    backend = PlainBackend("hf:tiny", model, processor, grammar=False)
    (reply,) = backend.answer([asked(page)])
    content = [{"type": "text", "text": "Copy the values."}, {"type": "image", "image": page}]
    content.append({"type": "text", "text": "Answer with one JSON object."})
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip
    tokens = model.generate(**inputs, do_sample=False, max_new_tokens=sum(slot.tokens for slot in SLOTS))
    said = processor.tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :])
    assert reply.written[0].text == said.removesuffix(processor.tokenizer.eos_token)
    assert reply.tokens_in == inputs["input_ids"].shape[1]


def test_several_pages_and_none_are_asked_about(page):
    backend = plain("qwen2_5_vl")
    one, two, none = backend.answer([asked(page), asked(page, page), asked()])
    assert two.image_tokens == 2 * one.image_tokens and none.image_tokens == 0
    assert all(written.finish == "complete" for reply in (one, two, none) for written in reply.written)


def test_a_document_that_is_too_long_does_not_spoil_the_others(page):
    long = Question(("word " * 5_000, page), SLOTS[:1])
    error, reply = plain("llava").answer([long, asked(page, wanted=SLOTS[:1])])
    assert isinstance(error, TooLargeError) and "has room for 4096" in error.message
    assert not error.retryable, "a worker must not try it for hours"
    assert reply.written[0].finish == "complete"


def test_how_probable_null_is_is_known_of_fields_named_in_any_script(page):
    wanted = (Slot("größe", TEXT, 40), Slot("total", TEXT, 40))
    (reply,) = plain("qwen2_5_vl").answer([asked(page, wanted=wanted)])
    assert set(reply.written[0].absent) == {"größe", "total"}


def test_what_a_checkpoint_says_of_sampling_does_not_count(page):
    model, processor = built("llava")
    backend = PlainBackend("hf:tiny", model, processor)
    kept, expected = model.generation_config, backend.answer([asked(page)])
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=3.0, repetition_penalty=5.0, eos_token_id=kept.eos_token_id
    )
    try:
        assert backend.answer([asked(page)]) == expected
        assert model.generation_config.repetition_penalty == 5.0, "the model is given back as it was"
    finally:
        model.generation_config = kept


@pytest.mark.parametrize("text", ["Größe 5 €", "日本の請求書", "naïve 😀 ok", '{"a": "é"}'])
def test_characters_of_several_tokens_are_spelled_whole(text):
    tokenizer = built("qwen2_5_vl")[1].tokenizer
    tokens = [int(tokenizer.convert_tokens_to_ids(one)) for one in bytewise(tokenizer, text)]
    pieces = spelled(tokenizer, tokens)
    assert len(pieces) == len(tokens) > len(text) - 1
    assert "".join(pieces) == text and "\ufffd" not in "".join(pieces)
    half = spelled(tokenizer, tokenizer("€", add_special_tokens=False).input_ids[:1])
    assert "".join(half) in ("", "€"), "the half of a character is nobody's"


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
    assert largest_side(images) == side
    images.image_grid_pinpoints = [[384, 768], [2304, 384]]
    assert largest_side(images) == 2304
