"""What is drafted from the words of a page, as the text of an output grows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docpipe.extractors.generative.backend import OutputSlot, object_schema
from docpipe.extractors.local.engine.page_text import PageText
from docpipe.extractors.local.engine.prompt_lookup import PromptLookup

CELL = {"type": ["string", "null"], "maxLength": 60}
NAME = OutputSlot("seller.name", CELL, 60)
ROWS = OutputSlot(
    "line_items", {"type": "array", "items": object_schema(dict.fromkeys(("text", "count", "unit", "net"), CELL))}, 900
)
LINES = (
    "Muster & Söhne GmbH",
    'Schmidt "Büro" KG',
    "Text Menge Preis",
    "Papier A4 weiß 2 10,00",
    "Stift 10 5,50",
    "Ordner breit 3 12,30",
    "Summe 27,80",
)
PLENTY = 40  # tokens


def after(written: str, slot: OutputSlot = NAME, lines: tuple[str, ...] = LINES, tokens: int = PLENTY) -> str:
    lookup = PromptLookup(PageText(lines), slot)
    for byte in written.encode():  # a token may end anywhere, within a character too
        lookup.advance(bytes([byte]))
    return lookup.draft_text(tokens).text


def test_a_value_that_has_begun_goes_on_as_its_line_does_and_is_closed_there():
    assert after('{"seller.name": "Mus') == 'ter & Söhne GmbH"}'
    assert after('{"seller.name": "Muster & Söhne') == ' GmbH"}'
    assert after('{"seller.name": "Muster & Söhne GmbH') == '"}'


def test_the_beginning_of_a_single_field_is_not_drafted():
    assert after('{"seller.name": ') == after('{"seller.name": "') == after("") == ""


def test_what_is_not_printed_is_not_drafted():
    assert after('{"seller.name": "Maier') == ""
    assert after('{"seller.name": "uster') == "", "a value begins where a word does"
    assert after('{"seller.name": "Mus', lines=("",)) == after('{"seller.name": "Mus', lines=()) == ""


def test_a_draft_is_written_as_json_writes_it():
    assert after('{"seller.name": "Schmidt') == ' \\"Büro\\" KG"}'
    assert after('{"seller.name": "Schmidt \\"B') == 'üro\\" KG"}'
    assert after('{"seller.name": "Schmidt \\') == "", "an escape that has only begun"


def rows(*cells: tuple[str | None, ...]) -> list[dict[str, str | None]]:
    return [dict(zip(("text", "count", "unit", "net"), row, strict=True)) for row in cells]


FIRST = ("Papier A4 weiß", "2", None, "10,00")
SECOND = ("Stift", "10", None, "5,50")
THIRD = ("Ordner breit", "3", None, "12,30")


def begun(*cells: tuple[str | None, ...]) -> str:
    """Up to the end of the last of these rows."""
    return json.dumps({"line_items": rows(*cells)}, ensure_ascii=False)[:-2]


def test_after_a_row_the_next_is_drafted_whole_from_the_words_that_follow():
    draft = after(begun(FIRST), ROWS)
    assert draft.startswith(begun(FIRST, SECOND, THIRD)[len(begun(FIRST)) :]), "and the one after it"
    assert after(begun(FIRST, SECOND), ROWS).startswith(begun(FIRST, SECOND, THIRD)[len(begun(FIRST, SECOND)) :])


def test_a_cell_of_the_first_row_goes_on_with_the_words_behind_the_cell_before_it():
    assert after('{"line_items": [{"text": "Papier A4 weiß", "count": "', ROWS) == "2 10,00"
    assert after('{"line_items": [{"text": "Papier A4 weiß", "count":', ROWS) == ' "2 10,00'
    assert after('{"line_items": [{"text": "Pap', ROWS) == "ier A4 weiß 2 10,00"


def test_within_a_row_the_draft_goes_on_where_the_output_has_come_to():
    whole = begun(FIRST, SECOND)
    for at in range(len(begun(FIRST)), len(whole)):
        draft = after(whole[:at], ROWS)
        expected = whole[at : at + 12]
        is_key = whole[:at].count('"') % 2 == 1 and '": ' in whole[at : at + 9] and not draft
        assert is_key or draft.startswith(expected[: len(draft)]) or whole[:at].endswith('"'), (whole[:at], draft)


def test_a_draft_is_as_long_as_it_is_asked_for():
    assert len(after(begun(FIRST), ROWS, tokens=2)) <= 16


@pytest.mark.parametrize(
    "written",
    [
        "[[[",
        "}}}]]]",
        '{"a": [1, 2, {"b": {"c": "',
        '"\\',
        '{"line_items": ["a", "b',
        "null null",
        '{"line_items": [[{"text": "',
    ],
)
def test_no_text_is_too_strange(written: str):
    for slot in (NAME, ROWS, OutputSlot("list", {"type": "array", "items": CELL}, 9)):
        for lines in (LINES, (), ("",), ('"', "\\", "\x00", "é" * 500)):
            assert isinstance(after(written, slot, lines), str)


def test_rows_of_any_shape_are_read_without_an_end_being_missed():
    """Cells that are not printed, that are printed elsewhere, and rows of which nothing is."""
    strange: Any = [(None, None, None, None), ("", "", "", ""), ("nowhere", "27,80", "Text", "Muster"), FIRST, THIRD]
    for row in strange:
        for other in strange:
            text = begun(row, other)
            for at in range(len(text)):
                assert isinstance(after(text[:at], ROWS), str)
