"""The extractor that ships: its weights, what it answers for odd pages, and that it reads what docpipe draws."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from docpipe.components import ModelName, load_components
from docpipe.confidence import FEATURES, Calibration
from docpipe.config import load_settings
from docpipe.data import Answer, Box, Candidate, Page, Word
from docpipe.errors import ExtractionError, ModelError
from docpipe.extractors.embedded import EmbeddedExtractor
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.samples import SampleDocument, draw
from docpipe.schema import Schema, load_schema
from docpipe.vlm.field_queries import field_queries
from docpipe.vlm.predict import NETWORK, TOKENIZER, weights_folder

UNSEEN = range(7_000_000, 7_000_004)  # seeds far from those of docs/training.md: the network has not seen these
LONG_TABLE = 300  # rows of five words: 1,500 words, five windows
Read = Callable[[SampleDocument], list[Page]]


@pytest.fixture(scope="module")
def extractor() -> EmbeddedExtractor:
    return EmbeddedExtractor()


@pytest.fixture(scope="module")
def invoice() -> Schema:
    return load_schema("invoice")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """A drawn document as the main job reads it."""
    folder = tmp_path_factory.mktemp("drawn")
    renderer = Renderer()
    rasteriser, reader = PageRasteriser(renderer), PageReader(renderer)

    def pages(drawn: SampleDocument) -> list[Page]:
        path = folder / f"{hashlib.sha256(drawn.pdf).hexdigest()[:12]}.pdf"
        path.write_bytes(drawn.pdf)
        document = ingest(path, renderer=renderer)
        return [reader.read(document, page) for page in rasteriser.pages(document)]

    yield pages
    renderer.close()


@pytest.fixture(scope="module")
def invoice_pages(read: Read) -> list[Page]:
    return read(draw("invoice", UNSEEN[0], language="en", fonts="standard"))


def long_page() -> Page:
    """A heading and a table of 1,500 words without a picture."""
    words = [
        Word(text, Box(0.1 + 0.15 * column, row / 310, 0.2 + 0.15 * column, (row + 0.8) / 310), 0.99, "textlayer", row)
        for row, cells in enumerate([["Item", "Description", "Quantity", "Price", "Amount"], *table_rows()])
        for column, text in enumerate(cells)
    ]
    return Page(1, 1000, 1400, 120.0, None, tuple(words))


def table_rows() -> list[list[str]]:
    articles = ("Paper", "Envelopes", "Toner", "Folders", "Staples")
    return [
        [f"{number}", articles[number % 5], f"{number % 9 + 1}", "2.50", f"{(number % 9 + 1) * 2.5:.2f}"]
        for number in range(1, LONG_TABLE)
    ]


def row_numbers(answer: Answer) -> set[int]:
    return {int(row[1]) for c in answer.candidates if (row := re.match(r"line_items\[(\d+)\]", c.path))}


def quoted_words(candidate: Candidate, pages: list[Page]) -> list[list[str]]:
    """For each piece of evidence: the words of its page that stand in its box."""
    by_number = {page.number: page for page in pages}
    return [
        [word.text for word in by_number[evidence.page].words if evidence.box.union(word.box) == evidence.box]
        for evidence in candidate.evidence
    ]


def test_the_name_carries_the_hash_of_the_weights(extractor: EmbeddedExtractor) -> None:
    digest = hashlib.sha256((weights_folder() / NETWORK).read_bytes()).hexdigest()
    assert extractor.name == f"embedded:{digest[:12]}"


def test_weights_of_ones_own_come_with_the_calibration_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder, ignore=shutil.ignore_patterns("calibration.json"))
    name = EmbeddedExtractor(weights=folder).name
    own = Calibration(name, {"shared": (0.0,) * len(FEATURES)}, held_out=((0.5, True),))
    own.save(folder / "calibration.json")
    components = load_components(ModelName("embedded", str(folder)), load_settings({}), threads=1)
    try:
        assert components.parts.extractor.name == name
        assert components.policy.calibration.fingerprint == own.fingerprint
    finally:
        components.close()


@pytest.mark.parametrize("missing", [NETWORK, TOKENIZER])
def test_missing_weights_are_named_and_say_what_to_do(tmp_path: Path, missing: str) -> None:
    shutil.copytree(weights_folder(), tmp_path / "weights")
    (tmp_path / "weights" / missing).unlink()
    with pytest.raises(ModelError) as caught:
        EmbeddedExtractor(weights=tmp_path / "weights")
    assert str(tmp_path / "weights") in caught.value.message
    assert "docpipe doctor" in caught.value.hint


@pytest.mark.parametrize("damaged", [NETWORK, TOKENIZER])
def test_damaged_weights_are_named_and_say_what_to_do(tmp_path: Path, damaged: str) -> None:
    shutil.copytree(weights_folder(), tmp_path / "weights")
    whole = (tmp_path / "weights" / damaged).read_bytes()
    (tmp_path / "weights" / damaged).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError) as caught:
        EmbeddedExtractor(weights=tmp_path / "weights")
    assert "cannot be loaded" in caught.value.message
    assert "Reinstall docpipe" in caught.value.hint


def test_pages_without_words_are_answered_with_an_issue(extractor: EmbeddedExtractor, invoice: Schema) -> None:
    for pages in ([], [Page(1, 1000, 1400, 120.0, None)], [Page(n, 1000, 1400, 120.0, None) for n in (1, 2)]):
        answer = extractor.extract(pages, invoice)
        assert answer.candidates == ()
        assert [issue.code for issue in answer.issues] == ["nothing_read"]


def test_an_empty_page_beside_a_full_one_is_no_issue(
    extractor: EmbeddedExtractor, invoice: Schema, invoice_pages: list[Page]
) -> None:
    empty = Page(len(invoice_pages) + 1, 1000, 1400, 120.0, None)
    answer = extractor.extract([*invoice_pages, empty], invoice)
    assert answer == extractor.extract(invoice_pages, invoice)
    assert answer.issues == ()


def test_a_candidate_quotes_the_words_that_stand_in_its_box(
    extractor: EmbeddedExtractor, invoice: Schema, invoice_pages: list[Page]
) -> None:
    answer = extractor.extract(invoice_pages, invoice)
    assert answer.candidates
    for candidate in answer.candidates:
        assert candidate.evidence
        assert candidate.text.split() == [word for evidence in candidate.evidence for word in evidence.text.split()]
        assert 0.0 <= candidate.score <= 1.0
        for evidence, words in zip(candidate.evidence, quoted_words(candidate, invoice_pages), strict=True):
            assert evidence.text and all(part in words for part in evidence.text.split(" "))


def test_a_page_that_the_network_does_not_take_is_the_documents_failure(
    extractor: EmbeddedExtractor, invoice: Schema, invoice_pages: list[Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would come again, so it is not tried again; a ModelError would be, for hours."""

    class Refusing:
        def run(self, *_: object) -> object:
            raise InvalidArgument("Got invalid dimensions for input")

    monkeypatch.setattr(extractor._predictor, "_session", Refusing())
    with pytest.raises(ExtractionError, match="page 1: Got invalid dimensions") as caught:
        extractor.extract(invoice_pages, invoice)
    assert not caught.value.retryable


