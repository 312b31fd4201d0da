"""How a table looks: its lines, stripes, padding and the print of its header.

In: a random source. Out: a `TableStyle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from docpipe.samples.seeded_random import SeededRandom


@dataclass(frozen=True)
class TableStyle:
    header_filled: bool
    header_lines: Literal["none", "below", "both", "box"]
    row_lines: Literal["none", "horizontal", "grid", "columns"]
    striped: bool
    row_padding: float  # points
    column_gap: float  # points
    grey_lines: bool
    header_text: Literal["bold", "text", "small", "italic"]  # a style of the document's typography
    header_align: Literal["same", "left", "centre"]  # "same": as the cells below
    vertical_align: Literal["top", "middle", "bottom"]  # of cells in a row that others make tall


def make_table_style(rng: SeededRandom) -> TableStyle:
    row_lines: Literal["none", "horizontal", "grid", "columns"] = rng.pick(
        ("none", "none", "horizontal", "grid", "columns")
    )
    return TableStyle(
        header_filled=rng.chance(0.4),
        header_lines=rng.pick(("none", "below", "both", "box", "below")),
        row_lines=row_lines,
        striped=row_lines in ("none", "horizontal") and rng.chance(0.2),
        row_padding=rng.pick((0.5, 1.0, 2.0, 3.0, 4.5, 7.0)),
        column_gap=rng.pick((4.0, 6.0, 8.0)),
        grey_lines=rng.chance(0.4),
        header_text=rng.pick(("bold", "bold", "bold", "text", "small", "italic")),
        header_align=rng.pick(("same", "same", "same", "left", "centre")),
        vertical_align=rng.pick(("top", "top", "middle", "middle", "bottom")),
    )
