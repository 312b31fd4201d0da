"""A paper roll: lines printed one below the other on a narrow page.

In: a drawing context whose page is as tall as needed. Out: `ReceiptPaper.y` moves down with every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from docpipe.samples.canvas.canvas import Align, DocumentCanvas
from docpipe.samples.canvas.strokes import LineStroke
from docpipe.samples.canvas.text_style import BLACK, RgbColour, TextStyle
from docpipe.samples.canvas.typography import FontSource, Typography, make_typography
from docpipe.samples.content.locale_style import LocaleStyle, SymbolPosition
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichText, RichTextRun, plain_text

MILLIMETRE = 72 / 25.4  # points
MAX_HEIGHT = 5000.0  # points; the page is cut to its content when it is done
PAPER_WIDTHS = (58, 58, 72, 76, 80, 80, 80, 80, 104)  # millimetres; most printers are thermal
CHARACTERS_PER_LINE = (28, 30, 32, 34, 36, 38, 40, 42, 42, 48)
AVERAGE_TEXT = "Total amount 0123456789 ab"  # its average width is that of a character
PRINTER_FONTS = (("Courier", "Courier-Bold"), ("Courier-Bold", "Courier-Bold"), ("Courier", "Courier"))  # text, bold
PRINT_COLOURS = (BLACK, BLACK, BLACK, RgbColour(0.25, 0.25, 0.28), RgbColour(0.35, 0.33, 0.42))
SEPARATORS = ("-", "-", "=", "- ", "*", "line", "dots", "_", "", ".")  # a sign that is repeated, a line, or nothing
MIN_COLUMN_SCALE = 0.45


@dataclass(frozen=True)
class PositionedText:
    """A text on a line: it begins or ends at `position`, a share of the width between the margins."""

    position: float
    align: Align
    text: RichText


@dataclass
class ReceiptPaper:
    """`y` is the last baseline. `currency_gap` stands between currency and amount (None: as is usual in the locale),
    `tax_code_gap` between an amount and its tax code; `deferred_lines` are printed at the end of the receipt."""

    context: DrawingContext
    y: float
    separator: str
    all_capitals: bool
    currency_gap: str | None = None
    tax_code_gap: str = " "
    deferred_lines: list[list[RichTextRun]] = field(default_factory=list)

    @property
    def text_style(self) -> TextStyle:
        return self.context.typography.text

    def print_line(self, text: RichText, align: Align = "left", style: TextStyle | None = None) -> None:
        """One line; what is too wide is printed narrower, as cash registers do."""
        context = self.context
        style = (style or self.text_style).fitted_to(plain_text(text), context.inner_width)
        self.y += style.size * context.typography.leading
        context.canvas.write(self._x(align), self.y, text, style, align)

    def print_lines(self, value: FieldText, align: Align, style: TextStyle | None = None) -> None:
        """A value of several lines."""
        context, leading = self.context, self.context.typography.leading
        style = style or self.text_style
        style = style.fitted_to(max(value.text.split("\n"), key=style.width), context.inner_width)
        first = self.y + style.size * leading
        after = context.canvas.write_lines(self._x(align), first, value, style, leading=leading, align=align)
        self.y = after - style.size * leading

    def print_label_and_value(
        self, label: RichText, value: RichText, style: TextStyle | None = None, indent: float = 0.0
    ) -> None:
        """A label at the left (indented by a share of the width) and its value at the right end."""
        style, context = style or self.text_style, self.context
        available = context.inner_width * (1 - indent)
        needed = style.width(plain_text(label)) + style.width(plain_text(value)) + style.size
        if needed > available:
            style = style.narrowed(available, needed)
        self.y += style.size * context.typography.leading
        context.canvas.write(context.margin + context.inner_width * indent, self.y, label, style)
        context.canvas.write(context.right, self.y, value, style, "right")

    def print_columns(self, columns: Sequence[PositionedText]) -> None:
        """Texts beside each other; printed narrower where neighbours would touch."""
        context, style = self.context, self.text_style
        style = style.narrowed(self._column_scale(columns), 1.0)
        self.y += style.size * context.typography.leading
        for column in columns:
            x = context.margin + context.inner_width * column.position
            context.canvas.write(x, self.y, column.text, style, column.align)

    def _column_scale(self, columns: Sequence[PositionedText]) -> float:
        """The factor by which the texts must shrink so that each keeps clear of the one before."""
        scale, right, style = 1.0, 0.0, self.text_style
        for column in columns:
            width, edge = style.width(plain_text(column.text)), column.position * self.context.inner_width
            if column.align == "right":
                scale = min(scale, (edge - right) / (width + style.size * 0.5) if right else 1.0)
                right = edge
            else:
                right = edge + width
        return max(MIN_COLUMN_SCALE, scale)

    def print_separator(self) -> None:
        context, line_height = self.context, self.context.line_height
        if self.separator == "line":
            self.y += line_height * 0.5
            context.canvas.draw_horizontal_line(context.margin, context.right, self.y, 0.6)
            self.y += line_height * 0.1
        elif self.separator == "dots":
            self.y += line_height * 0.5
            context.canvas.draw(LineStroke(context.margin, self.y, context.right, self.y, 0.7, BLACK, (2, 2)))
        elif self.separator:
            count = int(context.inner_width / self.text_style.width(self.separator))
            self.print_line(self.separator * count)
        else:
            self.skip_lines()

    def skip_lines(self, count: float = 0.6) -> None:
        self.y += self.context.line_height * count

    def with_currency(self, amount: RichTextRun, position: SymbolPosition) -> list[RichTextRun]:
        """The amount with the currency beside it, with or without a gap as on this receipt."""
        runs = self.context.locale.with_currency(amount, position)
        if self.currency_gap is not None and len(runs) == 3:
            runs[1] = self.currency_gap
        return runs

    def in_case(self, text: str) -> str:
        """The text, in capitals where all of the receipt is."""
        return text.upper() if self.all_capitals else text

    def _x(self, align: Align) -> float:
        context = self.context
        return {"left": context.margin, "right": context.right, "centre": context.canvas.width / 2}[align]


def make_receipt_paper(rng: SeededRandom, locale: LocaleStyle, receipt: ReceiptData, fonts: FontSource) -> ReceiptPaper:
    width = rng.pick(PAPER_WIDTHS) * MILLIMETRE
    margin = width * (0.02 + 0.1 * rng.random())
    typography = _make_printer_typography(rng, fonts, width - 2 * margin)
    canvas = DocumentCanvas(width, MAX_HEIGHT)
    context = DrawingContext(canvas, rng, typography, locale, receipt.purchase_date, margin)
    separator, y, all_capitals = rng.pick(SEPARATORS), margin + 10 * rng.random(), rng.chance(0.25)
    rng.random()  # its outcome has no use any more; without it, every seed would draw another receipt
    return ReceiptPaper(
        context,
        y,
        separator,
        all_capitals,
        currency_gap=rng.pick((None, None, "", "", " ")),
        tax_code_gap=rng.pick((" ", " ", "")),
    )


def _make_printer_typography(rng: SeededRandom, fonts: FontSource, line_width: float) -> Typography:
    """Text of a size at which 28 to 48 characters fill the line, half of the time in the font of a receipt printer."""
    typography = make_typography(rng, fonts, min_size=7, max_size=9)
    characters_per_line = rng.pick(CHARACTERS_PER_LINE)
    if rng.chance(0.5):
        font, bold_font = rng.pick(PRINTER_FONTS)
        horizontal_scale, outline_width = rng.pick((1.0, 0.9, 0.8, 1.1)), rng.pick((0.0, 0.2, 0.35))
        style = TextStyle(font, 10, BLACK, horizontal_scale, outline_width=outline_width)
        bold = replace(style, font=bold_font, outline_width=0.3)
        typography = replace(typography, text=style, bold=bold, italic=style)
    wanted = line_width / characters_per_line
    scale = wanted / (typography.text.width(AVERAGE_TEXT) / len(AVERAGE_TEXT))
    colour = rng.pick(PRINT_COLOURS)
    typography = typography.with_styles(lambda style: replace(style.scaled(scale), colour=colour))
    return replace(typography, leading=rng.pick((1.0, 1.08, 1.2, 1.35)))
