"""A page's words as text: columns stay columns, and within a budget what matters stays."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from docpipe import pipeline
from docpipe.components import ModelName, load_components
from docpipe.config import load_settings
from docpipe.errors import ModelError
from docpipe.extractors.generative.page_words import LEFT_OUT, page_text, rows_of, token_count, within_budget
from docpipe.extractors.generative.picture_extractor import PictureExtractor, generative_extractor
from docpipe.samples import draw
from docpipe.schema import load_schema
from tests.support.fake_backend import FakeBackend, replying_with
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of

LINES = ["Acme Ltd", "Date 25/12/2018", "Total 80.90"]


@pytest.fixture(scope="module")
def invoice_page(tmp_path_factory):
    """A drawn invoice with a table, as it is read, and what is printed in its rows."""
    sample = draw("invoice", 9_460_000, fonts="standard")
    path = tmp_path_factory.mktemp("page") / "invoice.pdf"
    path.write_bytes(sample.pdf)
    with closing(load_components(ModelName("embedded"), load_settings({}), threads=1)) as components:
        parts = components.parts
        prepared = pipeline.prepare(components.open(path), parts.rasteriser, parts.reader)
    return prepared.pages[0]


def test_rows_come_from_top_to_bottom_and_no_word_is_lost(invoice_page):
    rows = rows_of(invoice_page)
    printed = sorted(word.text for word in invoice_page.words)
    assert sorted(" ".join(row.text for row in rows).split()) == sorted(" ".join(printed).split()), "no word is lost"
    assert [row.top for row in rows] == pytest.approx(sorted(row.top for row in rows), abs=0.01)


def test_a_column_begins_at_one_place_in_all_rows():
    words = [word for y, name, amount in ((0.1, "Tea", "2.00"), (0.13, "Long pie", "10.90"), (0.16, "Jam", "3.50"))
             for word in words_at(y, (0.1, name), (0.6, amount))]  # fmt: skip
    page = replace(page_of([]), words=tuple(words))
    assert len({row.text.index(row.text.split()[-1]) for row in rows_of(page)}) == 1


def words_at(top: float, *texts: tuple[float, str]):
    """Words of one row; each text begins at its place."""
    (sample,) = page_of(["x"]).words
    for left, text in texts:
        for number, part in enumerate(text.split()):
            start = left + 0.012 * (len(" ".join(text.split()[:number])) + bool(number))
            box = replace(sample.box, left=start, right=start + 0.012 * len(part), top=top, bottom=top + 0.012)
            yield replace(sample, text=part, box=box)


def test_a_gap_between_rows_is_a_blank_row():
    page = replace(page_of([]), words=(*words_at(0.1, (0.1, "Head")), *words_at(0.5, (0.1, "Foot"))))
    assert page_text(rows_of(page)) == "Head\n\nFoot"


def test_within_a_budget_rows_that_matter_stay_and_gaps_are_shown():
    prose = [f"This sentence number {word} says nothing at all to anybody" for word in "abcdefghijklmnopqrstuvwxyz"]
    rows = rows_of(page_of([*prose[:14], "Total 80.90", *prose[14:]]))
    budget = sum(token_count(row.text) for row in rows) // 2
    (shown,) = within_budget([rows], budget, frozenset({"total"}))
    texts = [row.text for row in shown]
    assert "Total 80.90" in texts and LEFT_OUT in texts
    assert sum(token_count(text) for text in texts if text != LEFT_OUT) <= budget
    assert within_budget([rows], 10_000, frozenset()) == [rows]


@pytest.mark.parametrize(("see", "pictures", "words"), [("picture", 1, 0), ("words", 0, 1), ("both", 1, 1)])
def test_a_model_is_shown_what_was_asked_for(see, pictures, words):
    backend = FakeBackend(replying_with({"total": "80.90"}))
    extractor = generative_extractor(backend, see=see, word_tokens=1_000, with_examples=False)
    extractor.extract([with_blank_image(page_of(LINES))], load_schema("receipt"))
    (prompt,) = backend.prompts
    assert len(prompt.images) == pictures
    assert sum("Total 80.90" in part for part in prompt.parts if isinstance(part, str)) == words


def test_without_a_wish_a_model_gets_what_it_can_see():
    blind = FakeBackend(replying_with({}), sees_pictures=False)
    extractor = generative_extractor(blind, word_tokens=1_000, with_examples=False)
    assert extractor.reads_parts and not isinstance(extractor, PictureExtractor)
    seeing = generative_extractor(FakeBackend(replying_with({})), word_tokens=1_000, with_examples=False)
    assert isinstance(seeing, PictureExtractor) and not seeing.reads_parts
    assert seeing.name != extractor.name
    with pytest.raises(ModelError, match="takes no pictures"):
        generative_extractor(blind, see="both", word_tokens=1_000, with_examples=False)
    eyes_alone = FakeBackend(replying_with({}), reads_words=False)
    with pytest.raises(ModelError, match="reads pictures alone"):
        generative_extractor(eyes_alone, see="words", word_tokens=1_000, with_examples=False)


def test_examples_are_shown_only_to_those_who_ask():
    schema = load_schema("invoice")
    example = "Nordlicht Werkzeuge GmbH"
    for with_examples in (False, True):
        backend = FakeBackend(replying_with({}))
        extractor = generative_extractor(backend, word_tokens=1_000, with_examples=with_examples)
        extractor.extract([with_blank_image(page_of(LINES))], schema)
        assert (example in str(backend.prompts[0].parts[0])) is with_examples


def test_a_list_has_no_more_rows_than_the_page(tmp_path):
    backend = FakeBackend(replying_with({}))
    PictureExtractor(backend).extract([with_blank_image(page_of(LINES))], load_schema("receipt"))
    (slot,) = (slot for slot in backend.prompts[0].slots if slot.is_list)
    assert slot.value_schema["maxItems"] == 16


def test_a_page_on_which_no_word_was_read_is_said_not_to_be_shown_to_a_model_without_eyes():
    backend = FakeBackend(replying_with({}), sees_pictures=False)
    extractor = generative_extractor(backend, word_tokens=1_000, with_examples=False)
    answer = extractor.extract([with_blank_image(page_of([]))], load_schema("receipt"))
    assert [issue.code for issue in answer.issues] == ["nothing_read"]
    assert backend.prompts == []
