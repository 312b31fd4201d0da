"""How one document looks: fonts, sizes, colours.

In: dice and whether fonts that happen to be installed may be used. Out: a `Look` with the inks of the document.
The fourteen PDF fonts and Bitstream Vera (it comes with reportlab) are the same everywhere.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from docpipe.samples.canvas.strokes import BLACK, RgbColour, TextStyle
from docpipe.samples.dice import SeededRandom

FontSource = Literal["standard", "installed"]
FontFamily = tuple[str, str, str]  # regular, bold, italic

_STANDARD: tuple[FontFamily, ...] = (
    ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
    ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
    ("Times-Roman", "Times-Bold", "Times-Italic"),
    ("Courier", "Courier-Bold", "Courier-Oblique"),
    ("Vera", "VeraBd", "VeraIt"),
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
_FOLDERS = (Path("/usr/share/fonts"), Path.home() / ".fonts")
_ACCENTS: tuple[RgbColour, ...] = (
    (0.1, 0.25, 0.55),
    (0.6, 0.1, 0.12),
    (0.05, 0.4, 0.25),
    (0.85, 0.4, 0.05),
    (0.3, 0.3, 0.35),
    (0.0, 0.5, 0.55),
    (0.4, 0.15, 0.45),
    (0.15, 0.55, 0.85),
    (0.2, 0.2, 0.2),
    (0.75, 0.6, 0.1),
)


@dataclass(frozen=True)
class Typography:
    text: TextStyle
    bold: TextStyle
    italic: TextStyle
    accent: RgbColour
    background: RgbColour  # for filled heads and stripes
    leading: float

    @property
    def small(self) -> TextStyle:
        return self.text.scaled(0.82)

    @property
    def accented(self) -> TextStyle:
        return replace(self.bold, colour=self.accent)

    @property
    def line_height(self) -> float:
        """From baseline to baseline, in points."""
        return self.text.size * self.leading


def make_typography(rng: SeededRandom, fonts: FontSource, *, low: float = 7.2, high: float = 10.5) -> Typography:
    family = _choose_family(rng, fonts)
    size = round(low + (high - low) * rng.random(), 1)
    horizontal_scale = rng.pick((1.0, 1.0, 1.0, 1.0, 0.9, 0.94, 1.06, 0.85))
    if family[0].startswith(("Vera", "DejaVu")):
        size *= 0.88  # these are cut wider than the others
    colour = BLACK if rng.chance(0.8) else rng.pick(((0.2, 0.2, 0.2), (0.1, 0.1, 0.3), (0.35, 0.35, 0.35)))
    accent = rng.pick(_ACCENTS) if rng.chance(0.7) else BLACK
    share = 0.1 + 0.12 * rng.random()
    pale = tuple(1 - share * (1 - part) for part in accent) if rng.chance(0.7) else (1 - share,) * 3
    text, bold, italic = (TextStyle(font, size, colour, horizontal_scale) for font in family)
    return Typography(text, bold, italic, accent, (pale[0], pale[1], pale[2]), 1.12 + 0.28 * rng.random())


def _choose_family(rng: SeededRandom, fonts: FontSource) -> FontFamily:
    """One throw whatever is installed, so that the rest of the document does not depend on it."""
    share, pick = rng.random(), rng.random()
    found = installed_families() if fonts == "installed" else ()
    families = found if found and share < 0.35 else _STANDARD
    family = families[int(pick * len(families))]
    if family[0] == "Vera":
        _register_vera()
    return family


@cache
def _register_vera() -> None:
    for name in ("Vera", "VeraBd", "VeraIt"):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


@cache
def installed_families() -> tuple[FontFamily, ...]:
    """Families found on this machine, among those that have every letter we write."""
    places = {path.stem: path for folder in _folders() for path in sorted(folder.rglob("*.ttf"))}
    families = []
    for name in _INSTALLED:
        regular = places.get(name) or places.get(f"{name}-Regular")
        bold = places.get(f"{name}-Bold")
        italic = (
            places.get(f"{name}-Oblique") or places.get(f"{name}-Italic") or places.get(f"{name}-BoldItalic") or regular
        )
        if regular is not None and bold is not None and italic is not None:
            try:
                for path in (regular, bold, italic):
                    pdfmetrics.registerFont(TTFont(path.stem, str(path)))
            except TTFError:
                continue  # a font file that reportlab cannot embed is no use to us
            families.append((regular.stem, bold.stem, italic.stem))
    return tuple(families)


def _folders() -> list[Path]:
    found = importlib.util.find_spec("matplotlib")
    own = [Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"] if found and found.origin else []
    return [folder for folder in (*own, *_FOLDERS) if folder.is_dir()]
