"""A mark that is printed apart from its value is in the value, in its raw text and in its evidence."""

import pytest

from docpipe.confidence import Calibration
from docpipe.data import Answer, Box, Candidate, Page, Word
from docpipe.decide import decide
from docpipe.document_index import DocumentIndex
from docpipe.ground import ground
from docpipe.schema import load_schema

CALIBRATION = Calibration.for_extractor("none")
HEIGHT, CHARACTER = 0.02, 0.012  # of the page, which is a square of 1,000 pixels


def page(*placed):
    """Words of one line, each with the place of its left edge."""
    words = [
        Word(
            text, Box(left, 0.5, left + CHARACTER * len(text), 0.5 + (0.002 if text == "-" else HEIGHT)), 1.0, "ocr", 0
        )
        for text, left in placed
    ]
    return DocumentIndex([Page(1, 1000, 1000, 100.0, None, tuple(words))])


def decided(document, schema, path, text):
    answer = ground(Answer((Candidate(path, text, 0.9),)), document)
    fields = decide(answer, load_schema(schema), document, calibration=CALIBRATION, threshold=None)
    return next(field for field in fields if field.path == path)


def total(document, text):
    return decided(document, "invoice", "gross_total", text)


@pytest.mark.parametrize(
    ("placed", "text", "raw"),
    [
        ((("Total", 0.1), ("52,10", 0.5), ("€", 0.57), ("-", 0.59)), "52,10", "52,10 € -"),
        ((("Saldo", 0.1), ("52.10", 0.5), ("CR", 0.57)), "52.10", "52.10 CR"),
        ((("Netto", 0.1), ("-kr", 0.46), ("52,10", 0.5)), "52,10", "-kr 52,10"),
        ((("Betrag", 0.1), ("-", 0.46), ("€", 0.48), ("52,10", 0.5)), "52,10", "- € 52,10"),
    ],
)
def test_the_mark_beside_the_number_makes_it_negative(placed, text, raw):
    field = total(page(*placed), text)
    assert (str(field.value), field.raw, field.evidence[0].text) == ("-52.10", raw, raw)


@pytest.mark.parametrize(
    "placed",
    [
        (("Total", 0.1), ("52,10", 0.5), ("-", 0.7)),  # the dash of an empty cell
        (("Total", 0.1), ("-", 0.165), ("52,10", 0.18)),  # it joins words
        (("Total", 0.1), ("EUR", 0.46), ("52,10", 0.5), ("€", 0.57)),
    ],
)
def test_other_marks_leave_the_number_as_it_was_pointed_at(placed):
    field = total(page(*placed), "52,10")
    assert (str(field.value), field.raw) == ("52.10", "52,10")


def test_a_part_of_a_text_that_does_not_parse_is_doubtful():
    document = page(("17", 0.4), ("52,10", 0.5))
    field = total(document, "17 52,10")
    assert [issue.code for issue in field.issues] == ["text_ignored"]
    assert not field.accepted


@pytest.mark.parametrize(
    ("placed", "raw", "time"),
    [
        ((("3:33", 0.1), ("PM", 0.16)), "3:33 PM", "15:33:00"),
        ((("12:05:10", 0.1), ("a.m.", 0.21)), "12:05:10 a.m.", "00:05:10"),
        ((("3:33", 0.1), ("p.", 0.16), ("m.", 0.19)), "3:33 p. m.", "15:33:00"),
        ((("3:33", 0.1), ("PM", 0.3)), "3:33", "03:33:00"),  # of another column
        ((("9:15", 0.1), ("AM", 0.16)), "9:15", "09:15:00"),  # it changes nothing
    ],
)
def test_the_half_of_the_day_may_be_a_word_of_its_own(placed, raw, time):
    field = decided(page(*placed), "receipt", "time", placed[0][0])
    assert (field.value.isoformat(), field.raw) == (time, raw)
