"""Donut: tags that always become JSON of the schema, however little the model has learnt."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import pytest
import torch
from PIL import Image, ImageDraw
from pydantic import BaseModel

from docpipe.data import Page
from docpipe.errors import ModelError, SchemaError
from docpipe.extractors.generative.backend import Completion, OutputSlot, Prompt
from docpipe.extractors.generative.output_schema import output_slots
from docpipe.extractors.generative.picture_extractor import PictureExtractor
from docpipe.extractors.local.choose import local_backend
from docpipe.extractors.local.donut.backend import DonutBackend
from docpipe.schema import load_schema
from docpipe.schemas.kinds import Identifier, Money, Name, Text
from tests.support.page_images import KeptImage
from tests.support.tiny_donut import FIELDS, HEIGHT, TASK, overfitted_donut, save_tiny_donut, tiny_donut


class Row(BaseModel):
    description: Annotated[str | None, Text()] = None
    amount: Annotated[Decimal | None, Money()] = None


class Seller(BaseModel):
    name: Annotated[str | None, Name()] = None


class Slip(BaseModel):
    invoice_number: Annotated[str | None, Identifier()] = None
    items: list[Row] = []
    seller: Seller = Seller()
    gross_total: Annotated[Decimal | None, Money()] = None


SLIP = load_schema(Slip)


def draw_page(*lines: str, stripe: bool = False) -> Image.Image:
    image = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        draw.text((40, 40 + 120 * place), line, fill="black", font_size=70)
    if stripe:
        draw.rectangle((0, 0, 600, 300), fill="black")
    return image


FIRST = draw_page('No 12 "A"', "Paper 100,00", "1", "EUR 1.234,50")
SECOND = draw_page("", "", "", "Ink 3", stripe=True)
FIRST_TAGS = (
    '<s_invoice_number>12 "A"</s_invoice_number><s_items><s_description>Paper é</s_description>'
    "<s_amount>100,00</s_amount><sep/><s_amount>1</s_amount></s_items>"
    "<s_shop><s_gross_total>EUR 1.234,50</s_gross_total></s_shop>"
)
SECOND_TAGS = (
    "<s_shop>Lot 1<sep/>Lot 2</s_shop><s_items><s_description>Ink</s_description><s_amount>3</s_amount></s_items>"
    "<s_gross_total></s_gross_total>"
)
ROWS = [{"description": "Paper é", "amount": "100,00"}, {"description": None, "amount": "1"}]
INK = [{"description": "Ink", "amount": "3"}]


@pytest.fixture(scope="module")
def donut() -> DonutBackend:
    """One that has learnt two pages by heart."""
    return DonutBackend("hf:tiny", *overfitted_donut([(FIRST, FIRST_TAGS), (SECOND, SECOND_TAGS)]))


SLOTS = output_slots(SLIP)


def prompt(*images: Image.Image, slots: tuple[OutputSlot, ...] = SLOTS) -> Prompt:
    return Prompt(("Copy the values.", *images, "Answer."), slots)


def completions(backend: DonutBackend, *images: Image.Image, **kwargs) -> dict[str, Completion]:
    """By the name of their slot."""
    (reply,) = backend.complete([prompt(*images, **kwargs)])
    return {completion.slot_names[0]: completion for completion in reply.completions}


def values(by_slot: dict[str, Completion]) -> dict[str, object]:
    return {key: value for completion in by_slot.values() for key, value in json.loads(completion.text).items()}


def with_max_tokens(name: str, max_tokens: int) -> tuple[OutputSlot, ...]:
    """The slots, one of them with fewer tokens."""
    return tuple(replace(slot, max_tokens=max_tokens) if slot.name == name else slot for slot in SLOTS)


def fits(slot: OutputSlot, value: object) -> bool:
    if slot.value_schema["type"] == "array":
        cells = slot.value_schema["items"]["properties"]
        return all(
            list(row) == list(cells) and all(fits(OutputSlot(c, cells[c], 0), row[c]) for c in cells) for row in value
        )
    text = isinstance(value, str) and 0 < len(value) <= slot.value_schema.get("maxLength", 61)
    return value is None or (text and ("pattern" not in slot.value_schema or any(sign.isdigit() for sign in value)))


def test_tags_become_the_values_of_the_schema(donut):
    assert values(completions(donut, FIRST)) == {
        "invoice_number": '12 "A"', "items": ROWS, "gross_total": "EUR 1.234,50",
    }  # fmt: skip


def test_the_picture_decides_what_is_read(donut):
    assert values(completions(donut, SECOND)) == {"invoice_number": None, "items": INK, "gross_total": None}


def test_a_field_that_the_model_has_no_tag_for_is_not_answered(donut):
    assert "seller.name" not in completions(donut, FIRST)


def test_of_several_pages_the_first_value_counts_and_rows_follow_each_other(donut):
    both = values(completions(donut, SECOND, FIRST))
    assert both == {"invoice_number": '12 "A"', "items": [*INK, *ROWS], "gross_total": "EUR 1.234,50"}
    assert values(completions(donut, FIRST, FIRST))["items"] == [*ROWS, *ROWS]


def test_tokens_are_the_text_and_what_the_schema_forces_costs_nothing(donut):
    for completion in completions(donut, FIRST).values():
        assert "".join(token.text for token in completion.tokens) == completion.text
        assert all(token.log_probability <= 0.0 for token in completion.tokens)
        assert completion.tokens[0].log_probability == 0.0


def test_absence_is_likely_where_nothing_stands(donut):
    there, missing = completions(donut, FIRST), completions(donut, SECOND)
    assert there["invoice_number"].null_probabilities["invoice_number"] < 0.1
    assert missing["invoice_number"].null_probabilities["invoice_number"] > 0.9
    assert missing["gross_total"].null_probabilities["gross_total"] > 0.9, "its tag was written, with nothing in it"


def test_the_cost_counts_every_page(donut):
    (one_page,), (two_pages,) = donut.complete([prompt(FIRST)]), donut.complete([prompt(FIRST, FIRST)])
    assert (two_pages.tokens_in, two_pages.image_tokens, two_pages.tokens_out) == (
        2 * one_page.tokens_in, 2 * one_page.image_tokens, 2 * one_page.tokens_out,
    )  # fmt: skip
    assert one_page.tokens_in == one_page.image_tokens + 1 and one_page.tokens_out > 20


def test_a_value_that_runs_out_of_tokens_is_cut_off_and_says_so(donut):
    slots = with_max_tokens("invoice_number", 3)
    cut = completions(donut, FIRST, slots=slots)["invoice_number"]
    assert cut.finish == "length"
    assert cut.text == '{"invoice_number": "12'


def test_a_list_that_runs_out_of_tokens_keeps_its_whole_rows(donut):
    slots = with_max_tokens("items", 17)
    cut = completions(donut, FIRST, slots=slots)["items"]
    assert cut.finish == "length"
    assert json.loads(cut.text + "]}") == {"items": ROWS[:1]}


def test_a_cut_off_page_does_not_spoil_what_another_page_says(donut):
    slots = with_max_tokens("invoice_number", 3)
    assert completions(donut, SECOND, FIRST, slots=slots)["invoice_number"].finish == "length"
    assert values(completions(donut, SECOND, FIRST))["invoice_number"] == '12 "A"'


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_model_writes_is_json_of_the_schema_or_no_success(seed):
    expected = {slot.name: slot for slot in SLOTS}
    by_slot = completions(DonutBackend("hf:tiny", *tiny_donut(seed=seed)), FIRST)
    assert by_slot.keys() == {"invoice_number", "items", "gross_total"}
    for name, completion in by_slot.items():
        assert "".join(token.text for token in completion.tokens) == completion.text
        if completion.finish == "complete":
            value = json.loads(completion.text)
            assert list(value) == [name] and fits(expected[name], value[name])
        else:
            with pytest.raises(json.JSONDecodeError):
                json.loads(completion.text)


def fond_of(word: str, *fields: str) -> DonutBackend:
    """It writes this word wherever that may stand, and then rather a field than the end."""
    model, processor = tiny_donut.__wrapped__(fields)
    liking = torch.zeros(model.config.decoder.vocab_size)
    liking[processor.tokenizer.convert_tokens_to_ids(word)] = 1_000.0
    liking[[processor.tokenizer.convert_tokens_to_ids(f"<s_{name}>") for name in fields]] = 500.0
    model.decoder.get_output_embeddings().register_forward_hook(lambda _, __, logits: logits + liking)
    return DonutBackend("hf:tiny", model, processor)


def test_a_number_is_held_to_its_pattern():
    number = OutputSlot("gross_total", {"type": ["string", "null"], "pattern": "^[^0-9]{0,4}[0-9][^0-9]{0,5}$"}, 60)
    (completion,) = completions(fond_of("A", "gross_total"), FIRST, slots=(number,)).values()
    assert completion.finish == "complete"
    assert re.fullmatch("AAAA[0-9]AAAAA", json.loads(completion.text)["gross_total"]), "with a digit, and no longer"


def test_a_model_that_repeats_itself_is_stopped():
    backend = fond_of("A", "invoice_number", "gross_total")
    by_slot = completions(backend, FIRST, slots=tuple(replace(slot, max_tokens=1_000) for slot in SLOTS))
    assert by_slot["invoice_number"].finish == "loop" and by_slot["invoice_number"].text.endswith("A")
    assert by_slot["gross_total"].finish in ("complete", "loop")


def test_a_schema_of_other_names_is_refused_with_those_that_the_model_knows():
    class Other(BaseModel):
        colour: Annotated[str | None, Text()] = None

    backend = DonutBackend("hf:tiny", *tiny_donut())
    (error,) = backend.complete([prompt(FIRST, slots=output_slots(load_schema(Other)))])
    assert isinstance(error, SchemaError)
    assert f"{TASK} and knows none" in error.message
    assert all(name in error.message for name in FIELDS)
    assert "Use a schema whose fields have these names" in error.hint


def test_a_question_about_other_fields_does_not_spoil_the_document(donut):
    unknown = tuple(slot for slot in SLOTS if slot.name == "seller.name")
    empty, reply = donut.complete([prompt(FIRST, slots=unknown), prompt(FIRST)])
    assert empty.completions == () and len(reply.completions) == 3


def test_a_tag_is_the_last_part_of_a_path_unless_two_paths_end_alike():
    class Buyer(BaseModel):
        name: Annotated[str | None, Name()] = None

    class Both(BaseModel):
        seller: Seller = Seller()
        buyer: Buyer = Buyer()

    def known(schema: type[BaseModel], *fields: str) -> list[str]:
        (reply,) = DonutBackend("hf:tiny", *tiny_donut(fields)).complete(
            [prompt(FIRST, slots=output_slots(load_schema(schema)))]
        )
        return [] if isinstance(reply, SchemaError) else [completion.slot_names[0] for completion in reply.completions]

    assert known(Slip, "name") == ["seller.name"]
    assert known(Both, "name") == []
    assert known(Both, "name", "buyer") == ["buyer.name"]


def test_the_task_is_the_tag_that_stands_alone_or_what_the_configuration_says():
    assert completions(DonutBackend("hf:tiny", *tiny_donut(tasks=("<s_iitcdip>", TASK))), FIRST)
    model, processor = tiny_donut.__wrapped__(tasks=("<s_one>", "<s_two>"))
    with pytest.raises(ModelError, match="one of <s_one>, <s_two>") as caught:
        DonutBackend("hf:tiny", model, processor)
    assert "decoder_start_token_id" in caught.value.hint
    model.generation_config.decoder_start_token_id = processor.tokenizer.convert_tokens_to_ids("<s_two>")
    assert completions(DonutBackend("hf:tiny", model, processor), FIRST)


def test_what_a_checkpoint_says_of_sampling_does_not_count():
    model, processor = tiny_donut.__wrapped__()
    plain = completions(DonutBackend("hf:tiny", model, processor), FIRST)
    model.generation_config.update(do_sample=True, num_beams=2, repetition_penalty=9.0, forced_eos_token_id=2)
    assert completions(DonutBackend("hf:tiny", model, processor), FIRST) == plain
    assert model.generation_config.num_beams == 2, "the model is given back as it was"


def test_the_folder_of_a_donut_is_loaded_and_answers_the_same(tmp_path):
    torch.manual_seed(0)
    loaded = local_backend(str(save_tiny_donut(tmp_path / "donut")), threads=1)
    assert isinstance(loaded, DonutBackend)
    assert loaded.max_side == HEIGHT
    by_slot = completions(loaded, FIRST)
    expected = completions(DonutBackend("hf:tiny", *tiny_donut()), FIRST)
    assert {name: completion.text for name, completion in by_slot.items()} == {
        name: completion.text for name, completion in expected.items()
    }


def test_its_answer_is_like_that_of_any_other_extractor(donut):
    pages = [Page(1, 600, 800, 72.0, KeptImage(FIRST)), Page(2, 600, 800, 72.0, KeptImage(SECOND))]
    answer = PictureExtractor(donut).extract(pages, SLIP)
    assert {candidate.path: candidate.text for candidate in answer.candidates} == {
        "invoice_number": '12 "A"', "items[0].description": "Paper é", "items[0].amount": "100,00",
        "items[1].amount": "1", "items[2].description": "Ink", "items[2].amount": "3", "gross_total": "EUR 1.234,50",
    }  # fmt: skip
    assert all(0.5 < candidate.score <= 1.0 for candidate in answer.candidates)
    assert [issue.code for issue in answer.issues] == ["not_answered"]
    assert "seller.name" in answer.issues[0].message
    assert answer.finish == "complete" and math.isclose(answer.absent["seller.name"], 0.0)
