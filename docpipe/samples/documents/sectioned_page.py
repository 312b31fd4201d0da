"""A page of sections and a table: what orders, statements, delivery notes and forms have in common.

In: titled sections of label and value, a table, sums, notes. Out: all of it drawn, over more pages if needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.samples.canvas.canvas import Piece
from docpipe.samples.canvas.table import Cell, Column, Table, make_table_style
from docpipe.samples.content.words import words
from docpipe.samples.documents.invoice.letterhead import Sheet, draw_logo
from docpipe.samples.documents.invoice.metadata_block import Entry, draw_meta


@dataclass(frozen=True)
class Section:
    title: str
    entries: Sequence[Entry]


@dataclass
class Paper:
    """`sums` are rows of label and amount below the table; `rows` may be followed by small lines (`under`)."""

    title: Piece
    sections: Sequence[Section]
    columns: Sequence[Column] = ()
    rows: Sequence[Mapping[str, Cell]] = ()
    under: Mapping[int, Sequence[str]] = field(default_factory=dict)
    sums: Sequence[tuple[str, Sequence[Piece]]] = ()
    notes: Sequence[str] = ()


def draw_paper(sheet: Sheet, paper: Paper) -> None:
    y = _draw_title(sheet, paper)
    y = _draw_sections(sheet, paper.sections, y)
    if sheet.dice.chance(0.15) and paper.sums:
        y = draw_sums(sheet, paper.sums, y) + sheet.look.line
    if paper.columns:
        y = _draw_table(sheet, paper, y)
    bottom = sheet.pen.height - sheet.margin * 1.3
    if y + sheet.look.line * (2 + 1.4 * len(paper.sums)) > bottom:
        y = next_page(sheet)
    y = draw_sums(sheet, paper.sums, y + sheet.look.line)
    for note in paper.notes:
        if y + sheet.look.line * 4 > bottom:
            y = next_page(sheet)
        y = sheet.pen.paragraph((sheet.margin, y + sheet.look.line), sheet.inner, note, sheet.look.small)
    _page_number(sheet)


def next_page(sheet: Sheet) -> float:
    _page_number(sheet)
    sheet.pen.next_page()
    return sheet.margin + sheet.look.line


def _page_number(sheet: Sheet) -> None:
    pen, dice = sheet.pen, sheet.dice
    if dice.chance(0.6):
        text = dice.pick(words(sheet.manner.language)["page"]).format(n=pen.page_number, m=pen.page_number)
        pen.write(dice.pick((sheet.right - 40, pen.width / 2)), pen.height - sheet.margin * 0.4, text, sheet.look.small)


def _draw_title(sheet: Sheet, paper: Paper) -> float:
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    y = sheet.margin + look.line
    if dice.chance(0.5):
        draw_logo(sheet, dice.pick((sheet.margin, sheet.right - 50)), y - 8, 40)
    if dice.chance(0.4):
        printed = f"{dice.pick(('Print Date', 'Printed', 'Run', ''))} {sheet.manner.date(sheet.day)}".strip()
        pen.write(sheet.right - 60, y - look.line * 0.6, printed, look.small, "right")
    ink = dice.pick((look.bold, look.accented)).sized(1.3 + dice.random())
    align, x = dice.pick((("centre", pen.width / 2), ("left", sheet.margin + 55), ("centre", pen.width / 2)))
    pen.write(x, y + ink.size, paper.title, ink, align)  # type: ignore[arg-type]
    return y + max(ink.size * 2, 45)


def _draw_sections(sheet: Sheet, sections: Sequence[Section], y: float) -> float:
    """Below each other, or in two columns."""
    dice, look, pen = sheet.dice, sheet.look, sheet.pen
    columns = 2 if dice.chance(0.6) and len(sections) > 1 else 1
    width = sheet.inner / columns - (10 if columns > 1 else 0)
    bottoms = [y] * columns
    titled, ruled = dice.chance(0.6), dice.chance(0.4)
    for number, section in enumerate(sections):
        column = number % columns
        left, top = sheet.margin + column * (width + 20), bottoms[column] + look.line
        if ruled:
            pen.rule(left, left + width, top - look.line, 0.8, look.accent)
        if titled and section.title:
            pen.write(left, top, section.title, look.accented)
            top += look.line * 1.3
        bottoms[column] = draw_meta(sheet, section.entries, (left, top), width) + look.line * 0.6
    return max(bottoms)


def _draw_table(sheet: Sheet, paper: Paper, y: float) -> float:
    style = make_table_style(sheet.dice)
    span = (sheet.margin, sheet.inner)
    table = Table(sheet.pen, paper.columns, span, sheet.look, style)
    bottom = sheet.pen.height - sheet.margin * 1.3
    y = table.head(y + sheet.look.line * 0.7)
    for number, row in enumerate(paper.rows):
        under = paper.under.get(number, ())
        if y + table.row_height(row) + len(under) * sheet.look.line > bottom:
            table.close(y)
            y = next_page(sheet)
            table = Table(sheet.pen, paper.columns, span, sheet.look, style)
            y = table.head(y)
        y = table.row(y, row)
        for line in under:
            sheet.pen.write(sheet.margin + sheet.inner * 0.12, y + sheet.look.small.size, line, sheet.look.small)
            y += sheet.look.small.size * 1.25
    return table.close(y)


def draw_sums(sheet: Sheet, sums: Sequence[tuple[str, Sequence[Piece]]], y: float) -> float:
    dice, look = sheet.dice, sheet.look
    left = sheet.right - sheet.inner * dice.pick((0.3, 0.4, 0.5))
    for label, amount in sums:
        ink = dice.pick((look.text, look.bold))
        sheet.pen.write(left, y, label, ink)
        sheet.pen.write(sheet.right, y, amount, ink, "right")
        y += look.line * 1.25
    return y
