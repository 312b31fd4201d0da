"""What happens to a paper before it is captured: thin or bold print, faded bands, folds, stains, pen strokes, holes.

In: the picture of a page and a random source. Out: the worn picture; nothing on it moves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from docpipe.samples.degrade.geometry import PixelColour
from docpipe.samples.seeded_random import SeededRandom

Pixels = NDArray[np.float32]  # [height, width, channels], 0 to 255
PEN_COLOURS = (
    PixelColour(20, 30, 140),
    PixelColour(10, 10, 10),
    PixelColour(170, 20, 30),
    PixelColour(30, 30, 90),
)
HOLE_POSITIONS = ((0.36, 0.64), (0.2, 0.5, 0.8), (0.05,))  # shares of the height: two holes, three, a staple


def wear(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    if rng.chance(0.25 * strength):
        spread = picture.filter(ImageFilter.MinFilter(3) if rng.chance(0.5) else ImageFilter.MaxFilter(3))
        picture = Image.blend(picture, spread, min(0.6, 0.45 * strength * rng.random()))
    pixels = np.asarray(picture, dtype=np.float32)
    if rng.chance(0.35 * strength):
        pixels = _faded(pixels, rng, strength)
    if rng.chance(0.25 * strength):
        pixels = _folded(pixels, rng)
    if rng.chance(0.2):
        tint = np.array([1.0, 0.9 + 0.1 * rng.random(), 0.75 + 0.25 * rng.random()], dtype=np.float32)
        pixels = pixels * tint
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.chance(0.2 * strength):
        _scribble(picture, rng)
    if rng.chance(0.12 * strength):
        _punch_holes(picture, rng)
    return picture


def _faded(pixels: Pixels, rng: SeededRandom, strength: float) -> Pixels:
    """Thermal print grows pale, unevenly over the page and in vertical stripes."""
    height, width = pixels.shape[:2]
    darkest = 1 - min(0.75, 0.6 * strength * rng.random() + 0.1)
    row_brightness = np.interp(
        np.linspace(0, 4, height), range(5), [darkest + (1 - darkest) * rng.random() for _ in range(5)]
    )
    column_brightness = np.interp(np.linspace(0, 6, width), range(7), [0.75 + 0.25 * rng.random() for _ in range(7)])
    brightness = (row_brightness[:, None] * column_brightness[None, :])[..., None].astype(np.float32)
    return 255 - (255 - pixels) * brightness


def _folded(pixels: Pixels, rng: SeededRandom) -> Pixels:
    """A dark line across or along the page for each fold, and less light behind it."""
    height, width = pixels.shape[:2]
    pixels = pixels.copy()
    for _ in range(1 + int(2 * rng.random())):
        across = rng.chance(0.7)
        length = height if across else width
        position = int(length * (0.15 + 0.7 * rng.random()))
        reach = max(3, int(length * 0.02))
        distances = np.arange(length) - position
        shade = 1 - (0.05 + 0.2 * rng.random()) * np.exp(-((distances / reach) ** 2))
        step = 1 - 0.08 * rng.random() * (distances > 0)
        light = (shade * step).astype(np.float32)
        pixels *= light[:, None, None] if across else light[None, :, None]
    return pixels


def _scribble(picture: Image.Image, rng: SeededRandom) -> None:
    """A tick, a circle, a line or a signature in ball pen."""
    drawing = ImageDraw.Draw(picture)
    width, height = picture.size
    x, y = width * (0.1 + 0.8 * rng.random()), height * (0.1 + 0.8 * rng.random())
    size = width * (0.04 + 0.12 * rng.random())
    colour = rng.pick(PEN_COLOURS)
    line_width = max(2, width // 400)
    kind = rng.pick(("tick", "ring", "line", "signature"))
    if kind == "ring":
        drawing.ellipse([x, y, x + size * 2, y + size], outline=colour, width=line_width)
        return
    if kind == "tick":
        points = [(x, y), (x + size * 0.3, y + size * 0.4), (x + size, y - size * 0.6)]
    elif kind == "line":
        points = [(x, y), (x + size * 2, y + size * (rng.random() - 0.5) * 0.3)]
    else:
        points = [(x + size * 2 * step / 12, y + size * 0.5 * (rng.random() - 0.5)) for step in range(13)]
    drawing.line(points, fill=colour, width=line_width, joint="curve" if kind == "signature" else None)


def _punch_holes(picture: Image.Image, rng: SeededRandom) -> None:
    """Punched holes at the edge, or a staple."""
    drawing = ImageDraw.Draw(picture)
    width, height = picture.size
    x, radius = width * 0.035, width * 0.012
    for share in rng.pick(HOLE_POSITIONS):
        y, grey = height * share, rng.pick((20, 200, 90))
        drawing.ellipse([x - radius, y - radius, x + radius, y + radius], fill=PixelColour(grey, grey, grey))
