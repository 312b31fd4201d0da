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
from docpipe.extractors.generative.backend import object_schema
from docpipe.extractors.generative.output_schema import output_slots
from docpipe.extractors.local.constrained.grammar import GrammarCompiler, GrammarMatcher
from docpipe.extractors.local.constrained.schema_bounds import MAX_NUMBER
from docpipe.extractors.local.constrained.token_masks import allowed_tokens, unpack_on_device
from docpipe.schema import load_schema
from tests.support.tokenizers_of_families import KINDS, SPECIAL, TAGS, tokenizer_of

NULLABLE = {"type": ["string", "null"], "maxLength": 40}
ROW = object_schema({"name": NULLABLE, "net": {"type": ["string", "null"], "pattern": "^[0-9]{1,4},[0-9]{2}$"}})
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
    "nested": object_schema({"a": object_schema({"b é\n": object_schema({"c": NULLABLE})}), "d": {"type": "null"}}),
    "either": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}]},
}
EXTRA = 37  # logits beyond the tokenizer's tokens
LEAP_DAY = re.compile("-02-29")  # the formats let it be in any year


@cache
def _grammar(kind: str = "byte-level") -> GrammarCompiler:
    return GrammarCompiler(tokenizer_of(kind), len(tokenizer_of(kind)) + EXTRA)


def _write(matcher: GrammarMatcher, choose: Callable[[torch.Tensor], int], max_tokens: int = 2000) -> list[int]:
    """As the engine does it."""
    tokens = matcher.consume_forced()
    while not matcher.is_complete and len(tokens) < max_tokens:
        token = choose(allowed_tokens([matcher])[0])
        matcher.consume(token)
        tokens += [token, *matcher.consume_forced()]
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
    schema = object_schema({name: VALUES[name]})
    for seed in range(12):
        matcher = _grammar(kind).compile(schema)
        text = _text(_write(matcher, _at_random(seed)), kind)
        assert matcher.is_complete, text
        value = json.loads(text)
        assert _fits(schema, value) or LEAP_DAY.search(text), text
        assert len(text) < 1000 or name == "number"  # the schema bounds its size, not its decimals


@pytest.mark.parametrize("name", ["invoice", "receipt", "form"])
def test_the_shipped_schemas_are_kept_to(name: str) -> None:
    schema = load_schema(name)
    for slot in output_slots(schema):
        value = {**slot.value_schema, "maxItems": 2} if slot.value_schema["type"] == "array" else slot.value_schema
        json_schema = object_schema({slot.name: value})
        for seed in range(2):
            matcher = _grammar().compile(json_schema)
            text = _text(_write(matcher, _at_random(seed), max_tokens=4000))
            assert matcher.is_complete and _fits(json_schema, json.loads(text)), text


def test_white_space_is_that_of_json_dumps() -> None:
    schema = object_schema(
        {"a": {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3}, "b": {}}
    )
    schema["properties"]["b"] = {"type": "null"}
    text = _text(_write(_grammar().compile(schema), _at_random(0)))
    assert text == json.dumps(json.loads(text))


@pytest.mark.parametrize("max_length", [1, 7, 40])
def test_a_text_is_not_longer_than_the_schema_says(max_length: int) -> None:
    lengths = set()
    for seed in range(20):
        value = {"type": "string", "maxLength": max_length}
        lengths.add(len(json.loads(_text(_write(_grammar().compile(value), _at_random(seed))))))
    assert max(lengths) <= max_length


def test_a_number_has_as_many_digits_as_can_be_kept() -> None:
    for seed in range(20):
        matcher = _grammar().compile(object_schema({"count": {"type": "integer"}}))
        assert abs(json.loads(_text(_write(matcher, _at_random(seed))))["count"]) <= MAX_NUMBER


@pytest.mark.parametrize("kind", ["byte-level", "sentencepiece"])
def test_an_answer_in_the_tokenizers_own_tokens_is_taken_and_forced_tokens_are_among_them(kind: str) -> None:
    schema = object_schema({"number": NULLABLE, "rows": VALUES["rows"], "net": {"enum": ["net", "gross"]}})
    draw = random.Random(2)
    forced = 0
    for _ in range(20):
        name = draw.choice([None, "Straße 5\nCafé", "Łódź 東京", 'a "b" \\', "1234,50", "}"])
        rows = [{"name": name, "net": draw.choice([None, "12,50"])} for _ in range(draw.randrange(4))]
        text = json.dumps({"number": name, "rows": rows, "net": draw.choice(["net", "gross"])}, ensure_ascii=False)
        tokens = tokenizer_of(kind).encode(text, add_special_tokens=False)
        matcher = _grammar(kind).compile(schema)
        while not matcher.is_complete:
            forced_tokens = matcher.consume_forced()
            forced += len(forced_tokens)
            assert tokens[: len(forced_tokens)] == forced_tokens
            tokens = tokens[len(forced_tokens) :]
            if not matcher.is_complete:
                assert allowed_tokens([matcher])[0][tokens[0]]
                matcher.consume(tokens.pop(0))
        assert not tokens
    assert forced > 20 * 10


