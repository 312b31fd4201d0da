"""What every block of one document needs: the canvas, the random source, typography, locale, date and margin.

In: the parts. Out: a `DrawingContext`, which also gives labels and phrases in the document's language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.logo import draw_logo
from docpipe.samples.canvas.table import ColumnExtent
from docpipe.samples.canvas.typography import Typography
from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.vocabulary import fill_placeholders, word_lists
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import RichTextRun

A4 = (595.3, 841.9)  # points
LETTER = (612.0, 792.0)


@dataclass
class DrawingContext:
    """`margin` is that of the page, in points, on all sides."""

    canvas: DocumentCanvas
    rng: SeededRandom
    typography: Typography
    locale: LocaleStyle
    issue_date: date
    margin: float

    @property
    def right(self) -> float:
        """The x of the right margin."""
        return self.canvas.width - self.margin

    @property
    def inner_width(self) -> float:
        """Between the margins."""
        return self.canvas.width - 2 * self.margin

    @property
    def extent(self) -> ColumnExtent:
        return ColumnExtent(self.margin, self.inner_width)

    @property
    def line_height(self) -> float:
        """From baseline to baseline of the text, in points."""
        return self.typography.line_height

    def start(self, y: float) -> Point:
        """The start of a line at the left margin."""
        return Point(self.margin, y)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of the document's language."""
        return word_lists(self.locale.language)[key]

    def label(self, key: str) -> str:
        """One of the synonyms for a label in the document's language."""
        text = self.rng.pick(self.words(key))
        if self.locale.language == "en":
            text = text.replace("VAT", self.locale.tax_name).replace("GST", self.locale.tax_name)
        return text.replace("{sign}", self.locale.currency_symbol).replace("{code}", self.locale.currency)

    def phrase(self, key: str, **values: str) -> str:
        """A phrase of the document's language with its placeholders filled in."""
        text = self.rng.pick(self.words(key))
        return fill_placeholders(self.rng, text, self.locale.language, self.issue_date, **values)

    def draw_logo(self, x: float, y: float, size: float) -> None:
        draw_logo(self.canvas, self.rng, self.typography, Point(x, y), size)


def split_placeholders(template: str) -> list[str]:
    """`VAT {rate} on {net}` -> `VAT `, `{rate}`, ` on `, `{net}`."""
    return [part for part in re.split(r"(\{\w+\})", template) if part]


def fill_with_runs(template: str, runs: Mapping[str, RichTextRun]) -> list[RichTextRun]:
    """The template with values in the place of their placeholders, which are given with their braces."""
    return [runs.get(part, part) for part in split_placeholders(template)]
