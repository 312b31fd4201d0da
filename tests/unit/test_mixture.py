"""Two models: what is not printed never displaces what is, and a second model counts by what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from benchmarks.accuracy.cascade import DocumentSet
from benchmarks.accuracy.second_model import measure, read_documents
from benchmarks.accuracy.second_scripts import SCRIPTS, TRUTH
from docpipe.acceptance import AcceptancePolicy
from docpipe.cascade import Cascade
from docpipe.components import ModelName, load_components
from docpipe.config import load_settings
from docpipe.copied_values import COPIED, IN_PROMPT
from docpipe.data import Answer, Candidate, Page, PreparedDocument
from docpipe.evaluate import read_labels, read_map
from docpipe.extractors.generative.picture_extractor import PictureExtractor
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.mixture import LEFT_OUT
from docpipe.pipeline import understand
from docpipe.result import RunIdentity
from docpipe.samples.folder import write_many
from docpipe.schema import Schema, load_schema
from tests.support.fake_backend import FakeBackend, replying_with
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of

LINES = ["Acme Ltd", "Leeds Tea House", "Date 25/12/2018", "Tea 70.00", "Pie 10.90", "Total 80.90", "Paid by VISA"]
RUN = RunIdentity("0" * 64, "a,b", "key")


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


@dataclass(frozen=True)
class Answering:
    """An extractor that always says the same."""

    answer: Answer
    name: str = "fake:1"
    batch_size: int = 1

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        return self.answer

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer]:
        return [self.answer for _ in batch]


def saying(path: str, text: str | None, score: float, absent: float = 0.1) -> Answer:
    """One value, and how likely it is that there is none."""
    return Answer((Candidate(path, text, score),) if text else (), {path: absent})


def fields(receipt, first, second):
    """By path, and the issues by their codes."""
    cascade = Cascade(first, second)
    document = PreparedDocument([with_blank_image(page_of(LINES))])
    policy = AcceptancePolicy.for_extractor(cascade)
    extraction = understand(document, receipt, extractor=cascade, run=RUN, policy=policy)
    return {field.path: field for field in extraction.fields}, {issue.code: issue for issue in extraction.issues}


def mixed(receipt, first: Answer, second: Answer):
    return fields(receipt, Answering(first), Answering(second))


NAME = "merchant_name"


def test_what_is_printed_nowhere_takes_no_place_and_is_named(receipt):
    by_path, issues = mixed(receipt, saying(NAME, "Acme Ltd", 0.3), saying(NAME, "Nordlicht GmbH", 0.99))
    assert by_path[NAME].value == "Acme Ltd"
    assert "Nordlicht GmbH" in issues[LEFT_OUT].message


def test_what_is_all_there_is_stays_without_evidence_and_is_not_accepted(receipt):
    by_path, _ = mixed(receipt, saying(NAME, None, 0.0, absent=0.2), saying(NAME, "Nordlicht GmbH", 0.99))
    assert by_path[NAME].value == "Nordlicht GmbH" and not by_path[NAME].accepted
    assert "no_evidence" in {issue.code for issue in by_path[NAME].issues}


@pytest.mark.parametrize(("score", "expected"), [(0.9, "Acme Ltd"), (0.6, "Acme Ltd"), (0.4, "Leeds Tea House")])
def test_a_printed_value_of_an_unknown_model_displaces_only_what_is_unsure(receipt, score, expected):
    by_path, _ = mixed(receipt, saying(NAME, "Acme Ltd", score), saying(NAME, "Leeds Tea House", 0.99))
    assert by_path[NAME].value == expected


def test_null_of_an_unknown_model_takes_no_value_away(receipt):
    by_path, _ = mixed(receipt, saying(NAME, "Acme Ltd", 0.4), saying(NAME, None, 0.0, absent=0.99))
    assert by_path[NAME].value == "Acme Ltd"


def test_what_the_first_did_not_find_is_filled_by_what_is_printed(receipt):
    first, second = saying("payment_method", None, 0.0, absent=0.8), saying("payment_method", "VISA", 0.95)
    by_path, _ = mixed(receipt, first, second)
    assert by_path["payment_method"].value == "VISA" and by_path["payment_method"].evidence


def test_a_value_that_both_give_is_surer_and_stands_where_the_first_has_found_it(receipt):
    first = saying(NAME, "Acme Ltd", 0.6)
    alone, _ = mixed(receipt, first, Answer(()))
    both, _ = mixed(receipt, first, saying(NAME, "ACME LTD", 0.9))
    assert both[NAME].signals["score"] > alone[NAME].signals["score"]
    assert both[NAME].evidence == alone[NAME].evidence


ROWS = [{"description": "Tea", "amount": "70.00"}, {"description": "Pie", "amount": "10.90"}]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (ROWS, ["70.00", "10.90"]),
        ([{"description": "Paid"}, {"description": "Acme"}], ["70.00"]),
        ([{"description": "Tea", "amount": "12.34"}, {"description": "Pie", "amount": "68.56"}], ["70.00"]),
    ],
    ids=["they are printed and add up", "no amounts, so no rule is broken", "they add up and are printed nowhere"],
)
def test_rows_are_replaced_where_they_prove_themselves(receipt, second, expected):
    first = ScriptedExtractor({"total": "80.90", "items": ROWS[:1]})
    by_path, _ = fields(receipt, first, ScriptedExtractor({"items": second}))
    amounts = [field.raw for path, field in by_path.items() if path.endswith("].amount") and field.raw]
    assert amounts == expected


def test_what_a_model_copies_from_its_instructions_is_dropped_and_counted(receipt):
    backend = FakeBackend(replying_with({"merchant_address": "street, postcode, city", "total": "80.90"}))
    document = PreparedDocument([with_blank_image(page_of(LINES))])
    extractor = PictureExtractor(backend)
    policy = AcceptancePolicy.for_extractor(extractor)
    extraction = understand(document, receipt, extractor=extractor, run=RUN, policy=policy)
    by_path = {field.path: field for field in extraction.fields}
    assert by_path["merchant_address"].raw is None and by_path["total"].raw == "80.90"
    (issue,) = (issue for issue in extraction.issues if issue.code == COPIED)
    assert "street, postcode, city" in issue.message


def test_words_of_the_instructions_are_marked_whether_printed_or_not(receipt):
    backend = FakeBackend(
        replying_with({"payment_method": "Visa", "merchant_name": "Café Blue Lantern", "total": "80"})
    )
    answer = PictureExtractor(backend).extract([with_blank_image(page_of(LINES))], receipt)
    marked = {candidate.path for candidate in answer.candidates if IN_PROMPT in candidate.signals}
    assert marked == {"payment_method", "merchant_name"}, "a word of a description, an example that was not shown"


@pytest.mark.parametrize("schema_name", ["invoice", "receipt"])
def test_no_second_model_makes_a_right_and_printed_value_wrong(tmp_path, schema_name):
    """Nonsense, nulls, the schema's examples, another document's values, words of the prompt: on drawn documents that
    the network has not seen. The truth by script makes nothing wrong either."""
    write_many(tmp_path, schema_name, 3, seed=9_450_000, degraded=False)
    schema = load_schema(schema_name)
    labelled = read_labels(tmp_path / "labels.jsonl", read_map([], schema))
    documents = DocumentSet(schema_name, schema, tmp_path, labelled, only_visible=False)
    components = load_components(ModelName("embedded"), load_settings({}), threads=1)
    try:
        changes = measure(components, documents, list(read_documents(components, documents)))
    finally:
        components.close()
    assert changes.keys() == SCRIPTS.keys()
    for kind, change in changes.items():
        assert (change.fields_wrong, change.cells_wrong) == (0, 0), kind
    assert changes[TRUTH].fields_right >= changes["nonsense"].fields_right
