"""Models without eyes on the engine: pages as words, against the model's own forward pass, token by token."""

from __future__ import annotations

import json

import pytest

from docpipe.extractors.generative.backend import Prompt
from docpipe.extractors.generative.picture_extractor import generative_extractor
from docpipe.extractors.local.choose import local_backend
from docpipe.extractors.local.engine.backend import EngineBackend
from docpipe.extractors.local.models.family import engine_supports
from docpipe.schema import load_schema
from tests.support.engine_reference import SLOTS, assert_same, engine_backend, reference_completion, replies
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of
from tests.support.tiny_models import tiny_model
from tests.support.tiny_writers import WRITERS, save_tiny_writer

WORDS = "Muster GmbH\nRechnung 2021-00417        01.02.2021\nSumme                1.234,50 EUR"


def words_prompt(closing: str = "Answer in JSON.") -> Prompt:
    return Prompt(("Read the invoice.", "The words of page 1, as they stand on it:", WORDS, closing), SLOTS)


@pytest.mark.parametrize("family", WRITERS)
def test_what_is_written_fits_the_schema_and_is_what_the_model_itself_says(family: str):
    assert engine_supports(tiny_model(family)[0].config)
    asked = words_prompt()
    (reply,) = replies(engine_backend(family), asked)
    values = {name: value for completion in reply.completions for name, value in json.loads(completion.text).items()}
    assert list(values) == [slot.name for slot in SLOTS]
    assert reply.image_tokens == 0 < reply.tokens_in
    for slot, completion in zip(SLOTS, reply.completions, strict=True):
        assert_same(completion, reference_completion(family, asked, slot))


@pytest.mark.parametrize("family", WRITERS)
def test_documents_of_different_lengths_give_together_what_each_gives_alone(family: str):
    batch = words_prompt(), words_prompt("Answer in JSON, and only with what is printed on the page above.")
    for asked, reply in zip(batch, replies(engine_backend(family), *batch), strict=True):
        (alone,) = replies(engine_backend(family), asked)
        for completion, expected in zip(reply.completions, alone.completions, strict=True):
            assert_same(completion, expected)


def test_a_folder_of_a_model_without_eyes_reads_the_words_of_a_document(tmp_path):
    backend = local_backend(str(save_tiny_writer("text_llama", tmp_path)), threads=1)
    assert isinstance(backend, EngineBackend) and not backend.sees_pictures
    extractor = generative_extractor(backend, word_tokens=1_000, with_examples=False)
    page = with_blank_image(page_of(["Acme Ltd", "Total 80.90"]))
    receipt = load_schema("receipt").only(["total", "date"])
    answer = extractor.extract([page], receipt)
    assert answer.tokens_in > 0 == answer.image_tokens
    assert {candidate.path for candidate in answer.candidates} | set(answer.absent) == {"total", "date"}
