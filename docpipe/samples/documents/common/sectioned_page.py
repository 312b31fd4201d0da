"""A page of sections and a table: what orders, statements and delivery notes have in common.

In: titled sections of label and value, a table, totals, notes. Out: all of it drawn, over more pages if needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.table import Table, TableColumn
from docpipe.samples.canvas.table_style import make_table_style
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.common.metadata_block import MetadataEntry, draw_metadata
from docpipe.samples.truth import RichText, RichTextRun

BOTTOM_MARGINS = 1.3  # margins of the page that stay free at its foot


@dataclass(frozen=True)
class PageSection:
    title: str
    entries: Sequence[MetadataEntry]


@dataclass(frozen=True)
class LabelledTotal:
    label: str
    amount: RichText


@dataclass(frozen=True)
class SectionedPage:
    """`totals` stand below the table; `detail_lines` are small lines below a row, by its number."""

    title: RichTextRun
    sections: Sequence[PageSection]
    columns: Sequence[TableColumn] = ()
    rows: Sequence[Mapping[str, RichText]] = ()
    detail_lines: Mapping[int, Sequence[str]] = field(default_factory=dict)
    totals: Sequence[LabelledTotal] = ()
    notes: Sequence[str] = ()


def draw_sectioned_page(context: DrawingContext, page: SectionedPage) -> None:
    y = _draw_title(context, page)
    y = _draw_sections(context, page.sections, y)
    if context.rng.chance(0.15) and page.totals:
        y = _draw_totals(context, page.totals, y) + context.line_height
    if page.columns:
        y = _draw_table(context, page, y)
    if y + context.line_height * (2 + 1.4 * len(page.totals)) > _bottom(context):
        y = next_page(context)
    y = _draw_totals(context, page.totals, y + context.line_height)
    for note in page.notes:
        if y + context.line_height * 4 > _bottom(context):
            y = next_page(context)
        start = context.start(y + context.line_height)
        y = context.canvas.write_paragraph(start, context.inner_width, note, context.typography.small)
    _draw_page_number(context)


def next_page(context: DrawingContext) -> float:
    """Finishes the page; gives the first baseline of the next."""
    _draw_page_number(context)
    context.canvas.next_page()
    return context.margin + context.line_height


def _bottom(context: DrawingContext) -> float:
    return context.canvas.height - context.margin * BOTTOM_MARGINS


def _draw_page_number(context: DrawingContext) -> None:
    canvas, rng = context.canvas, context.rng
    if rng.chance(0.6):
        text = rng.pick(context.words("page")).format(n=canvas.page_number, m=canvas.page_number)
        x = rng.pick((context.right - 40, canvas.width / 2))
        canvas.write(x, canvas.height - context.margin * 0.4, text, context.typography.small)


def _draw_title(context: DrawingContext, page: SectionedPage) -> float:
    rng, typography, canvas = context.rng, context.typography, context.canvas
    y = context.margin + context.line_height
    if rng.chance(0.5):
        context.draw_logo(rng.pick((context.margin, context.right - 50)), y - 8, 40)
    if rng.chance(0.4):
        label = rng.pick(("Print Date", "Printed", "Run", ""))
        printed = f"{label} {context.locale.format_date(context.issue_date)}".strip()
        canvas.write(context.right - 60, y - context.line_height * 0.6, printed, typography.small, "right")
    style = rng.pick((typography.bold, typography.accented)).scaled(1.3 + rng.random())
    align: Align = rng.pick(("centre", "left", "centre"))
    x = context.margin + 55 if align == "left" else canvas.width / 2
    canvas.write(x, y + style.size, page.title, style, align)
    return y + max(style.size * 2, 45)


def _draw_sections(context: DrawingContext, sections: Sequence[PageSection], y: float) -> float:
    """Below each other, or in two columns."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    columns = 2 if rng.chance(0.6) and len(sections) > 1 else 1
    width = context.inner_width / columns - (10 if columns > 1 else 0)
    bottoms = [y] * columns
    with_titles, with_lines = rng.chance(0.6), rng.chance(0.4)
    for number, section in enumerate(sections):
        column = number % columns
        left, top = context.margin + column * (width + 20), bottoms[column] + context.line_height
        if with_lines:
            canvas.draw_horizontal_line(left, left + width, top - context.line_height, 0.8, typography.accent)
        if with_titles and section.title:
            canvas.write(left, top, section.title, typography.accented)
            top += context.line_height * 1.3
        bottom = draw_metadata(context, section.entries, Point(left, top), width)
        bottoms[column] = bottom + context.line_height * 0.6
    return max(bottoms)


def _draw_table(context: DrawingContext, page: SectionedPage, y: float) -> float:
    table_style, small = make_table_style(context.rng), context.typography.small
    table = Table(context.canvas, page.columns, context.extent, context.typography, table_style)
    y = table.draw_header(y + context.line_height * 0.7)
    for number, row in enumerate(page.rows):
        details = page.detail_lines.get(number, ())
        if y + table.row_height(row) + len(details) * context.line_height > _bottom(context):
            table.draw_bottom_line(y)
            y = next_page(context)
            table = Table(context.canvas, page.columns, context.extent, context.typography, table_style)
            y = table.draw_header(y)
        y = table.draw_row(y, row)
        for line in details:
            context.canvas.write(context.margin + context.inner_width * 0.12, y + small.size, line, small)
            y += small.size * 1.25
    return table.draw_bottom_line(y)


def _draw_totals(context: DrawingContext, totals: Sequence[LabelledTotal], y: float) -> float:
    rng, typography = context.rng, context.typography
    left = context.right - context.inner_width * rng.pick((0.3, 0.4, 0.5))
    for total in totals:
        style = rng.pick((typography.text, typography.bold))
        context.canvas.write(left, y, total.label, style)
        context.canvas.write(context.right, y, total.amount, style, "right")
        y += context.line_height * 1.25
    return y