def test_what_must_follow_is_not_asked_for() -> None:
    matcher = _grammar().compile(object_schema({"invoice_number": {"type": "string", "pattern": "^[0-9]$"}}))
    tokens = matcher.consume_forced()
    assert _text(tokens).startswith('{"invoice_number":')
    choices = 0
    while not matcher.is_complete:
        mask = allowed_tokens([matcher])[0]
        assert mask.sum() > 1
        matcher.consume(int(mask.nonzero()[-1]))
        matcher.consume_forced()
        choices += 1
    assert choices <= 3  # the opening quote, the digit, the closing quote


def test_a_token_that_joins_a_quote_and_a_first_letter_is_not_cut_off() -> None:
    tokenizer = tokenizer_of("sentencepiece")
    matcher = _grammar("sentencepiece").compile(object_schema({"number": {"type": "string", "maxLength": 20}}))
    matcher.consume_forced()
    texts = [tokenizer.convert_ids_to_tokens(int(number)) for number in allowed_tokens([matcher])[0].nonzero()]
    assert any(re.search(r'"\w', token) for token in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_and_logits_without_a_token_are_never_allowed(kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    forbidden = [
        *map(tokenizer.convert_tokens_to_ids, (*SPECIAL, *TAGS)),
        *range(len(tokenizer), len(tokenizer) + EXTRA),
    ]
    matcher = _grammar(kind).compile({"type": "string", "maxLength": 60})
    choose, steps = _at_random(4), 0
    matcher.consume_forced()
    while not matcher.is_complete:
        mask = allowed_tokens([matcher])[0]
        assert mask.shape == (len(tokenizer) + EXTRA,)
        assert not mask[forbidden].any()
        matcher.consume(choose(mask))
        matcher.consume_forced()
        steps += 1
    assert steps > 3


def test_control_characters_are_impossible_but_a_line_may_end() -> None:
    schema = {"type": "string", "maxLength": 20}
    for text, is_allowed in (('"a\\nb"', True), ('"a\nb"', False), ('"a\\u0007b"', False), ('"a\tb"', False)):
        matcher = _grammar().compile(schema)
        try:
            for token in tokenizer_of("byte-level").encode(text, add_special_tokens=False):
                matcher.consume(token)
        except AnswerError:
            assert not is_allowed, text
        else:
            assert is_allowed and matcher.is_complete


def test_an_answer_that_was_cut_off_is_not_done() -> None:
    schema = object_schema({"a": NULLABLE, "rows": VALUES["rows"]})
    tokens = tokenizer_of("byte-level").encode(
        json.dumps({"a": "x", "rows": [{"name": "b", "net": None}]}), add_special_tokens=False
    )
    matcher = _grammar().compile(schema)
    for token in tokens:
        assert not matcher.is_complete
        matcher.consume(token)
    assert matcher.is_complete


def test_what_is_not_allowed_is_not_taken() -> None:
    matcher = _grammar().compile({"type": "boolean"})
    with pytest.raises(AnswerError):
        matcher.consume(tokenizer_of("byte-level").encode("7", add_special_tokens=False)[0])
    assert not matcher.is_complete


def test_masks_made_side_by_side_are_those_made_one_by_one() -> None:
    matchers = [_grammar().compile(object_schema({name: value})) for name, value in VALUES.items()]
    for matcher in matchers:
        matcher.consume_forced()
    together = allowed_tokens(matchers)
    assert together.dtype == torch.bool and together.device.type == "cpu"
    assert all(torch.equal(row, allowed_tokens([matcher])[0]) for row, matcher in zip(together, matchers, strict=True))
    assert len({tuple(row.tolist()) for row in together}) > 1


@pytest.mark.parametrize("vocabulary_size", [64, 77, 96])
def test_bits_that_are_unpacked_on_a_device_are_the_flags_that_were_packed(vocabulary_size: int) -> None:
    flags = torch.rand(3, 96, generator=torch.Generator().manual_seed(1)) < 0.5
    packed = np.packbits(flags.numpy(), axis=1, bitorder="little").view(np.int32)
    unpacked = unpack_on_device(torch.from_numpy(packed), vocabulary_size, torch.device("cpu"))
    assert unpacked.dtype == torch.bool and torch.equal(unpacked, flags[:, :vocabulary_size])


def test_two_answers_to_one_schema_do_not_disturb_each_other() -> None:
    schema = object_schema({"a": NULLABLE})
    first, second = _grammar().compile(schema), _grammar().compile(schema)
    forced = first.consume_forced()
    assert second.consume_forced() == forced
    _write(first, _at_random(1))
    assert first.is_complete and not second.is_complete


def test_logits_narrower_than_the_vocabulary_are_masked_as_far_as_they_go() -> None:
    tokenizer = tokenizer_of("byte-level")
    matcher = GrammarCompiler(tokenizer, len(tokenizer) - len(SPECIAL)).compile({"type": "string", "maxLength": 5})
    assert allowed_tokens([matcher]).shape == (1, len(tokenizer) - len(SPECIAL))


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
        _grammar().compile(schema)
    assert raised.value.hint and "Leave out" in raised.value.hint
    assert len(raised.value.message) < 300
