"""How a text is printed: font, size, colour, widths, as the text state of a PDF has them.

In: the parameters of a style. Out: a `TextStyle` that measures texts and scales itself to fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from reportlab.pdfbase.pdfmetrics import stringWidth

from docpipe.samples.truth import RichText


class RgbColour(NamedTuple):
    """Shares of the primary colours, 0 to 1."""

    red: float
    green: float
    blue: float


BLACK = RgbColour(0.0, 0.0, 0.0)
GREY = RgbColour(0.45, 0.45, 0.45)
WHITE = RgbColour(1.0, 1.0, 1.0)
ASCENT, DESCENT = 0.76, 0.22  # of the font size: the box of a printed line reaches this far from its baseline


@dataclass(frozen=True)
class TextStyle:
    """`horizontal_scale` narrows the letters, `character_spacing` (points) parts them, `outline_width` (points)
    thickens them."""

    font: str = "Helvetica"
    size: float = 9.0  # points
    colour: RgbColour = BLACK
    horizontal_scale: float = 1.0
    character_spacing: float = 0.0
    outline_width: float = 0.0

    def width(self, text: str) -> float:
        """The width of a line of text, in points."""
        natural_width: float = stringWidth(text, self.font, self.size)
        return (natural_width + self.character_spacing * len(text)) * self.horizontal_scale

    def fitted_to(self, text: str, width: float) -> TextStyle:
        """The style narrowed so that the text is at most `width` wide."""
        natural_width = self.width(text)
        return self if natural_width <= width else self.narrowed(width, natural_width)

    def narrowed(self, available: float, needed: float) -> TextStyle:
        """The style for a text that is `needed` wide where only `available` points are left."""
        return replace(self, horizontal_scale=self.horizontal_scale * available / needed)

    def scaled(self, factor: float) -> TextStyle:
        return replace(self, size=self.size * factor)

    def wrapped(self, text: str, width: float) -> list[str]:
        """Lines of at most `width`, broken at newlines and blanks; a word wider than that is left whole."""
        lines = []
        for paragraph in text.split("\n"):
            lines.append("")
            for word in paragraph.split():
                longer = f"{lines[-1]} {word}".strip()
                if lines[-1] and self.width(longer) > width:
                    lines.append(word)
                else:
                    lines[-1] = longer
        return lines


class StyledText(NamedTuple):
    text: RichText
    style: TextStyle
