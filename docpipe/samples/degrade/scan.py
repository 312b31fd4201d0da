"""What scanners and phones do to a page.

In: the picture of a page and a seed. Out: the worn picture, and the homography (3 x 3, in relative page coordinates)
that carries boxes from the clean page onto it.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from docpipe.data import Box
from docpipe.samples.dice import Dice

Matrix = NDArray[np.float64]
Pixels = NDArray[np.float32]
LONGEST = 3200  # pixels: larger pages are drawn smaller first, as scanners and phones send them


def scan(image: Image.Image, seed: int, *, strength: float = 1.0) -> tuple[Image.Image, Matrix]:
    """The page as it might come in: scanned (most), photographed, faxed or copied. `strength` 0 leaves it clean."""
    dice = Dice(f"scan:{seed}:wear")
    style = style_of(seed)
    picture = image.convert("RGB")
    if max(picture.size) > LONGEST:
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    matrix = np.eye(3)
    if strength <= 0:
        return picture, matrix
    picture = _wear(picture, dice, strength)
    picture, laid = _lay(picture, dice, strength)
    picture, matrix = _warp(picture, dice, strength, photo=style == "photo")
    picture = {"scan": _as_scan, "photo": _as_photo, "fax": _as_fax, "copy": _as_copy}[style](picture, dice, strength)
    return _compress(picture, dice, strength), matrix @ laid


def style_of(seed: int) -> str:
    """Whether that seed scans, photographs, faxes or copies."""
    return Dice(f"scan:{seed}").pick(("scan", "scan", "scan", "scan", "photo", "photo", "fax", "copy"))


def carry(box: Box, matrix: Matrix) -> Box:
    """Where a box of the clean page is on the worn one: the rectangle around its four corners."""
    corners = np.array(
        [[box.left, box.top, 1], [box.right, box.top, 1], [box.right, box.bottom, 1], [box.left, box.bottom, 1]]
    )
    moved = corners @ matrix.T
    places = np.clip(moved[:, :2] / moved[:, 2:], 0.0, 1.0)
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))


def _wear(picture: Image.Image, dice: Dice, strength: float) -> Image.Image:
    """Ink and paper before the camera sees them: thin or bold print, faded bands, folds, stains, pen strokes."""
    if dice.chance(0.25 * strength):
        spread = picture.filter(ImageFilter.MinFilter(3) if dice.chance(0.5) else ImageFilter.MaxFilter(3))
        picture = Image.blend(picture, spread, min(0.6, 0.45 * strength * dice.random()))
    pixels = np.asarray(picture, dtype=np.float32)
    if dice.chance(0.35 * strength):
        pixels = _fade(pixels, dice, strength)
    if dice.chance(0.25 * strength):
        pixels = _folds(pixels, dice)
    if dice.chance(0.2):
        tint = np.array([1.0, 0.9 + 0.1 * dice.random(), 0.75 + 0.25 * dice.random()], dtype=np.float32)
        pixels = pixels * tint
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if dice.chance(0.2 * strength):
        _scribble(picture, dice)
    if dice.chance(0.12 * strength):
        _holes(picture, dice)
    return picture


def _fade(pixels: Pixels, dice: Dice, strength: float) -> Pixels:
    """Thermal print grows pale, unevenly over the page and in vertical stripes."""
    tall, wide = pixels.shape[:2]
    low = 1 - min(0.75, 0.6 * strength * dice.random() + 0.1)
    down = np.interp(np.linspace(0, 4, tall), range(5), [low + (1 - low) * dice.random() for _ in range(5)])
    across = np.interp(np.linspace(0, 6, wide), range(7), [0.75 + 0.25 * dice.random() for _ in range(7)])
    keep = (down[:, None] * across[None, :])[..., None].astype(np.float32)
    return 255 - (255 - pixels) * keep


def _folds(pixels: Pixels, dice: Dice) -> Pixels:
    tall, wide = pixels.shape[:2]
    pixels = pixels.copy()
    for _ in range(1 + int(2 * dice.random())):
        along = dice.chance(0.7)
        length = tall if along else wide
        place = int(length * (0.15 + 0.7 * dice.random()))
        reach = max(3, int(length * 0.02))
        shade = 1 - (0.05 + 0.2 * dice.random()) * np.exp(-(((np.arange(length) - place) / reach) ** 2))
        step = 1 - 0.08 * dice.random() * (np.arange(length) > place)
        light = (shade * step).astype(np.float32)
        pixels *= light[:, None, None] if along else light[None, :, None]
    return pixels


def _scribble(picture: Image.Image, dice: Dice) -> None:
    """A tick, a circle or a signature in ball pen."""
    pen = ImageDraw.Draw(picture)
    wide, tall = picture.size
    x, y, size = (
        wide * (0.1 + 0.8 * dice.random()),
        tall * (0.1 + 0.8 * dice.random()),
        wide * (0.04 + 0.12 * dice.random()),
    )
    colour = dice.pick(((20, 30, 140), (10, 10, 10), (170, 20, 30), (30, 30, 90)))
    weight = max(2, wide // 400)
    kind = dice.pick(("tick", "ring", "line", "name"))
    if kind == "tick":
        pen.line([(x, y), (x + size * 0.3, y + size * 0.4), (x + size, y - size * 0.6)], fill=colour, width=weight)
    elif kind == "ring":
        pen.ellipse([x, y, x + size * 2, y + size], outline=colour, width=weight)
    elif kind == "line":
        pen.line([(x, y), (x + size * 2, y + size * (dice.random() - 0.5) * 0.3)], fill=colour, width=weight)
    else:
        points = [(x + size * 2 * step / 12, y + size * 0.5 * (dice.random() - 0.5)) for step in range(13)]
        pen.line(points, fill=colour, width=weight, joint="curve")


def _holes(picture: Image.Image, dice: Dice) -> None:
    """Punched holes at the edge, staples."""
    pen = ImageDraw.Draw(picture)
    wide, tall = picture.size
    x, radius = wide * 0.035, wide * 0.012
    for share in dice.pick(((0.36, 0.64), (0.2, 0.5, 0.8), (0.05,))):
        y = tall * share
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(dice.pick((20, 200, 90)),) * 3)


def _lay(picture: Image.Image, dice: Dice, strength: float) -> tuple[Image.Image, Matrix]:
    """A small paper somewhere on a larger white sheet, as receipts lie on the scanner's glass."""
    narrow = picture.height > 1.55 * picture.width or picture.width > picture.height
    if not dice.chance(min(1.0, (0.3 if narrow else 0.03) * strength)):
        return picture, np.eye(3)
    wide, tall = int(picture.width * (1.1 + 0.9 * dice.random())), int(picture.height * (1.05 + 0.5 * dice.random()))
    left, top = int((wide - picture.width) * dice.random()), int((tall - picture.height) * dice.random())
    shade = dice.pick((255, 255, 252, 245))
    sheet = Image.new("RGB", (wide, tall), (shade, shade, shade))
    sheet.paste(picture, (left, top))
    matrix = np.array([[picture.width / wide, 0, left / wide], [0, picture.height / tall, top / tall], [0, 0, 1]])
    return sheet, matrix


