"""Reading order: words with places in, lines of text out."""

from __future__ import annotations

import math
import random

from docpipe.data import Box, Word
from docpipe.read.order import TextRun, in_reading_order

ASPECT = 0.7  # A4
HEIGHT = 0.012  # of a line, in page heights


def run(text: str, left: float, top: float, *, height: float = HEIGHT, slope: float = 0.0) -> TextRun:
    """A run as OCR would give it: its words side by side from `left` (page widths), its top in page heights."""
    words, x = [], left
    for part in text.split():
        width = len(part) * height * 0.5 / ASPECT
        fall = slope * (x + width / 2) * ASPECT
        words.append(Word(part, Box(x, top + fall, x + width, top + height + fall), 1.0, "ocr", 0))
        x += width + height * 0.4 / ASPECT
    fall = slope * (left + words[-1].box.right) / 2 * ASPECT
    return TextRun(tuple(words), Box(left, top + fall, words[-1].box.right, top + height + fall))


def lines(runs: list[TextRun], *, slope: float = 0.0) -> list[str]:
    shuffled = random.Random(7).sample(runs, len(runs))
    words = in_reading_order(shuffled, aspect=ASPECT, slope=slope)
    assert sorted(word.text for word in words) == sorted(word.text for text_run in runs for word in text_run.words)
    assert [word.line for word in words] == sorted(word.line for word in words)
    grouped: dict[int, list[str]] = {}
    for word in words:
        grouped.setdefault(word.line, []).append(word.text)
    return [" ".join(texts) for texts in grouped.values()]


def test_a_table_is_read_row_by_row() -> None:
    rows = [("Pencil HB", "10", "0.50", "5.00"), ("Paper A4", "2", "4.00", "8.00"), ("Stapler", "1", "9.90", "9.90")]
    runs = [
        run(cell, left, 0.3 + 0.02 * number)
        for number, row in enumerate(rows)
        for cell, left in zip(row, (0.1, 0.5, 0.65, 0.8), strict=True)
    ]
    assert lines(runs) == [" ".join(row) for row in rows]


def test_two_addresses_side_by_side_are_read_one_after_the_other() -> None:
    seller = ["Muster GmbH", "Hauptweg 12", "80331 Muenchen", "Deutschland"]
    buyer = ["Sample Trading Ltd", "7 Station Road", "Leeds LS1 4DY"]
    runs = [run(text, 0.1, 0.1 + 0.018 * i) for i, text in enumerate(seller)]
    runs += [run(text, 0.6, 0.104 + 0.018 * i) for i, text in enumerate(buyer)]
    assert lines(runs) == [*seller, *buyer]


def test_three_blocks_in_a_footer_are_kept_apart() -> None:
    blocks = [
        ["Muster GmbH", "Hauptweg"],
        ["Volksbank Musterstadt", "Konto Geschaeft"],
        ["Amtsgericht Ulm", "Leitung Eva"],
    ]
    runs = [
        run(text, 0.1 + 0.3 * column, 0.9 + 0.016 * row)
        for column, block in enumerate(blocks)
        for row, text in enumerate(block)
    ]
    assert lines(runs) == [text for block in blocks for text in block]


def test_a_label_and_its_value_are_one_line_across_a_wide_gap() -> None:
    pairs = [("Invoice number:", "AB-1203 Berlin"), ("Reference:", "Harbour project"), ("Contact:", "Maria Silva")]
    runs = [run(label, 0.1, 0.2 + 0.02 * i) for i, (label, _) in enumerate(pairs)]
    runs += [run(value, 0.5, 0.2 + 0.02 * i) for i, (_, value) in enumerate(pairs)]
    assert lines(runs) == [f"{label} {value}" for label, value in pairs]


def test_a_receipts_prices_stay_with_their_goods() -> None:
    goods = [("Brown bread", "3.20"), ("Butter salted", "2.95"), ("TOTAL", "6.15")]
    runs = [run(text, 0.05, 0.2 + 0.02 * i) for i, (text, _) in enumerate(goods)]
    runs += [run(price, 0.85, 0.2 + 0.02 * i) for i, (_, price) in enumerate(goods)]
    assert lines(runs) == [f"{text} {price}" for text, price in goods]


def test_a_skewed_page_keeps_its_lines_together() -> None:
    slope = math.tan(math.radians(4))
    rows = [("Pencil HB", "10", "5.00"), ("Paper A4", "2", "8.00"), ("Stapler", "1", "9.90")]
    runs = [
        run(cell, left, 0.3 + 0.018 * number, slope=slope)
        for number, row in enumerate(rows)
        for cell, left in zip(row, (0.05, 0.5, 0.85), strict=True)
    ]
    assert lines(runs, slope=slope) == [" ".join(row) for row in rows]


def test_text_that_runs_up_the_margin_comes_last() -> None:
    margin = TextRun((Word("Form1203", Box(0.01, 0.1, 0.03, 0.9), 1.0, "ocr", 0),), Box(0.01, 0.1, 0.03, 0.9))
    runs = [margin, run("Dear Madam", 0.1, 0.2), run("thank you", 0.1, 0.22)]
    assert lines(runs) == ["Dear Madam", "thank you", "Form1203"]


def test_words_of_different_size_on_one_line_stay_on_it() -> None:
    runs = [run("TOTAL", 0.1, 0.5, height=0.02), run("12.50", 0.7, 0.504), run("Thank you", 0.1, 0.53)]
    assert lines(runs) == ["TOTAL 12.50", "Thank you"]


def test_an_empty_page_has_no_lines() -> None:
    assert in_reading_order([], aspect=ASPECT) == ()
