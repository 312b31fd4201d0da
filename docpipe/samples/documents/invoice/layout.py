"""The choices that hold for a whole invoice, and the foot of its pages.

In: an invoice's data and a drawing context. Out: an `InvoiceLayout`; pages finished with footer and page number.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.table import Table
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.invoice.letterhead import draw_footer
from docpipe.samples.truth import FieldText

FOOTER_HEIGHT = 60.0  # points above the bottom margin that the body keeps free where there is a footer
FOOT_HEIGHT = 15.0  # and where there is none


@dataclass
class InvoiceLayout:
    """`table` is the table of the page that was drawn last."""

    context: DrawingContext
    invoice: InvoiceData
    title: FieldText
    has_footer: bool
    footer_columns: int
    bank_in_footer: bool
    date_as_in_letters: bool  # alone at the right, with the city, instead of among the metadata
    page_number_format: str
    table: Table | None = None

    @property
    def bottom(self) -> float:
        """The y that the body must not pass."""
        context = self.context
        return context.canvas.height - context.margin - (FOOTER_HEIGHT if self.has_footer else FOOT_HEIGHT)


def finish_page(layout: InvoiceLayout) -> None:
    """Footer and page number, then the next page."""
    context, canvas = layout.context, layout.context.canvas
    if layout.has_footer:
        draw_footer(context, layout.invoice.seller, columns=layout.footer_columns, with_bank=layout.bank_in_footer)
    if context.rng.chance(0.6) or canvas.page_number > 1:
        text = layout.page_number_format.format(n=canvas.page_number, m=max(canvas.page_number, 1))
        align: Align = context.rng.pick(("left", "right", "centre"))
        x = {"left": context.margin, "right": context.right, "centre": canvas.width / 2}[align]
        canvas.write(x, canvas.height - context.margin * 0.45, text, context.typography.small, align)
    canvas.next_page()


def next_page(layout: InvoiceLayout) -> float:
    """Finishes the page; gives the first baseline of the next."""
    finish_page(layout)
    return layout.context.margin + layout.context.line_height
