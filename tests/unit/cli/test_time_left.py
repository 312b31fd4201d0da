"""What a run says of the time that is left: it comes near the truth, and it does not jump."""

from __future__ import annotations

from itertools import pairwise

import pytest

from docpipe.cli.time_left import SETTLING_SECONDS, TimeLeft


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nothing_is_said_before_there_is_something_to_go_by(clock):
    left = TimeLeft(10, clock)
    assert left.seconds(0) is None
    left.opened(5)
    clock.now = 1.0
    assert left.seconds(1) is None


def test_at_a_steady_pace_it_is_right_and_counts_down(clock):
    left = TimeLeft(100, clock)
    for number in range(100):
        left.opened(1)
        clock.now += 2.0
        shown = left.seconds(number + 1)
        if number >= 3:
            assert shown == pytest.approx(2.0 * (99 - number), abs=2.0)
    assert shown == pytest.approx(0.0, abs=0.1)


def test_a_long_document_that_is_opened_does_not_make_it_leap(clock):
    left = TimeLeft(200, clock)
    shown = []
    for number in range(60):
        left.opened(40 if number == 30 else 1)
        clock.now += 1.0
        shown.append(left.seconds(number + 1))
    steps = [abs(later - earlier + 1.0) for earlier, later in pairwise(shown[5:])]
    leap = 170 * (40 + 7) / 8 - 170  # what an average over the files opened last makes of the rest at once
    assert max(steps) < leap / SETTLING_SECONDS * 1.2


def test_the_largest_files_first_do_not_stand_for_all(clock):
    """Ten of a hundred pages, then ninety of one: of those the last ones opened speak."""
    left = TimeLeft(100, clock)
    done = 0
    for pages in [100] * 10 + [1] * 70:
        left.opened(pages)
        done += pages
        clock.now += pages
        shown = left.seconds(done)
    assert left.expected_pages == 1_000 + 90
    assert shown < 400, "of nine thousand seconds that the first ones seemed to promise"
