"""Two addresses side by side: a value that ran into its neighbour is cut to its own column, and says so."""

from __future__ import annotations

import pytest

from docpipe.data import Box, Candidate, Evidence, Field, Page, Word
from docpipe.schema import load_schema
from tests.support.decisions import decided_fields

HEIGHT, CHARACTER = 0.01, 0.008  # of a page of 1,000 by 1,000 pixels: 2.5 heights are .025
Line = list[tuple[str, float]]  # phrases, each with the place of its left edge


def words_of(lines: list[Line]) -> list[list[Word]]:
    rows: list[list[Word]] = []
    for number, line in enumerate(lines):
        top, row = 0.3 + 0.02 * number, []
        for phrase, edge in line:
            left = edge
            for part in phrase.split():
                right = left + CHARACTER * len(part)
                row.append(Word(part, Box(left, top, right, top + HEIGHT), 0.99, "textlayer", number))
                left = right + CHARACTER
        rows.append(row)
    return rows


def address(lines: list[Line], *, path: str = "buyer_address") -> Field:
    """All of the lines are proposed as one value."""
    rows = words_of(lines)
    quotes = []
    for row in rows:
        box = Box(row[0].box.left, row[0].box.top, row[-1].box.right, row[-1].box.bottom)
        quotes.append(Evidence(1, box, " ".join(word.text for word in row)))
    candidate = Candidate(path, "\n".join(quote.text for quote in quotes), 0.9, tuple(quotes))
    page = Page(1, 1000, 1000, 100.0, None, tuple(word for row in rows for word in row))
    return decided_fields(load_schema("invoice"), [page], [candidate], threshold=0.0)[path]


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (
            [[("Gerberweg 17", 0.1), ("Lagerstr. 3 Tor B", 0.4)], [("28195 Bremen", 0.1), ("27568 Bremerhaven", 0.4)]],
            "Gerberweg 17 28195 Bremen",
        ),
        (  # the other block is shorter, and a third one stands behind it
            [
                [("8 rue du Four", 0.1), ("Quai Ouest", 0.4), ("Facture 88-12", 0.7)],
                [("Bâtiment C", 0.1)],
                [("35000 Rennes", 0.1), ("29200 Brest", 0.4), ("12.09.2023", 0.7)],
            ],
            "8 rue du Four Bâtiment C 35000 Rennes",
        ),
        (  # the other block begins a line below and ends a line below
            [
                [("Calle Luna 4", 0.1)],
                [("Piso 2", 0.1), ("Polígono Sur", 0.4)],
                [("41001 Sevilla", 0.1), ("Nave 12", 0.4)],
                [("11011 Cádiz", 0.4)],
            ],
            "Calle Luna 4 Piso 2 41001 Sevilla",
        ),
    ],
)
def test_the_words_of_the_column_beside_it_are_left_out_and_the_value_is_doubtful(
    lines: list[Line], value: str
) -> None:
    found = address(lines)
    assert found.value == value
    assert " ".join(quote.text for quote in found.evidence) == value
    assert ([issue.code for issue in found.issues], found.accepted) == (["text_ignored"], False)


@pytest.mark.parametrize(
    "lines",
    [
        [[("Gerberweg 17", 0.1), ("28195 Bremen", 0.4)]],  # one line, as letterheads have it
        [[("Gerberweg 17", 0.1)], [("28195", 0.1), ("Bremen", 0.3)]],  # one wide blank
        [[("Gerberweg", 0.1), ("17", 0.19)], [("28195", 0.1), ("Bremen", 0.16)]],
        [  # a line goes through
            [("Gerberweg 17", 0.1), ("Tor B", 0.4)],
            [("Gewerbegebiet am alten Hafen und Speicher", 0.1)],
            [("28195", 0.1), ("Bremen", 0.4)],
        ],
    ],
)
def test_an_address_with_blanks_of_its_own_stays_whole(lines: list[Line]) -> None:
    found = address(lines)
    assert found.value == " ".join(phrase for line in lines for phrase, _ in line)
    assert found.issues == ()


def test_texts_that_are_no_addresses_keep_their_gaps() -> None:
    lines: list[Line] = [[("30 days", 0.1), ("net", 0.4)], [("14 days", 0.1), ("2 % off", 0.4)]]
    assert address(lines, path="payment_terms").value == "30 days net 14 days 2 % off"


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([[("Kerzenhof OHG", 0.1), ("Office chair", 0.4)]], ["gap_in_text"]),  # of the column at the page's edge
        ([[("Kerzenhof OHG", 0.1)], [("Office chair", 0.4)]], ["gap_in_text"]),  # a line above
        ([[("Office", 0.1), ("chair", 0.17)], [("of oak", 0.12)]], []),
    ],
)
def test_a_cell_that_may_have_words_of_another_column_is_doubtful(lines, codes):
    cell = address(lines, path="line_items[0].description")
    assert [issue.code for issue in cell.issues] == codes
    assert cell.accepted is not bool(codes)
