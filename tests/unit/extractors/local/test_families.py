"""Every family of local models, on a real page: the engine against the model's own forward pass, token by token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from PIL import Image

from docpipe.extractors.generative.backend import Question, Reply, Slot, Written, object_of
from docpipe.extractors.local.constrained.constrained_generate import spelled
from docpipe.extractors.local.constrained.constraint import Grammar, allowed
from docpipe.extractors.local.engine.backend import LocalBackend
from docpipe.extractors.local.models.family import Family, is_fast, kinds_of_layers
from tests.support.tiny_models import FAMILIES, built

CLOSE = 1e-4
TEXT = {"type": "string", "minLength": 1, "maxLength": 10}
MAYBE = {"type": ["string", "null"], "minLength": 1, "maxLength": 6}
AMOUNT = {"type": "string", "pattern": "^[0-9]{1,4},[0-9]{2}$"}
SLOTS = (
    Slot("invoice_number", TEXT, 40),
    Slot("seller.name", MAYBE, 40),
    Slot("gross_total", AMOUNT, 40),
    Slot("line_items", {"type": "array", "items": object_of({"amount": MAYBE}), "minItems": 1, "maxItems": 2}, 80),
)
# What a family calls the tokens that it writes itself, where its processor counts kinds of tokens.
ITS_OWN = {"token_type_ids": {"paligemma": 1}}


@cache
def page() -> Image.Image:
    """A drawn invoice, as it is rasterised."""
    from io import BytesIO

    import pypdfium2
    from reportlab.pdfgen.canvas import Canvas

    drawn = BytesIO()
    canvas = Canvas(drawn, pagesize=(420, 595))
    for line, text in enumerate(("Muster GmbH", "Rechnung 2021-00417", "01.02.2021", "Summe 1.234,50 EUR")):
        canvas.drawString(40, 550 - 40 * line, text)
    canvas.save()
    with pypdfium2.PdfDocument(drawn.getvalue()) as document:
        return document[0].render(scale=0.6).to_pil().convert("RGB")


def question(slots: tuple[Slot, ...] = SLOTS, *, pages: int = 1, closing: str = "Answer in JSON.") -> Question:
    return Question(("Read the invoice.", *[page()] * pages, closing), slots)


@cache
def backend(family: str) -> LocalBackend:
    return LocalBackend(f"hf:{family}", *built(family))


def replies(family: str, *questions: Question) -> list[Reply]:
    answered = backend(family).answer(questions)
    assert all(isinstance(reply, Reply) for reply in answered), answered
    return answered  # type: ignore[return-value]


def from_scratch(family: str, asked: Question, slot: Slot) -> Written:
    """Slot by slot, token by token, without a cache, without a batch: the whole prompt with its pictures goes through
    the model's own forward pass for each token that there is a choice about."""
    model, processor = built(family)
    inputs = dict(Family(model, processor).prompt([asked]).inputs)
    del inputs["position_ids"]  # the model works them out itself
    grammar = Grammar(processor.tokenizer, model.config.get_text_config().vocab_size)
    writer = grammar.writer(object_of({slot.name: slot.value}))
    tokens = list(writer.forced())
    logs = [0.0] * len(tokens)
    while not writer.done:
        with torch.inference_mode():
            logits = model(**longer(inputs, tokens, model.config.model_type)).logits[0, -1]
        said = logits.masked_fill(~allowed([writer])[0], -torch.inf).log_softmax(-1)
        tokens.append(int(said.argmax()))
        logs.append(float(said.max()))
        writer.take(tokens[-1])
        forced = writer.forced()
        tokens += forced
        logs += [0.0] * len(forced)
    texts = spelled(processor.tokenizer, tokens)
    return Written("".join(texts), (slot.name,), tokens=tuple(zip(texts, logs, strict=True)))  # type: ignore[arg-type]


def longer(inputs: Mapping[str, Any], tokens: list[int], kind: str) -> dict[str, Any]:
    added = torch.tensor([tokens])
    grown = {"input_ids": added, "attention_mask": torch.ones_like(added)}
    for name in ("token_type_ids", "mm_token_type_ids"):
        if name in inputs:
            grown[name] = torch.full_like(added, ITS_OWN.get(name, {}).get(kind, 0))
    return {**inputs, **{name: torch.cat([inputs[name], more], 1) for name, more in grown.items()}}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tiny_model_of_the_family_writes_json_that_fits_the_schema(family: str):
    assert is_fast(built(family)[0].config)
    (reply,) = replies(family, question())
    values = {name: value for written in reply.written for name, value in json.loads(written.text).items()}
    assert list(values) == [slot.name for slot in SLOTS]
    assert {written.finish for written in reply.written} == {"complete"}
    assert 1 <= len(values["invoice_number"]) <= 10
    assert values["seller.name"] is None or 1 <= len(values["seller.name"]) <= 6
    assert float(values["gross_total"].replace(",", ".")) >= 0
    assert 1 <= len(values["line_items"]) <= 2
    assert 0 < reply.image_tokens < reply.tokens_in