def test_candidates_come_best_first(extractor: EmbeddedExtractor, invoice: Schema, invoice_pages: list[Page]) -> None:
    scores = [candidate.score for candidate in extractor.extract(invoice_pages, invoice).candidates]
    assert scores == sorted(scores, reverse=True)


def test_rows_are_numbered_through_the_pages(
    extractor: EmbeddedExtractor, invoice: Schema, invoice_pages: list[Page]
) -> None:
    page = invoice_pages[0]
    alone = row_numbers(extractor.extract([page], invoice))
    twice = extractor.extract([page, replace(page, number=2)], invoice)
    assert alone
    assert row_numbers(twice) == set(range(2 * len(alone)))
    for candidate in twice.candidates:
        if row := re.match(r"line_items\[(\d+)\]", candidate.path):
            assert {evidence.page for evidence in candidate.evidence} == {1 + int(row[1]) // len(alone)}


class SureNetwork:
    """In place of the trained network: sure of the columns of `long_page`, by where the words stand."""

    def __init__(self, schema: Schema) -> None:
        column_of = {"line_items[].description": 1, "line_items[].amount": 4, "line_items[]": 0}
        self.columns = [column_of.get(path, -1) for path in field_queries(schema)]

    def run(self, outputs: None, feeds: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        stands_in = np.rint((feeds["boxes"][0, :, 0] - 0.1) / 0.15)
        logits = np.full((1, len(self.columns), 3, len(stands_in)), -9.0, np.float32)
        for field, column in enumerate(self.columns):
            logits[0, field][:, stands_in == column] = 9.0
        tops = feeds["boxes"][0, :, 1]
        same_row = np.where(tops[:, None] == tops[None, :], 9.0, -9.0).astype(np.float32)
        return logits, np.full((1, len(self.columns)), 9.0, np.float32), same_row[None]


def test_a_table_of_1500_words_comes_out_of_its_windows_row_by_row(
    invoice: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = long_page()
    extractor = EmbeddedExtractor(threads=1)
    monkeypatch.setattr(extractor._predictor, "_session", SureNetwork(invoice))
    rows: dict[int, dict[str, str]] = {}
    for candidate in extractor.extract([page], invoice).candidates:
        number, column = re.fullmatch(r"line_items\[(\d+)\]\.(\w+)", candidate.path).groups()
        rows.setdefault(int(number), {})[column] = candidate.text
    printed = [["Item", "Description", "Quantity", "Price", "Amount"], *table_rows()]
    assert [rows[number] for number in sorted(rows)] == [
        {"description": cells[1], "amount": cells[4]} for cells in printed
    ]


def test_the_same_pages_give_the_same_answer(invoice: Schema, invoice_pages: list[Page]) -> None:
    """Also from another session, and when the schema's descriptions are known from earlier pages."""
    first, second = EmbeddedExtractor(), EmbeddedExtractor()
    answer = first.extract(invoice_pages, invoice)
    assert answer == first.extract(invoice_pages, invoice)
    assert answer == second.extract(invoice_pages, invoice)
    assert [answer, answer] == first.extract_many([invoice_pages, invoice_pages], invoice)


@pytest.mark.parametrize("kind", ["invoice", "receipt", "form"])
def test_a_document_says_which_of_the_shipped_schemas_it_is_of(
    extractor: EmbeddedExtractor, read: Read, kind: str
) -> None:
    pages = read(draw(kind, UNSEEN[1], language="en", fonts="standard"))
    answer = extractor.extract(pages, load_schema("auto"))
    assert answer.schema == kind
    assert {candidate.path.partition("[")[0] for candidate in answer.candidates} <= {
        spec.path.partition("[")[0] for spec in load_schema(kind).fields
    }


def first_choice(answer: Answer, path: str) -> str:
    return next((candidate.text for candidate in answer.candidates if candidate.path == path), "")


def printed(drawn: SampleDocument, path: str) -> set[str]:
    return {letters(placed.text) for placed in drawn.printed_values if placed.path == path}


def says(chosen: str, value: str) -> bool:
    """The value, alone or with a currency sign or code."""
    return value in letters(chosen) and len(letters(chosen)) <= len(value) + 3


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


@pytest.mark.parametrize(
    ("kind", "path"), [("receipt", "total"), ("receipt", "date"), ("invoice", "gross_total"), ("invoice", "issue_date")]
)
def test_the_shipped_network_reads_drawn_documents_it_has_not_seen(
    extractor: EmbeddedExtractor, read: Read, kind: str, path: str
) -> None:
    schema = load_schema(kind)
    wrong = []
    for seed in UNSEEN:
        drawn = draw(kind, seed, language="en", fonts="standard")
        chosen = first_choice(extractor.extract(read(drawn), schema), path)
        assert printed(drawn, path), f"seed {seed} prints no {path}: take another"
        if not any(says(chosen, value) for value in printed(drawn, path)):
            wrong.append((seed, chosen, printed(drawn, path)))
    assert len(wrong) <= 1, wrong  # of four: a floor that an untrained network is far below
