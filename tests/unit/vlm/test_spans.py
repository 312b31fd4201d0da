"""Logits become values: the numbers alone, without a network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from docpipe.vlm.encode import MAX_WORDS, canvas_picture, canvas_size, word_shape, word_windows
from docpipe.vlm.inputs import END, INSIDE, START
from docpipe.vlm.spans import FieldSpans, ScoredSpan, decode_field, decode_rows, merge_equal_texts

UNLIKELY = -6.0
LIKELY = 6.0
ONE_LINE = [0] * 40


def logits(count: int, *spans: tuple[int, int]) -> np.ndarray:
    """As a network gives them that is sure of these spans (first, last word)."""
    values = np.full((3, count), UNLIKELY, np.float32)
    for first, last in spans:
        values[START, first] = LIKELY
        values[END, last] = LIKELY
        values[INSIDE, first : last + 1] = LIKELY
    return values


def cells_of(columns: dict[str, np.ndarray], *rows_of_words: set[int]) -> list[dict[str, tuple[int, ...]]]:
    """The words of the best choice for each cell of each row, from a network that is sure which words share a row."""
    count = next(iter(columns.values())).shape[1]
    same_row_logits = np.full((count, count), UNLIKELY, np.float32)
    for row in rows_of_words:
        same_row_logits[np.ix_(list(row), list(row))] = LIKELY
    rows = decode_rows(columns, same_row_logits, ONE_LINE[:count])
    return [{path: spans[0].words for path, spans in row.items()} for row in rows]


def field_of(span_logits: np.ndarray, no_answer_logit: float = UNLIKELY) -> FieldSpans:
    """Of words on one line."""
    return decode_field(span_logits, no_answer_logit, ONE_LINE[: span_logits.shape[1]])


def test_a_value_is_the_words_between_its_beginning_and_its_end() -> None:
    field = field_of(logits(10, (3, 5)))
    assert field.spans[0].words == (3, 4, 5)
    assert field.spans[0].score > 0.9
    assert field.no_answer < 0.01


def test_an_absent_field_says_so_and_offers_nothing_likely() -> None:
    field = field_of(logits(10), no_answer_logit=LIKELY)
    assert field.no_answer > 0.95
    assert all(span.score < 0.01 for span in field.spans)


def test_two_places_share_the_probability_and_both_are_offered() -> None:
    spans = field_of(logits(10, (1, 1), (7, 7))).spans
    assert {span.words for span in spans[:2]} == {(1,), (7,)}
    assert spans[0].score == pytest.approx(0.5, abs=0.05)


def test_the_same_text_in_two_places_is_one_answer_with_the_sum_of_both() -> None:
    spans = [ScoredSpan((1,), 0.48, 0.9), ScoredSpan((7,), 0.47, 0.9), ScoredSpan((4,), 0.05, 0.5)]
    merged = merge_equal_texts(spans, ["12.00", "12.00", "11.00"])
    assert [(span.words, round(span.score, 2)) for span in merged] == [((1,), 0.95), ((4,), 0.05)]


def test_words_of_a_column_beside_an_address_are_left_out() -> None:
    values = logits(10, (2, 7))
    values[INSIDE, 4:6] = UNLIKELY
    field = decode_field(values, UNLIKELY, lines=[0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
    assert field.spans[0].words == (2, 3, 6, 7)


def test_no_word_is_lost_between_two_others_of_a_line() -> None:
    values = logits(10, (2, 6))
    values[INSIDE, 4] = UNLIKELY
    assert field_of(values).spans[0].words == (2, 3, 4, 5, 6)


def test_a_word_that_belongs_is_not_left_outside_by_a_close_call() -> None:
    values = logits(10, (3, 5))
    values[START, 2:4] = [LIKELY - 0.1, LIKELY]
    values[END, 5:7] = [LIKELY, LIKELY - 0.1]
    values[INSIDE, [2, 6]] = LIKELY
    assert field_of(values).spans[0].words == (2, 3, 4, 5, 6)


TEXT, AMOUNT = "lines[].text", "lines[].amount"


def test_a_table_becomes_rows() -> None:
    columns = {TEXT: logits(12, (1, 2), (5, 6)), AMOUNT: logits(12, (3, 3), (7, 7))}
    assert cells_of(columns, {1, 3}, {5, 7}) == [{TEXT: (1, 2), AMOUNT: (3,)}, {TEXT: (5, 6), AMOUNT: (7,)}]


def test_a_cell_that_is_read_before_the_row_above_has_ended_still_goes_to_its_own_row() -> None:
    columns = {TEXT: logits(12, (0, 1), (3, 4)), AMOUNT: logits(12, (5, 5), (8, 8))}
    assert cells_of(columns, {0, 5}, {3, 8}) == [{TEXT: (0, 1), AMOUNT: (5,)}, {TEXT: (3, 4), AMOUNT: (8,)}]


def test_a_cell_that_was_missed_leaves_the_other_rows_as_they_are() -> None:
    columns = {TEXT: logits(12, (0, 1), (8, 9)), AMOUNT: logits(12, (3, 3), (7, 7), (11, 11))}
    assert [set(row) for row in cells_of(columns, {0, 3}, {7}, {8, 11})] == [{TEXT, AMOUNT}, {AMOUNT}, {TEXT, AMOUNT}]


def test_a_second_cell_of_a_column_in_a_row_is_another_reading_and_no_row() -> None:
    columns = {TEXT: logits(8, (0, 0), (4, 4)), AMOUNT: logits(8, (2, 2), (3, 3), (7, 7))}
    columns[AMOUNT][START, 3] = LIKELY - 2.0
    assert cells_of(columns, {0, 2, 3}, {4, 7}) == [{TEXT: (0,), AMOUNT: (2,)}, {TEXT: (4,), AMOUNT: (7,)}]


@pytest.mark.parametrize(("second_start", "words"), [(LIKELY - 3.0, (2, 3)), (LIKELY + 3.0, (3,))])
def test_a_number_in_two_words_is_whole_unless_its_second_word_starts_more_surely(
    second_start: float, words: tuple[int, ...]
) -> None:
    columns = {TEXT: logits(8, (0, 0)), AMOUNT: logits(8, (2, 3))}
    columns[AMOUNT][START, 3] = second_start
    assert cells_of(columns, {0, 2, 3}) == [{TEXT: (0,), AMOUNT: words}]


def test_a_start_inside_of_a_surer_cell_is_a_reading_that_nobody_takes_for_a_row() -> None:
    columns = {TEXT: logits(8, (0, 0)), AMOUNT: logits(8, (2, 3))}
    columns[AMOUNT][START, 3] = LIKELY - 3.0
    rows = cells_of(columns, {0, 2}, {3})
    assert rows == [{TEXT: (0,), AMOUNT: (2, 3)}]


def test_two_cells_of_a_column_on_one_line_stay_two() -> None:
    columns = {TEXT: logits(8, (0, 0), (4, 4)), AMOUNT: logits(8, (1, 2), (5, 6))}
    columns[AMOUNT][START, 5] = LIKELY - 3.0
    assert cells_of(columns, {0, 1}, {4, 5}) == [{TEXT: (0,), AMOUNT: (1, 2)}, {TEXT: (4,), AMOUNT: (5, 6)}]


def test_the_number_beside_a_description_of_two_lines_is_no_part_of_it() -> None:
    columns = {TEXT: logits(8, (0, 3)), AMOUNT: logits(8, (2, 2))}
    assert cells_of(columns, {0, 2}) == [{TEXT: (0, 1, 3), AMOUNT: (2,)}]


def test_an_unsure_cell_makes_no_row() -> None:
    columns = {TEXT: logits(8, (0, 0)), AMOUNT: logits(8, (1, 1), (5, 5))}
    columns[AMOUNT][START, 5] = -1.0
    assert cells_of(columns, {0, 1}, {5}) == [{TEXT: (0,), AMOUNT: (1,)}]


def test_windows_cover_every_word_and_overlap() -> None:
    for count in (1, MAX_WORDS, MAX_WORDS + 1, 3 * MAX_WORDS, 5000):
        parts = word_windows(count)
        assert parts[0].start == 0
        assert parts[-1].stop == count
        assert all(len(part) <= MAX_WORDS for part in parts)
        assert all(following.start < part.stop for part, following in pairwise(parts))


def test_words_that_look_alike_share_a_shape() -> None:
    assert word_shape("12/03/2018") == word_shape("31/12/1999")
    assert word_shape("12/03/2018") != word_shape("12.03.2018")


def test_the_canvas_shows_ink_on_any_paper_and_keeps_the_aspect() -> None:
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (300, 900), (180, 180, 170))
    ImageDraw.Draw(page).rectangle([100, 400, 200, 500], fill=(10, 10, 10))
    ink = canvas_picture(page)
    width, height = canvas_size(3.0)
    assert ink[height // 2, width // 2] > 0.8
    assert ink[height // 10, width // 2] < 0.05
    assert ink[:, width + 1 :].max() == 0.0


def test_on_a_page_that_lies_askew_a_row_keeps_to_its_line() -> None:
    columns = {"description": logits(4, (0, 0), (2, 2)), "amount": logits(4, (1, 1), (3, 3))}
    same_row_logits = np.full((4, 4), UNLIKELY, np.float32)
    same_row_logits[1, 2] = same_row_logits[2, 1] = 1.5  # the first amount stands as low as the second article
    same_row_logits[[0, 1, 2, 3], [1, 0, 3, 2]] = -1.5
    rows = decode_rows(columns, same_row_logits, [0, 0, 1, 1])
    assert [{path: spans[0].words for path, spans in row.items()} for row in rows] == [
        {"description": (0,), "amount": (1,)},
        {"description": (2,), "amount": (3,)},
    ]
    never = np.full((4, 4), 2 * UNLIKELY, np.float32)
    assert len(decode_rows(columns, never, [0, 0, 1, 1])) == 4, "the network may say no"