@pytest.mark.parametrize("family", FAMILIES)
def test_side_by_side_is_what_the_model_itself_says_one_after_the_other(family: str):
    asked = question()
    (reply,) = replies(family, asked)
    for slot, written in zip(SLOTS, reply.written, strict=True):
        alone = from_scratch(family, asked, slot)
        assert written.text == alone.text
        assert [token.text for token in written.tokens] == [text for text, _ in alone.tokens]
        logs = [log for _, log in alone.tokens]
        assert [token.log_probability for token in written.tokens] == pytest.approx(logs, abs=CLOSE)
        assert min(logs) < -CLOSE, "there was no choice: this shows nothing"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_of_documents_of_different_lengths_gives_what_each_alone_gives(family: str):
    batch = (
        question(),
        question(SLOTS[:1], pages=2, closing="Answer in JSON, and only with what is printed on the two pages."),
        question(SLOTS[2:], closing="JSON."),
    )
    together = replies(family, *batch)
    assert len({reply.tokens_in for reply in together}) == 3, "equal lengths: this shows nothing"
    for asked, reply in zip(batch, together, strict=True):
        (alone,) = replies(family, asked)
        assert (reply.tokens_in, reply.image_tokens) == (alone.tokens_in, alone.image_tokens)
        for one, other in zip(reply.written, alone.written, strict=True):
            assert one.text == other.text
            assert one.absent == pytest.approx(other.absent, abs=CLOSE)
            logs = [token.log_probability for token in other.tokens]
            assert [token.log_probability for token in one.tokens] == pytest.approx(logs, abs=CLOSE)


def values(written: Written) -> list[str]:
    """The texts in it, as they would be printed."""
    found: list[str] = []

    def keep(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            keep(one)

    keep(json.loads(written.text))
    return found


GUESSED = (
    ("right", lambda texts: texts),
    ("half right", lambda texts: [text[: len(text) // 2 + 1] + '"\\ü7' for text in texts]),
    ("more than there is", lambda texts: [" ".join(texts), *(f"{text} and more" for text in texts)]),
    ("wrong", lambda _: ['Muster GmbH "\\" é', "Rechnung 2021-00417", "Summe 1.234,50 EUR"]),
)


@pytest.mark.parametrize("family", FAMILIES)
def test_guesses_change_no_answer_however_right_they_are(family: str):
    """The page's words are what the model writes itself, so guesses come true, come true by half, or do not."""
    plain = LocalBackend(f"hf:{family}", *built(family), guesses=0)
    guessing = LocalBackend(f"hf:{family}", *built(family), guesses=5)
    batch = [question(), question(pages=2, closing="Answer in JSON, and only with what is printed.")]
    expected = plain.answer(batch)
    texts = [[text for written in reply.written for text in values(written)] for reply in expected]  # type: ignore[union-attr]
    for name, words in GUESSED:
        told = [replace(asked, words=tuple(words(own))) for asked, own in zip(batch, texts, strict=True)]
        for one, other in zip(guessing.answer(told), expected, strict=True):
            assert isinstance(one, Reply) and isinstance(other, Reply), name
            for mine, its in zip(one.written, other.written, strict=True):
                assert (mine.text, mine.finish) == (its.text, its.finish), name
                assert [token.text for token in mine.tokens] == [token.text for token in its.tokens], name
                logs = [token.log_probability for token in its.tokens]
                assert [token.log_probability for token in mine.tokens] == pytest.approx(logs, abs=CLOSE), name
                assert mine.absent == pytest.approx(its.absent, abs=CLOSE), name


LONG = "Read the invoice. " + " ".join(f"field {number}: total net amount in EUR;" for number in range(12))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_kept_of_the_prompts_beginning_changes_no_answer(family: str):
    def about(pages: int, closing: str) -> Question:
        return Question((LONG, *[page()] * pages, closing), SLOTS[:3])

    batch = (about(1, "Answer in JSON."), about(2, "Only JSON."), about(1, "Answer in JSON, as it is printed."))
    used = LocalBackend(f"hf:{family}", *built(family))
    used.answer([about(1, "JSON."), about(2, "Now answer in JSON.")])  # kept of the first, which is padded
    for asked, reply in zip(batch, used.answer(batch), strict=True):
        (alone,) = LocalBackend(f"hf:{family}", *built(family)).answer([asked])
        assert isinstance(reply, Reply) and isinstance(alone, Reply)
        assert (reply.tokens_in, reply.image_tokens) == (alone.tokens_in, alone.image_tokens)
        for one, other in zip(reply.written, alone.written, strict=True):
            assert one.text == other.text
            logs = [token.log_probability for token in other.tokens]
            assert [token.log_probability for token in one.tokens] == pytest.approx(logs, abs=CLOSE)


@pytest.mark.parametrize("family", ["gemma3", "llava_next"])
def test_the_window_of_a_sliding_layer_is_shorter_than_the_prompt(family: str):
    """Or the tests above would not see whether the engine's masks slide."""
    text = built(family)[0].config.get_text_config()
    assert "sliding_attention" in kinds_of_layers(text)
    (reply,) = replies(family, question())
    assert reply.tokens_in > text.sliding_window


def test_a_family_that_was_not_tested_takes_the_plain_path():
    from transformers import LlavaConfig, MllamaConfig

    assert not is_fast(MllamaConfig())
    assert not is_fast(LlavaConfig(text_config={"model_type": "falcon"}))
    assert is_fast(LlavaConfig(text_config={"model_type": "llama"}))
