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


def cells_of(columns: dict[str, np.ndarray], per_line: int) -> list[dict[str, tuple[int, ...]]]:
    """The words of the best choice for each cell of each row."""
    count = next(iter(columns.values())).shape[1]
    table = rows(columns, [word // per_line for word in range(count)])
    return [{path: choices[0].words for path, choices in row.items()} for row in table]


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


def test_a_word_that_belongs_is_not_left_outside_by_a_close_call() -> None:
    values = logits(10, (3, 5))
    values[BEGIN, 2:4] = [NEAR - 0.1, NEAR]
    values[END, 5:7] = [NEAR, NEAR - 0.1]
    values[INSIDE, [2, 6]] = NEAR
    choices, _ = single(values, absent=FAR)
    assert choices[0].words == (2, 3, 4, 5, 6)


def test_a_table_becomes_rows() -> None:
    columns = {"lines[].text": logits(12, (1, 2), (5, 6)), "lines[].amount": logits(12, (3, 3), (7, 7))}
    assert cells_of(columns, per_line=4) == [
        {"lines[].text": (1, 2), "lines[].amount": (3,)},
        {"lines[].text": (5, 6), "lines[].amount": (7,)},
    ]


def test_the_next_row_begins_where_its_description_does_and_the_amount_may_stand_a_line_below() -> None:
    columns = {"lines[].text": logits(16, (0, 1), (8, 9)), "lines[].amount": logits(16, (5, 5), (13, 13))}
    assert cells_of(columns, per_line=4) == [
        {"lines[].text": (0, 1), "lines[].amount": (5,)},
        {"lines[].text": (8, 9), "lines[].amount": (13,)},
    ]


def test_a_cell_that_was_missed_leaves_the_other_rows_as_they_are() -> None:
    columns = {"lines[].text": logits(12, (0, 1), (8, 9)), "lines[].amount": logits(12, (3, 3), (7, 7), (11, 11))}
    assert [sorted(row) for row in cells_of(columns, per_line=4)] == [
        ["lines[].amount", "lines[].text"],
        ["lines[].amount"],
        ["lines[].amount", "lines[].text"],
    ]


def test_a_wrong_second_cell_on_a_line_is_another_reading_and_no_row() -> None:
    amounts = logits(8, (2, 2), (3, 3), (7, 7))
    columns = {
        "lines[].text": logits(8, (0, 0), (4, 4)),
        "lines[].unit": logits(8, (1, 1), (5, 5)),
        "lines[].amount": amounts,
    }
    assert len(cells_of(columns, per_line=4)) == 2


def test_two_pairs_on_one_line_are_two_rows() -> None:
    columns = {"pairs[].label": logits(4, (0, 0), (2, 2)), "pairs[].value": logits(4, (1, 1), (3, 3))}
    assert cells_of(columns, per_line=4) == [
        {"pairs[].label": (0,), "pairs[].value": (1,)},
        {"pairs[].label": (2,), "pairs[].value": (3,)},
    ]


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


def test_a_row_ends_where_nothing_follows_for_some_lines() -> None:
    columns = {"lines[].text": logits(40, (1, 2)), "lines[].amount": logits(40, (33, 33))}
    assert [sorted(row) for row in cells_of(columns, per_line=4)] == [["lines[].text"], ["lines[].amount"]]