def _warp(picture: Image.Image, dice: Dice, strength: float, *, photo: bool) -> tuple[Image.Image, Matrix]:
    """Skew for scanners; tilt, perspective and a table around the page for phones."""
    wide, tall = picture.size
    angle = np.deg2rad(dice.gauss(0, 0.6 if not photo else 2.5) * strength)
    zoom = 1 - (0.14 * dice.random() if photo else 0.03 * dice.random()) * min(strength, 1.5)
    corners = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    centred = (corners - 0.5) * [wide, tall] * zoom
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    target = centred @ turn / [wide, tall] + 0.5
    if photo:
        target += np.array([[dice.gauss(0, 0.022 * strength) for _ in range(2)] for _ in range(4)])
    target = np.clip(target, -0.02, 1.02)
    matrix = homography(corners, target)
    back = np.linalg.inv(_pixels(matrix, wide, tall))
    back /= back[2, 2]
    ground = _table(dice) if photo else (dice.pick((255, 255, 255, 250, 10)),) * 3
    sheet = Image.new("RGB", picture.size, ground)
    cover = Image.new("L", picture.size, 255)
    coefficients = tuple(float(part) for part in back.flatten()[:8])
    moved = picture.transform(picture.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    mask = cover.transform(picture.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    sheet.paste(moved, mask=mask)
    return sheet, matrix


def _table(dice: Dice) -> tuple[int, int, int]:
    red, green, blue = dice.pick(
        ((90, 60, 40), (40, 40, 45), (190, 180, 165), (140, 100, 70), (70, 80, 90), (220, 220, 215))
    )
    return red, green, blue


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """The projective map that takes four points to four points."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solved = np.linalg.solve(np.array(rows), target.reshape(-1))
    return np.append(solved, 1.0).reshape(3, 3)


def _pixels(matrix: Matrix, wide: int, tall: int) -> Matrix:
    scale = np.diag([wide, tall, 1.0])
    return scale @ matrix @ np.linalg.inv(scale)


def _noise(pixels: Pixels, dice: Dice, spread: float) -> Pixels:
    maker = np.random.default_rng(int(dice.random() * 2**32))
    grain: Pixels = maker.standard_normal(pixels.shape[:2], dtype=np.float32) * spread
    return pixels + grain[..., None]


def _light(pixels: Pixels, dice: Dice, depth: float) -> Pixels:
    """Uneven light: a plane and a soft shadow edge."""
    tall, wide = pixels.shape[:2]
    down, across = (
        np.linspace(-1, 1, tall, dtype=np.float32)[:, None],
        np.linspace(-1, 1, wide, dtype=np.float32)[None, :],
    )
    angle = dice.random() * 2 * np.pi
    plane = np.cos(angle) * across + np.sin(angle) * down
    light = 1 - depth * (plane + 1) / 2
    if dice.chance(0.4):
        edge = dice.random() * 1.6 - 0.8
        light = light * (1 - depth * 0.8 / (1 + np.exp(-(plane - edge) * dice.pick((6, 15, 40)))))
    lit: Pixels = pixels * light[..., None].astype(np.float32)
    return lit


def _blurred(picture: Image.Image, dice: Dice, most: float) -> Image.Image:
    radius = most * dice.random() * max(picture.size) / 2200
    return picture.filter(ImageFilter.GaussianBlur(radius)) if radius > 0.2 else picture


def _as_scan(picture: Image.Image, dice: Dice, strength: float) -> Image.Image:
    pixels = np.asarray(_blurred(picture, dice, 1.0 * strength), dtype=np.float32)
    contrast, lift = 0.8 + 0.4 * dice.random(), 30 * (dice.random() - 0.3) * strength
    pixels = _noise((pixels - 128) * contrast + 128 + lift, dice, 8 * strength * dice.random())
    made = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return made.convert("L").convert("RGB") if dice.chance(0.6) else made


def _as_photo(picture: Image.Image, dice: Dice, strength: float) -> Image.Image:
    pixels = _light(
        np.asarray(_blurred(picture, dice, 1.6 * strength), dtype=np.float32),
        dice,
        min(0.75, 0.5 * strength * dice.random()),
    )
    cast = np.array([1.0, 0.94 + 0.06 * dice.random(), 0.82 + 0.18 * dice.random()], dtype=np.float32)
    pixels = _noise(pixels * cast * (0.75 + 0.25 * dice.random()), dice, 7 * strength * dice.random())
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _as_fax(picture: Image.Image, dice: Dice, strength: float) -> Image.Image:
    """Two colours, specks, coarse resolution."""
    grey = picture.convert("L")
    small = grey.resize((max(1, int(grey.width * 0.8)), max(1, int(grey.height * 0.8))), Image.Resampling.BILINEAR)
    pixels = _noise(np.asarray(small, dtype=np.float32)[..., None], dice, 18 * strength * dice.random())
    black = pixels[..., 0] < 130 + 50 * dice.random()
    maker = np.random.default_rng(int(dice.random() * 2**32))
    specks = maker.random(black.shape) < 0.0004 * strength * dice.random()
    made = Image.fromarray(np.where(black | specks, 0, 255).astype(np.uint8)).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    return made.convert("RGB")


def _as_copy(picture: Image.Image, dice: Dice, strength: float) -> Image.Image:
    """A copy of a copy: hard contrast, dark edges, dust."""
    pixels = np.asarray(_blurred(picture.convert("L"), dice, 1.4 * strength), dtype=np.float32)
    pixels = _noise(((pixels - 140) * (1.3 + dice.random()) + 170)[..., None], dice, 12 * strength * dice.random())[
        ..., 0
    ]
    edge = int(picture.width * 0.02 * dice.random())
    if edge and dice.chance(0.4):
        pixels[:, :edge] *= 0.3
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB")


def _compress(picture: Image.Image, dice: Dice, strength: float) -> Image.Image:
    if dice.chance(0.3):
        return picture
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(max(25, 90 - 45 * strength * dice.random())))
    return Image.open(buffer).convert("RGB")
