"""A real model that errs in earnest, behind a real server: docpipe keeps its promises all the same.

SmolLM2 with 135 million parameters gets next to nothing right. What is tested is what must hold whatever it writes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from benchmarks.service import small_model
from benchmarks.service.servers import Program, wait_until
from docpipe import pipeline
from docpipe.acceptance import AcceptancePolicy
from docpipe.cascade import Cascade
from docpipe.components import ModelName, generative, hosted_backend, load_components
from docpipe.config import load_settings
from docpipe.data import PreparedDocument
from docpipe.errors import ModelError, TooLargeError
from docpipe.extractors.generative import output_schema
from docpipe.extractors.generative.extractor import GenerativeExtractor
from docpipe.result import RunIdentity
from docpipe.samples.folder import write_many
from docpipe.schema import load_schema
from docpipe.text_normalisation import squeeze
from tests.support.pages import page_of

pytestmark = pytest.mark.skipif(not small_model.is_installed(), reason="llama.cpp or SmolLM2 is not installed")
SINGLE_FIELDS = ["merchant_name", "date", "total", "payment_method"]
LINES = ["Acme Ltd", "12 High Street, Leeds", "Date 25/12/2018", "Tea 1 2.00", "Total 80.90", "Paid by VISA"]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """Its address, as it says it itself."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    command = [sys.executable, "-m", "benchmarks.service.small_model", "--port", "0", "--context", "4096"]
    program = Program(command, os.environ, log).start()

    def address() -> str:
        assert program.is_alive, log.read_text()
        said = re.search(rf"^{small_model.MODEL} at (\S+)$", log.read_text(), re.MULTILINE)
        return said[1] if said else ""

    try:
        wait_until(lambda: bool(address()), "llama.cpp's server")
        yield address()
    finally:
        program.kill()


def settings(server: str, **more: str):
    return load_settings({"DOCPIPE_OPENAI_URL": server, "DOCPIPE_MODEL": "embedded", **more})


@pytest.fixture
def extractor(server: str) -> Iterator[Callable[..., GenerativeExtractor]]:
    """Makes one with these variables."""
    with ExitStack() as stack:

        def make(**variables: str) -> GenerativeExtractor:
            chosen = settings(server, **variables)
            backend = stack.enter_context(closing(hosted_backend("openai", small_model.MODEL, chosen)))
            return generative(backend, chosen)

        yield make


def test_the_server_is_asked_what_its_model_sees_and_gets_words(extractor):
    answer = extractor().extract([page_of(LINES)], load_schema("receipt").only(SINGLE_FIELDS))
    assert {candidate.path for candidate in answer.candidates} | set(answer.absent) == set(SINGLE_FIELDS)
    assert answer.tokens_in > 0 < answer.tokens_out and answer.image_tokens == 0
    assert all(0.0 <= candidate.score <= 1.0 for candidate in answer.candidates)


def test_no_example_of_the_schema_is_in_a_result_unless_it_is_printed(extractor):
    schema = load_schema("invoice")
    fields = ["invoice_number", "seller_name", "buyer_name", "seller_vat_id", "issue_date", "gross_total"]
    examples = {squeeze(example) for spec in schema.fields for example in spec.examples}
    words = extractor(DOCPIPE_PROMPT_EXAMPLES="true")  # it is tempted
    policy = AcceptancePolicy.for_extractor(words)
    for lines in (LINES, ["Muster GmbH", "Rechnung 4711", "Summe 119,00 EUR"], ["Nothing but a heading"]):
        document, run = PreparedDocument([page_of(lines)]), RunIdentity("0" * 64, words.name, "key")
        extraction = pipeline.understand(document, schema.only(fields), extractor=words, run=run, policy=policy)
        given = {squeeze(field.raw) for field in extraction.fields if field.raw}
        assert {text for text in given & examples if text not in squeeze(" ".join(lines))} == set()


def test_a_picture_for_a_model_without_eyes_is_refused_with_the_option_to_use(extractor):
    with pytest.raises(ModelError, match="takes no pictures") as refusal:
        extractor(DOCPIPE_SEE="both")
    assert "--see words" in refusal.value.hint


def test_a_document_for_which_its_context_has_no_room_is_too_large(extractor):
    long = [f"Row {number} of a document that is far too long for so small a model" for number in range(600)]
    schema = load_schema("receipt").only(["total"])
    with pytest.raises(TooLargeError) as refusal:
        extractor(DOCPIPE_WORD_TOKENS="100000").extract([page_of(long)], schema)
    assert "longer context" in refusal.value.hint
    shortened = extractor(DOCPIPE_WORD_TOKENS="1000").extract([page_of(long)], schema)
    assert "words_not_shown" in {issue.code for issue in shortened.issues}


def test_a_list_that_breaks_off_says_so(extractor, monkeypatch):
    monkeypatch.setattr(output_schema, "CELL_TOKENS", 1)
    schema = load_schema("receipt").only(["items"])
    answer = extractor(DOCPIPE_HOSTED_THINKING_TOKENS="0").extract([page_of(LINES)], schema)
    assert answer.finish != "complete"
    assert {issue.code for issue in answer.issues} & {"partial", "answer_cut_off"}


def test_beside_the_embedded_network_it_makes_no_value_wrong_and_what_it_cost_is_counted(server, extractor, tmp_path):
    """A model of which nothing is known displaces nothing of which the first was sure, and nothing that is printed by
    what is not."""
    write_many(tmp_path, "receipt", 2, seed=9_430_000, degraded=True)
    schema = load_schema("receipt").only([*SINGLE_FIELDS, "merchant_address", "tax", "time"])
    with closing(load_components(ModelName("embedded"), settings(server), threads=1)) as components:
        parts = components.parts
        both = Cascade(parts.extractor, extractor())
        for path in sorted((tmp_path / "docs").iterdir()):
            document = components.open(path)
            prepared = pipeline.prepare(document, parts.rasteriser, parts.reader, picture_sides=parts.picture_sides)
            alone, with_second = (
                pipeline.understand(
                    prepared, schema, extractor=each, policy=components.policy,
                    run=pipeline.identify_run(document, schema, parts, components.policy),
                )
                for each in (parts.extractor, both)
            )  # fmt: skip
            assert with_second.cost["tokens_in"] > 0 and with_second.cost["tokens_out"] > 0
            after = {field.path: field for field in with_second.fields}
            for field in alone.fields:
                if field.evidence and field.signals["score"] >= 0.9:
                    assert after[field.path].value == field.value
                if field.evidence:
                    assert after[field.path].evidence, f"{field.path}: what is printed gave way to what is not"
            assert not any(field.accepted and not field.evidence for field in with_second.fields)
