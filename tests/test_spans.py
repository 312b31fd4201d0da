"""Logits become values: the numbers alone, without a network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from docpipe.vlm.encode import MAX_WORDS, canvas, fitted, windows, word_shape
from docpipe.vlm.spans import BEGIN, END, INSIDE, Choice, merged, rows, single

FAR = -6.0
NEAR = 6.0


def logits(count: int, *spans: tuple[int, int]) -> np.ndarray:
    """As a network gives them that is sure of these spans (first, last word)."""
    values = np.full((3, count), FAR, np.float32)
    for first, last in spans:
        values[BEGIN, first] = NEAR
        values[END, last] = NEAR
        values[INSIDE, first : last + 1] = NEAR
    return values


def test_a_value_is_the_words_between_its_beginning_and_its_end() -> None:
    choices, absent = single(logits(10, (3, 5)), absent=FAR)
    assert choices[0].words == (3, 4, 5)
    assert choices[0].score > 0.9
    assert absent < 0.01


def test_an_absent_field_says_so_and_offers_nothing_likely() -> None:
    choices, absent = single(logits(10), absent=NEAR)
    assert absent > 0.95
    assert all(choice.score < 0.01 for choice in choices)


def test_two_places_share_the_probability_and_both_are_offered() -> None:
    choices, _ = single(logits(10, (1, 1), (7, 7)), absent=FAR)
    assert {choice.words for choice in choices[:2]} == {(1,), (7,)}
    assert choices[0].score == pytest.approx(0.5, abs=0.05)


def test_the_same_text_in_two_places_is_one_answer_with_the_sum_of_both() -> None:
    choices = [Choice((1,), 0.48, 0.9), Choice((7,), 0.47, 0.9), Choice((4,), 0.05, 0.5)]
    joined = merged(choices, ["12.00", "12.00", "11.00"])
    assert [(c.words, round(c.score, 2)) for c in joined] == [((1,), 0.95), ((4,), 0.05)]


def test_a_word_of_another_column_inside_an_address_is_left_out() -> None:
    values = logits(10, (2, 6))
    values[INSIDE, 4] = FAR
    choices, _ = single(values, absent=FAR)
    assert choices[0].words == (2, 3, 5, 6)


def test_a_table_becomes_rows_by_where_each_row_begins() -> None:
    columns = {"lines[].text": logits(12, (1, 2), (5, 6)), "lines[].amount": logits(12, (3, 3), (8, 8))}
    starts = logits(12, (1, 1), (5, 5))
    table = rows(columns, starts, [i // 4 for i in range(12)])
    assert [{path: cells[0].words for path, cells in row.items()} for row in table] == [
        {"lines[].text": (1, 2), "lines[].amount": (3,)},
        {"lines[].text": (5, 6), "lines[].amount": (8,)},
    ]


def test_a_missed_beginning_of_a_row_does_not_put_two_amounts_into_one_row() -> None:
    columns = {"lines[].text": logits(12, (1, 2), (5, 6)), "lines[].amount": logits(12, (3, 3), (8, 8))}
    table = rows(columns, logits(12, (1, 1)), [i // 4 for i in range(12)])
    assert [row["lines[].amount"][0].words for row in table if "lines[].amount" in row] == [(3,), (8,)]


def test_what_stands_before_the_first_row_is_not_a_row() -> None:
    table = rows({"lines[].amount": logits(12, (0, 0), (6, 6))}, logits(12, (5, 5)), [0] * 12)
    assert [row["lines[].amount"][0].words for row in table] == [(6,)]


def test_windows_cover_every_word_and_overlap() -> None:
    for count in (1, MAX_WORDS, MAX_WORDS + 1, 3 * MAX_WORDS, 5000):
        parts = windows(count)
        assert parts[0][0] == 0
        assert parts[-1][1] == count
        assert all(stop - start <= MAX_WORDS for start, stop in parts)
        assert all(following < stop for (_, stop), (following, _) in pairwise(parts))


def test_words_that_look_alike_share_a_shape() -> None:
    assert word_shape("12/03/2018") == word_shape("31/12/1999")
    assert word_shape("12/03/2018") != word_shape("12.03.2018")


def test_the_canvas_shows_ink_on_any_paper_and_keeps_the_aspect() -> None:
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (300, 900), (180, 180, 170))
    ImageDraw.Draw(page).rectangle([100, 400, 200, 500], fill=(10, 10, 10))
    ink = canvas(page)
    width, height = fitted(3.0)
    assert ink[height // 2, width // 2] > 0.8
    assert ink[height // 10, width // 2] < 0.05
    assert ink[:, width + 1 :].max() == 0.0


def test_a_row_ends_where_nothing_follows_for_some_lines_even_if_the_next_beginning_was_missed() -> None:
    columns = {"lines[].text": logits(40, (1, 2)), "lines[].amount": logits(40, (33, 33))}
    table = rows(columns, logits(40, (1, 1)), [i // 4 for i in range(40)])
    assert [sorted(row) for row in table] == [["lines[].text"], ["lines[].amount"]]
