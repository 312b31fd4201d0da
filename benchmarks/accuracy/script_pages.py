"""Bills in many scripts, drawn: what benchmarks.accuracy.unread_script measures on.

In: unread_script.json beside this file and the fonts of this machine. Out: pictures of A4 pages at 200 dpi, clean or
worn. The file has for each script names of fonts and two lists of phrases: one to choose thresholds on and one to
report on. A script of which no font is here has no pages (Debian's fonts-noto-core, fonts-noto-cjk, fonts-nanum,
fonts-unfonts-core and fonts-dejavu have all).
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from docpipe.samples import degrade_page

TEXTS = Path(__file__).with_name("unread_script.json")
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")
DPI = 200
A4 = (1654, 2339)  # pixels
SIZES = (7, 9, 11, 14)  # points
STRENGTHS = (0.0, 0.6, 1.0)  # of the wear
MARGIN = 110  # pixels
MAX_LINES = 34
POINTS_PER_INCH = 72
REPORT_SEED = 12_000  # training ends below 900,000 and draws no such pages; the other part begins at 0

Part = Literal["choose", "report"]


@dataclass(frozen=True)
class ScriptText:
    """Of one script: paths of its fonts that are here, and its phrases."""

    name: str
    fonts: tuple[Path, ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class MixedScripts:
    """A `share` of a page's lines has its phrases from another script."""

    text: ScriptText
    share: float


@cache
def script_texts(part: Part) -> dict[str, ScriptText]:
    """By the script's name. Fonts are for one part or the other, too, where there are two."""
    here = {path.stem: path for folder in FONT_FOLDERS for path in sorted(Path(folder).rglob("*.tt[fc]"))}
    texts = {}
    for name, text in json.loads(TEXTS.read_text(encoding="utf-8")).items():
        fonts = [here[font] for font in text["fonts"] if font in here]
        own = fonts[0 if part == "choose" else 1 :: 2] or fonts
        if own and text[part]:
            texts[name] = ScriptText(name, tuple(own), tuple(text[part]))
    return texts


def draw_page(text: ScriptText, number: int, part: Part, mixture: MixedScripts | None = None) -> Image.Image:
    """A bill: a column of phrases, every second with an amount. Sizes and wear take turns with `number`."""
    seed = number + (REPORT_SEED if part == "report" else 0)
    rng = random.Random(seed)
    size = round(SIZES[number % len(SIZES)] / POINTS_PER_INCH * DPI)
    lines = min(MAX_LINES, (A4[1] - 2 * MARGIN) // (2 * size))
    others = set(rng.sample(range(lines), round(mixture.share * lines))) if mixture else set()
    font_number = rng.randrange(100)
    amount_font = _font(script_texts(part)["Latin"], font_number, size)
    page = Image.new("RGB", A4, "white")
    canvas = ImageDraw.Draw(page)
    for line in range(lines):
        source = mixture.text if mixture and line in others else text
        y = MARGIN + line * 2 * size
        canvas.text((MARGIN, y), rng.choice(source.phrases), font=_font(source, font_number, size), fill="black")
        if line % 2:
            amount = f"{rng.randrange(1, 9999)}.{rng.randrange(100):02d}"
            canvas.text((A4[0] - MARGIN, y), amount, font=amount_font, fill="black", anchor="ra")
    strength = STRENGTHS[number // len(SIZES) % len(STRENGTHS)]
    return degrade_page(page, seed, strength=strength)[0]


def _font(text: ScriptText, number: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(text.fonts[number % len(text.fonts)]), size)
