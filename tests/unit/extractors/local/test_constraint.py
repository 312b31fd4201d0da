"""Answers that always fit their schema, whatever the model would rather say: here it says things at random."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import torch

from docpipe.errors import AnswerError, SchemaError
from docpipe.extractors.generative.backend import object_of
from docpipe.extractors.generative.output_schema import slots
from docpipe.extractors.local.constrained.constraint import Grammar, Writer, allowed, unpacked_there
from docpipe.extractors.local.constrained.schema_bounds import NUMBER_MOST
from docpipe.schema import load_schema
from tests.support.tokenizers_of_families import KINDS, SPECIAL, TAGS, tokenizer_of

NULLABLE = {"type": ["string", "null"], "maxLength": 40}
ROW = object_of({"name": NULLABLE, "net": {"type": ["string", "null"], "pattern": "^[0-9]{1,4},[0-9]{2}$"}})
VALUES: dict[str, dict[str, Any]] = {
    "nullable": NULLABLE,
    "enum": {"enum": ["EUR", "USD", None, 7]},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{2,5}$"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "email": {"type": "string", "format": "email"},
    "uuid": {"type": "string", "format": "uuid"},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": "number", "minimum": 0},
    "boolean": {"type": "boolean"},
    "rows": {"type": "array", "items": ROW, "maxItems": 3},
    "nested": object_of({"a": object_of({"b é\n": object_of({"c": NULLABLE})}), "d": {"type": "null"}}),
    "either": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}]},
}
EXTRA = 37  # logits beyond the tokenizer's tokens
LEAP_DAY = re.compile("-02-29")  # the formats let it be in any year


@cache
def _grammar(kind: str = "byte-level") -> Grammar:
    return Grammar(tokenizer_of(kind), len(tokenizer_of(kind)) + EXTRA)


def _written(writer: Writer, choose: Callable[[torch.Tensor], int], most: int = 2000) -> list[int]:
    """As the engine does it."""
    tokens = writer.forced()
    while not writer.done and len(tokens) < most:
        token = choose(allowed([writer])[0])
        writer.take(token)
        tokens += [token, *writer.forced()]
    return tokens


def _at_random(seed: int) -> Callable[[torch.Tensor], int]:
    draw = torch.Generator().manual_seed(seed)

    def choose(mask: torch.Tensor) -> int:
        return int(torch.rand(len(mask), generator=draw).masked_fill(~mask, -1).argmax())

    return choose


def _text(tokens: list[int], kind: str = "byte-level") -> str:
    return str(tokenizer_of(kind).decode(tokens, clean_up_tokenization_spaces=False))


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    return bool(jsonschema_rs.validator_for(dict(schema), validate_formats=True).is_valid(value))


@pytest.mark.parametrize("kind", ["byte-level", "sentencepiece"])
@pytest.mark.parametrize("name", VALUES)
def test_what_is_said_at_random_is_json_that_fits(name: str, kind: str) -> None:
    schema = object_of({name: VALUES[name]})
    for seed in range(12):
        writer = _grammar(kind).writer(schema)
        text = _text(_written(writer, _at_random(seed)), kind)
        assert writer.done, text
        value = json.loads(text)
        assert _fits(schema, value) or LEAP_DAY.search(text), text
        assert len(text) < 1000 or name == "number"  # the schema bounds its size, not its decimals


@pytest.mark.parametrize("name", ["invoice", "receipt", "form"])
def test_the_shipped_schemas_are_kept_to(name: str) -> None:
    schema = load_schema(name)
    for slot in slots(schema):
        value = {**slot.value, "maxItems": 2} if slot.value["type"] == "array" else slot.value
        asked = object_of({slot.name: value})
        for seed in range(2):
            writer = _grammar().writer(asked)
            text = _text(_written(writer, _at_random(seed), most=4000))
            assert writer.done and _fits(asked, json.loads(text)), text


def test_white_space_is_that_of_json_dumps() -> None:
    schema = object_of({"a": {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3}, "b": {}})
    schema["properties"]["b"] = {"type": "null"}
    text = _text(_written(_grammar().writer(schema), _at_random(0)))
    assert text == json.dumps(json.loads(text))


@pytest.mark.parametrize("most", [1, 7, 40])
def test_a_text_is_not_longer_than_the_schema_says(most: int) -> None:
    lengths = set()
    for seed in range(20):
        value = {"type": "string", "maxLength": most}
        lengths.add(len(json.loads(_text(_written(_grammar().writer(value), _at_random(seed))))))
    assert max(lengths) <= most


def test_a_number_has_as_many_digits_as_can_be_kept() -> None:
    for seed in range(20):
        writer = _grammar().writer(object_of({"count": {"type": "integer"}}))
        assert abs(json.loads(_text(_written(writer, _at_random(seed))))["count"]) <= NUMBER_MOST


@pytest.mark.parametrize("kind", ["byte-level", "sentencepiece"])
def test_an_answer_in_the_tokenizers_own_tokens_is_taken_and_forced_tokens_are_among_them(kind: str) -> None:
    schema = object_of({"number": NULLABLE, "rows": VALUES["rows"], "net": {"enum": ["net", "gross"]}})
    draw = random.Random(2)
    forced = 0
    for _ in range(20):
        name = draw.choice([None, "Straße 5\nCafé", "Łódź 東京", 'a "b" \\', "1234,50", "}"])
        rows = [{"name": name, "net": draw.choice([None, "12,50"])} for _ in range(draw.randrange(4))]
        text = json.dumps({"number": name, "rows": rows, "net": draw.choice(["net", "gross"])}, ensure_ascii=False)
        tokens = tokenizer_of(kind).encode(text, add_special_tokens=False)
        writer = _grammar(kind).writer(schema)
        while not writer.done:
            must = writer.forced()
            forced += len(must)
            assert tokens[: len(must)] == must
            tokens = tokens[len(must) :]
            if not writer.done:
                assert allowed([writer])[0][tokens[0]]
                writer.take(tokens.pop(0))
        assert not tokens
    assert forced > 20 * 10


def test_what_must_follow_is_not_asked_for() -> None:
    writer = _grammar().writer(object_of({"invoice_number": {"type": "string", "pattern": "^[0-9]$"}}))
    tokens = writer.forced()
    assert _text(tokens).startswith('{"invoice_number":')
    choices = 0
    while not writer.done:
        mask = allowed([writer])[0]
        assert mask.sum() > 1
        writer.take(int(mask.nonzero()[-1]))
        writer.forced()
        choices += 1
    assert choices <= 3  # the opening quote, the digit, the closing quote


def test_a_token_that_joins_a_quote_and_a_first_letter_is_not_cut_off() -> None:
    tokenizer = tokenizer_of("sentencepiece")
    writer = _grammar("sentencepiece").writer(object_of({"number": {"type": "string", "maxLength": 20}}))
    writer.forced()
    may = [tokenizer.convert_ids_to_tokens(int(number)) for number in allowed([writer])[0].nonzero()]
    assert any(re.search(r'"\w', token) for token in may)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_and_logits_without_a_token_are_never_allowed(kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    never = [*map(tokenizer.convert_tokens_to_ids, (*SPECIAL, *TAGS)), *range(len(tokenizer), len(tokenizer) + EXTRA)]
    writer = _grammar(kind).writer({"type": "string", "maxLength": 60})
    choose, steps = _at_random(4), 0
    writer.forced()
    while not writer.done:
        mask = allowed([writer])[0]
        assert mask.shape == (len(tokenizer) + EXTRA,)
        assert not mask[never].any()
        writer.take(choose(mask))
        writer.forced()
        steps += 1
    assert steps > 3


def test_control_characters_are_impossible_but_a_line_may_end() -> None:
    schema = {"type": "string", "maxLength": 20}
    for said, fits in (('"a\\nb"', True), ('"a\nb"', False), ('"a\\u0007b"', False), ('"a\tb"', False)):
        writer = _grammar().writer(schema)
        try:
            for token in tokenizer_of("byte-level").encode(said, add_special_tokens=False):
                writer.take(token)
        except AnswerError:
            assert not fits, said
        else:
            assert fits and writer.done


def test_an_answer_that_was_cut_off_is_not_done() -> None:
    schema = object_of({"a": NULLABLE, "rows": VALUES["rows"]})
    tokens = tokenizer_of("byte-level").encode(
        json.dumps({"a": "x", "rows": [{"name": "b", "net": None}]}), add_special_tokens=False
    )
    writer = _grammar().writer(schema)
    for token in tokens:
        assert not writer.done
        writer.take(token)
    assert writer.done


def test_what_is_not_allowed_is_not_taken() -> None:
    writer = _grammar().writer({"type": "boolean"})
    with pytest.raises(AnswerError):
        writer.take(tokenizer_of("byte-level").encode("7", add_special_tokens=False)[0])
    assert not writer.done


def test_masks_made_side_by_side_are_those_made_one_by_one() -> None:
    writers = [_grammar().writer(object_of({name: value})) for name, value in VALUES.items()]
    for writer in writers:
        writer.forced()
    together = allowed(writers)
    assert together.dtype == torch.bool and together.device.type == "cpu"
    assert all(torch.equal(row, allowed([writer])[0]) for row, writer in zip(together, writers, strict=True))
    assert len({tuple(row.tolist()) for row in together}) > 1


@pytest.mark.parametrize("wide", [64, 77, 96])
def test_bits_that_are_unpacked_on_a_device_are_the_flags_that_were_packed(wide: int) -> None:
    flags = torch.rand(3, 96, generator=torch.Generator().manual_seed(1)) < 0.5
    packed = np.packbits(flags.numpy(), axis=1, bitorder="little").view(np.int32)
    there = unpacked_there(torch.from_numpy(packed), wide, torch.device("cpu"))
    assert there.dtype == torch.bool and torch.equal(there, flags[:, :wide])


def test_two_answers_to_one_schema_do_not_disturb_each_other() -> None:
    schema = object_of({"a": NULLABLE})
    first, second = _grammar().writer(schema), _grammar().writer(schema)
    beginning = first.forced()
    assert second.forced() == beginning
    _written(first, _at_random(1))
    assert first.done and not second.done


def test_logits_narrower_than_the_vocabulary_are_masked_as_far_as_they_go() -> None:
    tokenizer = tokenizer_of("byte-level")
    writer = Grammar(tokenizer, len(tokenizer) - len(SPECIAL)).writer({"type": "string", "maxLength": 5})
    assert allowed([writer]).shape == (1, len(tokenizer) - len(SPECIAL))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "iban"},
        {"type": "string", "pattern": "(?=a)b"},
        {"type": "array", "uniqueItems": True},
        {"type": "sting"},
        {"type": "string", "minLength": 5, "maxLength": 3},
    ],
)
def test_a_schema_that_cannot_be_kept_to_says_so_before_anything_is_written(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError) as raised:
        _grammar().writer(schema)
    assert raised.value.hint and "Leave out" in raised.value.hint
    assert len(raised.value.message) < 300


@pytest.mark.parametrize("kind", KINDS)
def test_tags_come_in_order_once_and_are_closed(kind: str) -> None:
    for seed in range(20):
        writer = _grammar(kind).tagged(["date", "total"], tokens_max=6)
        tokens = _written(writer, _at_random(seed), most=100)
        assert writer.done
        pieces = tokenizer_of(kind).convert_ids_to_tokens(tokens)
        assert [piece for piece in pieces if piece in TAGS] in (
            [], ["<s_date>", "</s_date>"], ["<s_total>", "</s_total>"],
            ["<s_date>", "</s_date>", "<s_total>", "</s_total>"],
        )  # fmt: skip
        assert len(pieces) <= 2 * (6 + 2) + 1
        assert not set(pieces[:-1]) & set(SPECIAL)


def test_a_tag_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(SchemaError, match="<s_iban>"):
        _grammar("unigram").tagged(["iban"], tokens_max=6)
