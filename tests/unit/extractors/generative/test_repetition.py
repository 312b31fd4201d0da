"""When an answer goes round in circles, and when a page honestly says the same thing again."""

from __future__ import annotations

import json
import random

import pytest

from docpipe.extractors.generative.repetition import CHARACTER_LIMITS, MAX_EQUAL_ROWS, TOKEN_LIMITS, is_looping


def _steps_until_noticed(before: list[int], piece: list[int], most: int = 10_000) -> int:
    """How many tokens of the loop are written before it is noticed."""
    written = list(before)
    for step in range(most):
        if is_looping(written):
            return step
        written.append(piece[step % len(piece)])
    return most


def test_a_word_that_is_said_again_and_again_is_noticed_within_forty_tokens() -> None:
    assert _steps_until_noticed([1, 2, 3], [7]) == TOKEN_LIMITS.min_repeated
    assert _steps_until_noticed([1, 2, 3], [7, 8, 9]) == TOKEN_LIMITS.min_repeated


@pytest.mark.parametrize("length", range(1, TOKEN_LIMITS.max_period + 1))
def test_a_loop_of_any_length_is_noticed_wherever_it_stands(length: int) -> None:
    draw = random.Random(length)
    before = [draw.randrange(1000) for _ in range(draw.randrange(300))]
    piece = [*(draw.randrange(1000) for _ in range(length - 1)), 1001]
    assert _steps_until_noticed(before, piece) <= max(TOKEN_LIMITS.min_repeated, length * MAX_EQUAL_ROWS)


def test_a_loop_that_is_over_is_none() -> None:
    assert is_looping([5] * 60)
    assert not is_looping([*[5] * 60, 6])


def test_text_that_does_not_repeat_is_no_loop_at_any_step() -> None:
    draw = random.Random(3)
    written = [draw.randrange(40) for _ in range(1500)]
    assert not any(is_looping(written[:length]) for length in range(len(written) + 1))


def test_noughts_in_an_identifier_are_no_loop() -> None:
    assert not is_looping([1, 2, *[0] * 34])
    assert not is_looping('{"iban": "DE' + "0" * 34)


def test_twelve_beers_on_twelve_lines_are_no_loop() -> None:
    row = {"item": "Beer", "net": "3.50"}
    text = json.dumps({"rows": [row] * 12})
    assert not any(is_looping(text[:length]) for length in range(len(text) + 1))
    tokens = [ord(letter) for piece in [row] * 12 for letter in json.dumps(piece)[:18]]
    assert not is_looping(tokens)


def test_a_row_that_never_ends_to_come_is_a_loop() -> None:
    row = json.dumps({"item": "Beer", "net": "3.50"}) + ", "
    assert is_looping('{"rows": [' + row * (MAX_EQUAL_ROWS + 1))


def test_rows_that_differ_in_one_figure_are_no_loop() -> None:
    text = json.dumps({"rows": [{"item": "Beer", "line": number} for number in range(60)]})
    assert not any(is_looping(text[:length]) for length in range(len(text) + 1))


def test_text_is_looked_at_by_its_characters() -> None:
    assert is_looping("The total is " + "the total is " * 20)
    assert not is_looping("The total is " + "the total is " * 3)
    assert is_looping("." * CHARACTER_LIMITS.min_repeated)


@pytest.mark.parametrize("sequence", ["", "a", [], [1]])
def test_nothing_is_no_loop(sequence: str | list[int]) -> None:
    assert not is_looping(sequence)
