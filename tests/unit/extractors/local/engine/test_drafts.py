"""Drafts in the engine: what they save, and that nobody sees them in an answer (for each family: test_families.py)."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from docpipe.extractors.generative.backend import BackendReply, OutputSlot, object_schema
from docpipe.extractors.local.engine.backend import EngineBackend
from tests.support.engine_reference import (
    FAMILY,
    NULLABLE,
    TEXT,
    counted_passes,
    fields,
    prompt,
    replies,
    reply_to,
)
from tests.support.tiny_models import tiny_model


def printed_values(reply: BackendReply) -> tuple[str, ...]:
    return tuple(value for completion in reply.completions for value in json.loads(completion.text).values())


def test_what_is_printed_on_the_page_takes_fewer_passes():
    asked = prompt(fields(3, {"type": "string", "minLength": 8, "maxLength": 10}))
    expected = reply_to(asked)
    passes = {}
    for lines in ((), ("Muster GmbH",), printed_values(expected)):
        with counted_passes() as passes[lines]:
            reply = reply_to(replace(asked, page_lines=lines))
        assert [completion.text for completion in reply.completions] == [
            completion.text for completion in expected.completions
        ]
    without, wrong, right = map(len, passes.values())
    assert right < without - 3 and wrong == without


def test_drafts_can_be_switched_off():
    asked = prompt(fields(3, TEXT))
    printed = printed_values(reply_to(asked))
    plain = EngineBackend("hf:plain", *tiny_model(FAMILY), draft_steps=0)
    with counted_passes() as without_lines:
        replies(plain, asked)
    with counted_passes() as with_lines:
        replies(plain, replace(asked, page_lines=printed))
    assert with_lines == without_lines


def test_a_slot_is_cut_off_at_the_same_token_with_drafts():
    rows = {"type": "array", "minItems": 9, "items": object_schema({"a": TEXT, "b": NULLABLE})}
    asked = prompt((OutputSlot("line_items", rows, 25),))
    (expected,) = reply_to(asked).completions
    assert expected.finish == "length"
    words = tuple(re.findall(r'"([^"]+)"', expected.text))
    (completion,) = reply_to(replace(asked, page_lines=(" ".join(words), *words))).completions
    assert (completion.text, completion.finish) == (expected.text, "length")
