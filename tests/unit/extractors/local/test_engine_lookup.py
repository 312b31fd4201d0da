"""Guesses in the engine: what they save, and that nobody sees them in an answer (families: test_local_families.py)."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from docpipe.extractors.generative.backend import Slot, object_of
from docpipe.extractors.local.engine.backend import LocalBackend
from tests.support.tiny_models import built
from tests.unit.extractors.local.test_engine import FAMILY, answer, counted, fields
from tests.unit.extractors.local.test_families import MAYBE, TEXT, question


def test_what_is_printed_on_the_page_takes_fewer_passes():
    (expected,) = answer(asked := question(fields(3, {"type": "string", "minLength": 8, "maxLength": 10})))
    printed = [value for written in expected.written for value in json.loads(written.text).values()]
    passes = {}
    for words in ((), ("Muster GmbH",), tuple(printed)):
        with counted() as passes[words]:
            (reply,) = answer(replace(asked, words=words))
        assert [one.text for one in reply.written] == [one.text for one in expected.written]
    none, wrong, right = map(len, passes.values())
    assert right < none - 3 and wrong == none


def test_guesses_can_be_switched_off():
    asked = question(fields(3, TEXT))
    (expected,) = answer(asked)
    printed = tuple(value for written in expected.written for value in json.loads(written.text).values())
    plain = LocalBackend("hf:plain", *built(FAMILY), guesses=0)
    with counted() as without:
        plain.answer([asked])
    with counted() as switched_off:
        plain.answer([replace(asked, words=printed)])
    assert switched_off == without


def test_a_slot_is_cut_off_at_the_same_token_with_guesses():
    asked = question(
        (Slot("line_items", {"type": "array", "minItems": 9, "items": object_of({"a": TEXT, "b": MAYBE})}, 25),)
    )
    (expected,) = answer(asked)
    assert expected.written[0].finish == "length"
    words = tuple(re.findall(r'"([^"]+)"', expected.written[0].text))
    (reply,) = answer(replace(asked, words=(" ".join(words), *words)))
    assert (reply.written[0].text, reply.written[0].finish) == (expected.written[0].text, "length")
