"""A paper roll: lines printed one below the other on a narrow page.

In: a sheet whose page is as tall as needed. Out: `Roll.y` moves down with every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from docpipe.samples.canvas.canvas import Align, DocumentCanvas, FieldText, TextRun
from docpipe.samples.canvas.strokes import BLACK, LineStroke, RgbColour, TextStyle
from docpipe.samples.canvas.text_style import FontSource, make_typography
from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.invoice.letterhead import DrawingContext

MILLIMETRE = 72 / 25.4
MAX_HEIGHT = 5000.0  # points; the page is cut to its content when it is done


@dataclass
class ReceiptPaper:
    """`columns` is how many characters of the text ink fit; `shout` prints everything in capitals."""

    context: DrawingContext
    y: float
    columns: int
    separator: str
    all_capitals: bool
    colon: str
    currency_gap: str | None = None  # between currency and amount; None: as the manner of the country has it
    tax_code_gap: str = " "  # between an amount and its tax letter
    deferred_lines: list[list[TextRun]] = field(default_factory=list)  # lines that this house prints at the end

    @property
    def text_style(self) -> TextStyle:
        return self.context.typography.text

    def print_line(
        self, piece: TextRun | Sequence[TextRun], align: Align = "left", text_style: TextStyle | None = None
    ) -> None:
        """One line; what is too wide is printed narrower, as tills do."""
        text_style, context = text_style or self.text_style, self.context
        pieces = [piece] if isinstance(piece, str | FieldText) else list(piece)
        text = "".join(part.text if isinstance(part, FieldText) else part for part in pieces)
        if text_style.width(text) > context.inner_width:
            text_style = replace(
                text_style, horizontal_scale=text_style.horizontal_scale * context.inner_width / text_style.width(text)
            )
        x = {"left": context.margin, "right": context.right, "centre": context.canvas.width / 2}[align]
        self.y += text_style.size * context.typography.leading
        context.canvas.write(x, self.y, pieces, text_style, align)

    def print_lines(self, answer: FieldText, align: Align, text_style: TextStyle | None = None) -> None:
        """A value of several lines."""
        text_style, context = text_style or self.text_style, self.context
        widest = max(text_style.width(line) for line in answer.text.split("\n"))
        if widest > context.inner_width:
            text_style = replace(
                text_style, horizontal_scale=text_style.horizontal_scale * context.inner_width / widest
            )
        x = {"left": context.margin, "right": context.right, "centre": context.canvas.width / 2}[align]
        after = context.canvas.write_lines(
            x,
            self.y + text_style.size * context.typography.leading,
            answer,
            text_style,
            leading=context.typography.leading,
            align=align,
        )
        self.y = after - text_style.size * context.typography.leading

    def print_label_and_value(
        self,
        left: TextRun | Sequence[TextRun],
        right: TextRun | Sequence[TextRun],
        text_style: TextStyle | None = None,
        indent: float = 0.0,
    ) -> None:
        """A label at the left (indented by a share of the width) and its value at the right end."""
        text_style, context = text_style or self.text_style, self.context
        texts = [_text(left), _text(right)]
        room = context.inner_width * (1 - indent)
        need = text_style.width(texts[0]) + text_style.width(texts[1]) + text_style.size
        if need > room:
            text_style = replace(text_style, horizontal_scale=text_style.horizontal_scale * room / need)
        self.y += text_style.size * context.typography.leading
        context.canvas.write(context.margin + context.inner_width * indent, self.y, left, text_style)
        context.canvas.write(context.right, self.y, right, text_style, "right")

    def print_columns(
        self, cells: Sequence[tuple[float, Align, TextRun | Sequence[TextRun]]], text_style: TextStyle | None = None
    ) -> None:
        """Texts at shares of the width, on one line; printed narrower where neighbours would touch."""
        text_style = text_style or self.text_style
        text_style = replace(
            text_style, horizontal_scale=text_style.horizontal_scale * self._column_scale(cells, text_style)
        )
        self.y += text_style.size * self.context.typography.leading
        for share, align, piece in cells:
            self.context.canvas.write(
                self.context.margin + self.context.inner_width * share, self.y, piece, text_style, align
            )

    def _column_scale(
        self, cells: Sequence[tuple[float, Align, TextRun | Sequence[TextRun]]], text_style: TextStyle
    ) -> float:
        """The factor by which the texts must shrink so that each keeps clear of the one before."""
        factor, right = 1.0, 0.0
        for share, align, piece in cells:
            width, edge = text_style.width(_text(piece)), share * self.context.inner_width
            if align == "right":
                factor = min(factor, (edge - right) / (width + text_style.size * 0.5) if right else 1.0)
                right = edge
            else:
                right = edge + width
        return max(0.45, factor)

    def print_separator(self) -> None:
        sign, context = self.separator, self.context
        if sign == "line":
            self.y += context.typography.line_height * 0.5
            context.canvas.draw_horizontal_line(context.margin, context.right, self.y, 0.6)
            self.y += context.typography.line_height * 0.1
        elif sign == "dots":
            self.y += context.typography.line_height * 0.5
            context.canvas.draw(LineStroke(context.margin, self.y, context.right, self.y, 0.7, BLACK, (2, 2)))
        elif sign:
            width = self.text_style.width(sign)
            self.print_line(sign * int(context.inner_width / width), "left")
        else:
            self.skip_lines()

    def skip_lines(self, share: float = 0.6) -> None:
        self.y += self.context.typography.line_height * share

    def with_currency(self, amount: FieldText | str, place: str) -> list[TextRun]:
        """The amount with the currency beside it, glued or apart as this till does."""
        pieces = self.context.locale.with_currency(amount, place)
        if self.currency_gap is not None and len(pieces) == 3:
            pieces[1] = self.currency_gap
        return list(pieces)

    def in_case(self, text: str) -> str:
        return text.upper() if self.all_capitals else text


def _text(piece: TextRun | Sequence[TextRun]) -> str:
    pieces = [piece] if isinstance(piece, str | FieldText) else piece
    return "".join(part.text if isinstance(part, FieldText) else part for part in pieces)


def make_receipt_paper(rng: SeededRandom, locale: LocaleStyle, receipt: ReceiptData, fonts: FontSource) -> ReceiptPaper:
    """Paper 50-110 mm wide, most of it thermal; the type fills 26-48 columns."""
    width = rng.pick((58, 58, 72, 76, 80, 80, 80, 80, 104)) * MILLIMETRE
    margin = width * (0.02 + 0.1 * rng.random())
    typography = make_typography(rng, fonts, low=7, high=9)
    columns = rng.pick((28, 30, 32, 34, 36, 38, 40, 42, 42, 48))
    if rng.chance(0.5):
        face = rng.pick((("Courier", "Courier-Bold"), ("Courier-Bold", "Courier-Bold"), ("Courier", "Courier")))
        text_style = TextStyle(
            face[0], 10, BLACK, rng.pick((1.0, 0.9, 0.8, 1.1)), outline_width=rng.pick((0.0, 0.2, 0.35))
        )
        typography = replace(
            typography, text=text_style, bold=replace(text_style, font=face[1], outline_width=0.3), italic=text_style
        )
    sample = "Total amount 0123456789 ab"
    wide = (width - 2 * margin) / columns
    now = typography.text.width(sample) / len(sample)
    typography = replace(
        typography, **{name: getattr(typography, name).scaled(wide / now) for name in ("text", "bold", "italic")}
    )
    faint: RgbColour = rng.pick((BLACK, BLACK, BLACK, (0.25, 0.25, 0.28), (0.35, 0.33, 0.42)))
    typography = replace(
        typography,
        leading=rng.pick((1.0, 1.08, 1.2, 1.35)),
        **{name: replace(getattr(typography, name), colour=faint) for name in ("text", "bold", "italic")},
    )
    context = DrawingContext(DocumentCanvas(width, MAX_HEIGHT), rng, typography, locale, receipt.purchase_date, margin)
    separator = rng.pick(("-", "-", "=", "- ", "*", "line", "dots", "_", "", "."))
    return ReceiptPaper(
        context,
        margin + 10 * rng.random(),
        columns,
        separator,
        rng.chance(0.25),
        rng.pick(("", ":", " :", ": ", "")),
        rng.pick((None, None, "", "", " ")),
        rng.pick((" ", " ", "")),
    )
