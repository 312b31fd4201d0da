"""A page of sections and a table: what orders, statements, delivery notes and forms have in common.

In: titled sections of label and value, a table, sums, notes. Out: all of it drawn, over more pages if needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.samples.canvas.canvas import TextRun
from docpipe.samples.canvas.table import RichText, Table, TableColumn, make_table_style
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.invoice.letterhead import DrawingContext, draw_logo
from docpipe.samples.documents.invoice.metadata_block import MetadataEntry, draw_metadata


@dataclass(frozen=True)
class Section:
    title: str
    entries: Sequence[MetadataEntry]


@dataclass
class SectionedPage:
    """`sums` are rows of label and amount below the table; `rows` may be followed by small lines (`under`)."""

    title: TextRun
    sections: Sequence[Section]
    columns: Sequence[TableColumn] = ()
    rows: Sequence[Mapping[str, RichText]] = ()
    detail_lines: Mapping[int, Sequence[str]] = field(default_factory=dict)
    totals: Sequence[tuple[str, Sequence[TextRun]]] = ()
    notes: Sequence[str] = ()


def draw_sectioned_page(context: DrawingContext, paper: SectionedPage) -> None:
    y = _draw_title(context, paper)
    y = _draw_sections(context, paper.sections, y)
    if context.rng.chance(0.15) and paper.totals:
        y = draw_totals(context, paper.totals, y) + context.typography.line_height
    if paper.columns:
        y = _draw_table(context, paper, y)
    bottom = context.canvas.height - context.margin * 1.3
    if y + context.typography.line_height * (2 + 1.4 * len(paper.totals)) > bottom:
        y = next_page(context)
    y = draw_totals(context, paper.totals, y + context.typography.line_height)
    for note in paper.notes:
        if y + context.typography.line_height * 4 > bottom:
            y = next_page(context)
        y = context.canvas.write_paragraph(
            (context.margin, y + context.typography.line_height), context.inner_width, note, context.typography.small
        )
    _draw_page_number(context)


def next_page(context: DrawingContext) -> float:
    _draw_page_number(context)
    context.canvas.next_page()
    return context.margin + context.typography.line_height


def _draw_page_number(context: DrawingContext) -> None:
    canvas, rng = context.canvas, context.rng
    if rng.chance(0.6):
        text = rng.pick(word_lists(context.locale.language)["page"]).format(n=canvas.page_number, m=canvas.page_number)
        canvas.write(
            rng.pick((context.right - 40, canvas.width / 2)),
            canvas.height - context.margin * 0.4,
            text,
            context.typography.small,
        )


def _draw_title(context: DrawingContext, paper: SectionedPage) -> float:
    rng, typography, canvas = context.rng, context.typography, context.canvas
    y = context.margin + typography.line_height
    if rng.chance(0.5):
        draw_logo(context, rng.pick((context.margin, context.right - 50)), y - 8, 40)
    if rng.chance(0.4):
        printed = (
            f"{rng.pick(('Print Date', 'Printed', 'Run', ''))} {context.locale.format_date(context.issue_date)}".strip()
        )
        canvas.write(context.right - 60, y - typography.line_height * 0.6, printed, typography.small, "right")
    text_style = rng.pick((typography.bold, typography.accented)).scaled(1.3 + rng.random())
    align, x = rng.pick((("centre", canvas.width / 2), ("left", context.margin + 55), ("centre", canvas.width / 2)))
    canvas.write(x, y + text_style.size, paper.title, text_style, align)  # type: ignore[arg-type]
    return y + max(text_style.size * 2, 45)


def _draw_sections(context: DrawingContext, sections: Sequence[Section], y: float) -> float:
    """Below each other, or in two columns."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    columns = 2 if rng.chance(0.6) and len(sections) > 1 else 1
    width = context.inner_width / columns - (10 if columns > 1 else 0)
    bottoms = [y] * columns
    titled, ruled = rng.chance(0.6), rng.chance(0.4)
    for number, section in enumerate(sections):
        column = number % columns
        left, top = context.margin + column * (width + 20), bottoms[column] + typography.line_height
        if ruled:
            canvas.draw_horizontal_line(left, left + width, top - typography.line_height, 0.8, typography.accent)
        if titled and section.title:
            canvas.write(left, top, section.title, typography.accented)
            top += typography.line_height * 1.3
        bottoms[column] = draw_metadata(context, section.entries, (left, top), width) + typography.line_height * 0.6
    return max(bottoms)


def _draw_table(context: DrawingContext, paper: SectionedPage, y: float) -> float:
    style = make_table_style(context.rng)
    span = (context.margin, context.inner_width)
    table = Table(context.canvas, paper.columns, span, context.typography, style)
    bottom = context.canvas.height - context.margin * 1.3
    y = table.draw_header(y + context.typography.line_height * 0.7)
    for number, row in enumerate(paper.rows):
        under = paper.detail_lines.get(number, ())
        if y + table.row_height(row) + len(under) * context.typography.line_height > bottom:
            table.draw_bottom_line(y)
            y = next_page(context)
            table = Table(context.canvas, paper.columns, span, context.typography, style)
            y = table.draw_header(y)
        y = table.draw_row(y, row)
        for line in under:
            context.canvas.write(
                context.margin + context.inner_width * 0.12,
                y + context.typography.small.size,
                line,
                context.typography.small,
            )
            y += context.typography.small.size * 1.25
    return table.draw_bottom_line(y)


def draw_totals(context: DrawingContext, sums: Sequence[tuple[str, Sequence[TextRun]]], y: float) -> float:
    rng, typography = context.rng, context.typography
    left = context.right - context.inner_width * rng.pick((0.3, 0.4, 0.5))
    for label, amount in sums:
        text_style = rng.pick((typography.text, typography.bold))
        context.canvas.write(left, y, label, text_style)
        context.canvas.write(context.right, y, amount, text_style, "right")
        y += typography.line_height * 1.25
    return y
