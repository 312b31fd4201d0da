"""The last look: digits of values that would be accepted are those of the picture, or the value is not accepted."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from docpipe.acceptance import AcceptancePolicy
from docpipe.confidence import Record, fit
from docpipe.data import Box, Document, Page, PreparedDocument, Word, WordSource
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.picture_check import MAX_WORDS
from docpipe.pipeline import understand
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of

RUN = RunIdentity("0" * 64, "scripted", "key")
LINES = ["Kahvila Lumi Oy", "Yhteensä 86,40 EUR"]
VALUES = {"merchant_name": "Kahvila Lumi Oy", "total": "86,40"}


@dataclass
class SeenWords:
    """A reader to which the picture shows other words than the file says; by default the same."""

    shown: dict[str, str] = field(default_factory=dict)
    confidence: float = 0.97
    asked: list[str] = field(default_factory=list)

    def read(self, document: Document, page: Page) -> Page:
        return page

    def read_words(self, page: Page, boxes: Sequence[Box]) -> list[Word]:
        texts = {word.box: word.text for word in page.words}
        self.asked += [texts[box] for box in boxes]
        return [Word(self.shown.get(texts[box], texts[box]), box, self.confidence, "ocr", 0) for box in boxes]


@pytest.fixture(scope="module")
def trusting() -> AcceptancePolicy:
    """A calibration under which all that is printed and that the extractor says is accepted."""
    records = [
        Record(str(number), group, {"score": 0.9, "match": 1.0}, True)
        for number in range(2_000)
        for group in ("number", "name", "date", "identifier")
    ]
    return AcceptancePolicy(fit(records, "any"))


def understood(reader, policy, *, source: WordSource = "textlayer", lines=LINES, values=VALUES):
    page = with_blank_image(page_of(lines))
    page = replace(page, words=tuple(replace(word, source=source) for word in page.words))
    return understand(
        PreparedDocument([page]),
        load_schema("receipt"),
        extractor=ScriptedExtractor(values),
        run=RUN,
        policy=policy,
        reader=reader,
    )


def field_of(extraction, path):
    return next(value for value in extraction.fields if value.path == path)


def test_a_value_whose_digits_the_picture_does_not_show_is_not_accepted(trusting):
    extraction = understood(SeenWords({"86,40": "36,40"}), trusting)
    total = field_of(extraction, "total")
    assert not total.accepted
    assert str(total.value) == "86.40"
    (issue,) = total.issues
    assert (issue.code, issue.severity) == ("picture_differs", "warning")
    assert issue.message == "the page shows 36,40, where the file's own text has 86,40"
    assert field_of(extraction, "merchant_name").accepted
    assert extraction.status == "needs_review"


@pytest.mark.parametrize("shown", ["86,40", "86.40", "8640", "86,4", "", "B6,40", "EUR"])
def test_what_ocr_confuses_or_cannot_read_speaks_against_no_value(shown, trusting):
    assert field_of(understood(SeenWords({"86,40": shown}), trusting), "total").accepted


def test_an_unsure_reading_speaks_against_no_value(trusting):
    assert field_of(understood(SeenWords({"86,40": "36,40"}, confidence=0.8), trusting), "total").accepted


def test_only_digits_of_a_text_layer_are_read(trusting):
    reader = SeenWords()
    understood(reader, trusting)
    assert reader.asked == ["86,40"]
    from_ocr = SeenWords({"86,40": "36,40"})
    assert field_of(understood(from_ocr, trusting, source="ocr"), "total").accepted
    assert from_ocr.asked == []


def test_single_values_come_first_where_there_are_many_words(trusting):
    lines = [*LINES, *(f"Kahvi {number},50" for number in range(10, 10 + MAX_WORDS))]
    rows = {f"line_items[{number}].amount": f"{number + 10},50" for number in range(MAX_WORDS)}
    reader = SeenWords()
    understood(reader, trusting, lines=lines, values={**rows, **VALUES})
    assert len(reader.asked) <= MAX_WORDS
    assert "86,40" in reader.asked
