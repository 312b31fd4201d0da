"""Where a page ends up on the picture: laid on a sheet, skewed, tilted, seen in perspective.

In: the picture of a page and a random source. Out: the new picture, and the homography onto it, which carries
homogeneous coordinates in fractions of the old picture to fractions of the new one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from docpipe.data import Box
from docpipe.samples.seeded_random import SeededRandom

Homography = NDArray[np.float64]  # [3, 3]
Points = NDArray[np.float64]  # [n, 2]
NARROW = 1.55  # height by width of a page that is laid on a sheet more often, as receipts are


class PixelColour(NamedTuple):
    """0 to 255 each."""

    red: int
    green: int
    blue: int


TABLE_COLOURS = (
    PixelColour(90, 60, 40),
    PixelColour(40, 40, 45),
    PixelColour(190, 180, 165),
    PixelColour(140, 100, 70),
    PixelColour(70, 80, 90),
    PixelColour(220, 220, 215),
)


def transform_box(box: Box, homography: Homography) -> Box:
    """Where a box of the clean page is on the degraded one: the rectangle around its four corners."""
    corners = np.array(
        [[box.left, box.top, 1], [box.right, box.top, 1], [box.right, box.bottom, 1], [box.left, box.bottom, 1]]
    )
    moved = corners @ homography.T
    points = np.clip(moved[:, :2] / moved[:, 2:], 0.0, 1.0)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))


def place_on_sheet(picture: Image.Image, rng: SeededRandom, strength: float) -> tuple[Image.Image, Homography]:
    """A small paper somewhere on a larger white sheet, as receipts lie on the scanner's glass; most pages stay."""
    narrow = picture.height > NARROW * picture.width or picture.width > picture.height
    if not rng.chance(min(1.0, (0.3 if narrow else 0.03) * strength)):
        return picture, np.eye(3)
    width, height = int(picture.width * (1.1 + 0.9 * rng.random())), int(picture.height * (1.05 + 0.5 * rng.random()))
    left, top = int((width - picture.width) * rng.random()), int((height - picture.height) * rng.random())
    grey = rng.pick((255, 255, 252, 245))
    sheet = Image.new("RGB", (width, height), PixelColour(grey, grey, grey))
    sheet.paste(picture, (left, top))
    homography = np.array(
        [[picture.width / width, 0, left / width], [0, picture.height / height, top / height], [0, 0, 1]]
    )
    return sheet, homography


def warp(picture: Image.Image, rng: SeededRandom, strength: float, *, photo: bool) -> tuple[Image.Image, Homography]:
    """Skew for scanners; tilt, perspective and a table around the page for phones."""
    width, height = picture.size
    angle = np.deg2rad(rng.gauss(0, 0.6 if not photo else 2.5) * strength)
    zoom = 1 - (0.14 * rng.random() if photo else 0.03 * rng.random()) * min(strength, 1.5)
    corners = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    centred = (corners - 0.5) * [width, height] * zoom
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    target = centred @ rotation / [width, height] + 0.5
    if photo:
        target += np.array([[rng.gauss(0, 0.022 * strength) for _ in range(2)] for _ in range(4)])
    target = np.clip(target, -0.02, 1.02)
    homography = solve_homography(corners, target)
    if photo:
        background = rng.pick(TABLE_COLOURS)
    else:
        grey = rng.pick((255, 255, 255, 250, 10))
        background = PixelColour(grey, grey, grey)
    return _warped(picture, homography, background), homography


def _warped(picture: Image.Image, homography: Homography, background: PixelColour) -> Image.Image:
    """Pillow takes the inverse map, from pixels of the new picture to pixels of the old one."""
    scale = np.diag([*picture.size, 1.0])
    inverse = np.linalg.inv(scale @ homography @ np.linalg.inv(scale))
    inverse /= inverse[2, 2]
    coefficients = tuple(float(coefficient) for coefficient in inverse.flatten()[:8])
    perspective = Image.Transform.PERSPECTIVE
    moved = picture.transform(picture.size, perspective, coefficients, Image.Resampling.BICUBIC)
    covered = Image.new("L", picture.size, 255)
    mask = covered.transform(picture.size, perspective, coefficients, Image.Resampling.BILINEAR)
    warped = Image.new("RGB", picture.size, background)
    warped.paste(moved, mask=mask)
    return warped


def solve_homography(source: Points, target: Points) -> Homography:
    """The projective map that takes four points to four points."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solution = np.linalg.solve(np.array(rows), target.reshape(-1))
    return np.append(solution, 1.0).reshape(3, 3)
