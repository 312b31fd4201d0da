"""The typography of one document: its fonts, sizes and colours.

In: a random source, and whether fonts that happen to be installed may be used. Out: a `Typography` with the text
styles of the document. The fourteen PDF fonts and Bitstream Vera (it comes with reportlab) are the same everywhere.
"""

from __future__ import annotations

import importlib.util
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from docpipe.samples.canvas.text_style import BLACK, RgbColour, TextStyle
from docpipe.samples.seeded_random import SeededRandom

FontSource = Literal["standard", "installed"]


class FontFamily(NamedTuple):
    """Names of fonts as reportlab knows them."""

    regular: str
    bold: str
    italic: str


_STANDARD = (
    FontFamily("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
    FontFamily("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
    FontFamily("Times-Roman", "Times-Bold", "Times-Italic"),
    FontFamily("Courier", "Courier-Bold", "Courier-Oblique"),
    FontFamily("Vera", "VeraBd", "VeraIt"),
)
_INSTALLED = (
    "Carlito",
    "LiberationSans",
    "LiberationSerif",
    "LiberationMono",
    "Lato",
    "OpenSans",
    "Roboto",
    "NotoSans",
    "Ubuntu",
    "DejaVuSansCondensed",
    "DejaVuSerif",
    "DejaVuSansMono",
    "DejaVuSans",
    "DejaVuSerifCondensed",
    "FreeSans",
    "Cantarell",
)
_FONT_FOLDERS = ("/usr/share/fonts", "~/.fonts")
_TEXT_COLOURS = (RgbColour(0.2, 0.2, 0.2), RgbColour(0.1, 0.1, 0.3), RgbColour(0.35, 0.35, 0.35))
_ACCENTS = (
    RgbColour(0.1, 0.25, 0.55),
    RgbColour(0.6, 0.1, 0.12),
    RgbColour(0.05, 0.4, 0.25),
    RgbColour(0.85, 0.4, 0.05),
    RgbColour(0.3, 0.3, 0.35),
    RgbColour(0.0, 0.5, 0.55),
    RgbColour(0.4, 0.15, 0.45),
    RgbColour(0.15, 0.55, 0.85),
    RgbColour(0.2, 0.2, 0.2),
    RgbColour(0.75, 0.6, 0.1),
)
WIDE_FONTS = ("Vera", "DejaVu")  # these are cut wider than the others, and are set smaller
WIDE_FONT_SCALE = 0.88
SMALL_SCALE = 0.82
INSTALLED_SHARE = 0.35  # of the documents use an installed font where that is allowed


@dataclass(frozen=True)
class Typography:
    """`accent` colours logos, rules and headings, `background` fills table headers and stripes; `leading` is the
    distance of two baselines as a multiple of the font size."""

    text: TextStyle
    bold: TextStyle
    italic: TextStyle
    accent: RgbColour
    background: RgbColour
    leading: float

    @property
    def small(self) -> TextStyle:
        return self.text.scaled(SMALL_SCALE)

    @property
    def accented(self) -> TextStyle:
        return replace(self.bold, colour=self.accent)

    def with_styles(self, change: Callable[[TextStyle], TextStyle]) -> Typography:
        """The same typography with every text style changed."""
        return replace(self, text=change(self.text), bold=change(self.bold), italic=change(self.italic))

    @property
    def line_height(self) -> float:
        """From baseline to baseline, in points."""
        return self.text.size * self.leading


def make_typography(
    rng: SeededRandom, fonts: FontSource, *, min_size: float = 7.2, max_size: float = 10.5
) -> Typography:
    """Text of `min_size` to `max_size` points."""
    family = _choose_family(rng, fonts)
    size = round(min_size + (max_size - min_size) * rng.random(), 1)
    horizontal_scale = rng.pick((1.0, 1.0, 1.0, 1.0, 0.9, 0.94, 1.06, 0.85))
    if family.regular.startswith(WIDE_FONTS):
        size *= WIDE_FONT_SCALE
    colour = BLACK if rng.chance(0.8) else rng.pick(_TEXT_COLOURS)
    accent = rng.pick(_ACCENTS) if rng.chance(0.7) else BLACK
    tint = 0.1 + 0.12 * rng.random()
    if rng.chance(0.7):
        background = RgbColour(*(1 - tint * (1 - primary) for primary in accent))
    else:
        background = RgbColour(1 - tint, 1 - tint, 1 - tint)
    text, bold, italic = (TextStyle(font, size, colour, horizontal_scale) for font in family)
    return Typography(text, bold, italic, accent, background, leading=1.12 + 0.28 * rng.random())


def _choose_family(rng: SeededRandom, fonts: FontSource) -> FontFamily:
    """Two random numbers whatever is installed, so that the rest of the document does not depend on it."""
    source, position = rng.random(), rng.random()
    installed = installed_families() if fonts == "installed" else ()
    families = installed if installed and source < INSTALLED_SHARE else _STANDARD
    family = families[int(position * len(families))]
    if family.regular == "Vera":
        _register_vera()
    return family


@cache
def _register_vera() -> None:
    for name in ("Vera", "VeraBd", "VeraIt"):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


@cache
def installed_families() -> tuple[FontFamily, ...]:
    """Families found on this machine, among those that have every letter we write."""
    files = {path.stem: path for folder in _font_folders() for path in sorted(folder.rglob("*.ttf"))}
    families = []
    for name in _INSTALLED:
        regular = files.get(name) or files.get(f"{name}-Regular")
        bold = files.get(f"{name}-Bold")
        italic = (
            files.get(f"{name}-Oblique") or files.get(f"{name}-Italic") or files.get(f"{name}-BoldItalic") or regular
        )
        if regular is not None and bold is not None and italic is not None:
            try:
                for path in (regular, bold, italic):
                    pdfmetrics.registerFont(TTFont(path.stem, str(path)))
            except (TTFError, struct.error):
                continue  # reportlab cannot embed it, or it is cut short
            families.append(FontFamily(regular.stem, bold.stem, italic.stem))
    return tuple(families)


def _font_folders() -> list[Path]:
    matplotlib = importlib.util.find_spec("matplotlib")
    bundled = (
        [Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"] if matplotlib and matplotlib.origin else []
    )
    named = [Path(os.path.expanduser(folder)) for folder in _FONT_FOLDERS]
    return [folder for folder in (*bundled, *named) if folder.is_dir()]
