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
from docpipe.samples.dice import SeededRandom

Homography = NDArray[np.float64]
Pixels = NDArray[np.float32]
MAX_SIDE = 3200  # pixels: larger pages are drawn smaller first, as scanners and phones send them


def degrade_page(image: Image.Image, seed: int, *, strength: float = 1.0) -> tuple[Image.Image, Homography]:
    """The page as it might come in: scanned (most), photographed, faxed or copied. `strength` 0 leaves it clean."""
    rng = SeededRandom(f"scan:{seed}:wear")
    style = capture_kind(seed)
    picture = image.convert("RGB")
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    matrix = np.eye(3)
    if strength <= 0:
        return picture, matrix
    picture = _wear(picture, rng, strength)
    picture, laid = _place_on_sheet(picture, rng, strength)
    picture, matrix = _warp(picture, rng, strength, photo=style == "photo")
    picture = {"scan": _scanned, "photo": _photographed, "fax": _faxed, "copy": _photocopied}[style](
        picture, rng, strength
    )
    return _compress(picture, rng, strength), matrix @ laid


def capture_kind(seed: int) -> str:
    """Whether that seed scans, photographs, faxes or copies."""
    return SeededRandom(f"scan:{seed}").pick(("scan", "scan", "scan", "scan", "photo", "photo", "fax", "copy"))


def transform_box(box: Box, matrix: Homography) -> Box:
    """Where a box of the clean page is on the worn one: the rectangle around its four corners."""
    corners = np.array(
        [[box.left, box.top, 1], [box.right, box.top, 1], [box.right, box.bottom, 1], [box.left, box.bottom, 1]]
    )
    moved = corners @ matrix.T
    places = np.clip(moved[:, :2] / moved[:, 2:], 0.0, 1.0)
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))


def _wear(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """Ink and paper before the camera sees them: thin or bold print, faded bands, folds, stains, pen strokes."""
    if rng.chance(0.25 * strength):
        spread = picture.filter(ImageFilter.MinFilter(3) if rng.chance(0.5) else ImageFilter.MaxFilter(3))
        picture = Image.blend(picture, spread, min(0.6, 0.45 * strength * rng.random()))
    pixels = np.asarray(picture, dtype=np.float32)
    if rng.chance(0.35 * strength):
        pixels = _fade(pixels, rng, strength)
    if rng.chance(0.25 * strength):
        pixels = _folds(pixels, rng)
    if rng.chance(0.2):
        tint = np.array([1.0, 0.9 + 0.1 * rng.random(), 0.75 + 0.25 * rng.random()], dtype=np.float32)
        pixels = pixels * tint
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.chance(0.2 * strength):
        _scribble(picture, rng)
    if rng.chance(0.12 * strength):
        _holes(picture, rng)
    return picture


def _fade(pixels: Pixels, rng: SeededRandom, strength: float) -> Pixels:
    """Thermal print grows pale, unevenly over the page and in vertical stripes."""
    tall, wide = pixels.shape[:2]
    low = 1 - min(0.75, 0.6 * strength * rng.random() + 0.1)
    down = np.interp(np.linspace(0, 4, tall), range(5), [low + (1 - low) * rng.random() for _ in range(5)])
    across = np.interp(np.linspace(0, 6, wide), range(7), [0.75 + 0.25 * rng.random() for _ in range(7)])
    keep = (down[:, None] * across[None, :])[..., None].astype(np.float32)
    return 255 - (255 - pixels) * keep


def _folds(pixels: Pixels, rng: SeededRandom) -> Pixels:
    tall, wide = pixels.shape[:2]
    pixels = pixels.copy()
    for _ in range(1 + int(2 * rng.random())):
        along = rng.chance(0.7)
        length = tall if along else wide
        place = int(length * (0.15 + 0.7 * rng.random()))
        reach = max(3, int(length * 0.02))
        shade = 1 - (0.05 + 0.2 * rng.random()) * np.exp(-(((np.arange(length) - place) / reach) ** 2))
        step = 1 - 0.08 * rng.random() * (np.arange(length) > place)
        light = (shade * step).astype(np.float32)
        pixels *= light[:, None, None] if along else light[None, :, None]
    return pixels


def _scribble(picture: Image.Image, rng: SeededRandom) -> None:
    """A tick, a circle or a signature in ball pen."""
    pen = ImageDraw.Draw(picture)
    wide, tall = picture.size
    x, y, size = (
        wide * (0.1 + 0.8 * rng.random()),
        tall * (0.1 + 0.8 * rng.random()),
        wide * (0.04 + 0.12 * rng.random()),
    )
    colour = rng.pick(((20, 30, 140), (10, 10, 10), (170, 20, 30), (30, 30, 90)))
    weight = max(2, wide // 400)
    kind = rng.pick(("tick", "ring", "line", "name"))
    if kind == "tick":
        pen.line([(x, y), (x + size * 0.3, y + size * 0.4), (x + size, y - size * 0.6)], fill=colour, width=weight)
    elif kind == "ring":
        pen.ellipse([x, y, x + size * 2, y + size], outline=colour, width=weight)
    elif kind == "line":
        pen.line([(x, y), (x + size * 2, y + size * (rng.random() - 0.5) * 0.3)], fill=colour, width=weight)
    else:
        points = [(x + size * 2 * step / 12, y + size * 0.5 * (rng.random() - 0.5)) for step in range(13)]
        pen.line(points, fill=colour, width=weight, joint="curve")


def _holes(picture: Image.Image, rng: SeededRandom) -> None:
    """Punched holes at the edge, staples."""
    pen = ImageDraw.Draw(picture)
    wide, tall = picture.size
    x, radius = wide * 0.035, wide * 0.012
    for share in rng.pick(((0.36, 0.64), (0.2, 0.5, 0.8), (0.05,))):
        y = tall * share
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(rng.pick((20, 200, 90)),) * 3)


def _place_on_sheet(picture: Image.Image, rng: SeededRandom, strength: float) -> tuple[Image.Image, Homography]:
    """A small paper somewhere on a larger white sheet, as receipts lie on the scanner's glass."""
    narrow = picture.height > 1.55 * picture.width or picture.width > picture.height
    if not rng.chance(min(1.0, (0.3 if narrow else 0.03) * strength)):
        return picture, np.eye(3)
    wide, tall = int(picture.width * (1.1 + 0.9 * rng.random())), int(picture.height * (1.05 + 0.5 * rng.random()))
    left, top = int((wide - picture.width) * rng.random()), int((tall - picture.height) * rng.random())
    shade = rng.pick((255, 255, 252, 245))
    sheet = Image.new("RGB", (wide, tall), (shade, shade, shade))
    sheet.paste(picture, (left, top))
    matrix = np.array([[picture.width / wide, 0, left / wide], [0, picture.height / tall, top / tall], [0, 0, 1]])
    return sheet, matrix


def _warp(picture: Image.Image, rng: SeededRandom, strength: float, *, photo: bool) -> tuple[Image.Image, Homography]:
    """Skew for scanners; tilt, perspective and a table around the page for phones."""
    wide, tall = picture.size
    angle = np.deg2rad(rng.gauss(0, 0.6 if not photo else 2.5) * strength)
    zoom = 1 - (0.14 * rng.random() if photo else 0.03 * rng.random()) * min(strength, 1.5)
    corners = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    centred = (corners - 0.5) * [wide, tall] * zoom
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    target = centred @ turn / [wide, tall] + 0.5
    if photo:
        target += np.array([[rng.gauss(0, 0.022 * strength) for _ in range(2)] for _ in range(4)])
    target = np.clip(target, -0.02, 1.02)
    matrix = homography(corners, target)
    back = np.linalg.inv(_in_pixels(matrix, wide, tall))
    back /= back[2, 2]
    ground = _table_colour(rng) if photo else (rng.pick((255, 255, 255, 250, 10)),) * 3
    sheet = Image.new("RGB", picture.size, ground)
    cover = Image.new("L", picture.size, 255)
    coefficients = tuple(float(part) for part in back.flatten()[:8])
    moved = picture.transform(picture.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    mask = cover.transform(picture.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    sheet.paste(moved, mask=mask)
    return sheet, matrix


def _table_colour(rng: SeededRandom) -> tuple[int, int, int]:
    red, green, blue = rng.pick(
        ((90, 60, 40), (40, 40, 45), (190, 180, 165), (140, 100, 70), (70, 80, 90), (220, 220, 215))
    )
    return red, green, blue


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> Homography:
    """The projective map that takes four points to four points."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solved = np.linalg.solve(np.array(rows), target.reshape(-1))
    return np.append(solved, 1.0).reshape(3, 3)


def _in_pixels(matrix: Homography, wide: int, tall: int) -> Homography:
    scale = np.diag([wide, tall, 1.0])
    return scale @ matrix @ np.linalg.inv(scale)


def _noise(pixels: Pixels, rng: SeededRandom, spread: float) -> Pixels:
    maker = np.random.default_rng(int(rng.random() * 2**32))
    grain: Pixels = maker.standard_normal(pixels.shape[:2], dtype=np.float32) * spread
    return pixels + grain[..., None]


def _uneven_light(pixels: Pixels, rng: SeededRandom, depth: float) -> Pixels:
    """Uneven light: a plane and a soft shadow edge."""
    tall, wide = pixels.shape[:2]
    down, across = (
        np.linspace(-1, 1, tall, dtype=np.float32)[:, None],
        np.linspace(-1, 1, wide, dtype=np.float32)[None, :],
    )
    angle = rng.random() * 2 * np.pi
    plane = np.cos(angle) * across + np.sin(angle) * down
    light = 1 - depth * (plane + 1) / 2
    if rng.chance(0.4):
        edge = rng.random() * 1.6 - 0.8
        light = light * (1 - depth * 0.8 / (1 + np.exp(-(plane - edge) * rng.pick((6, 15, 40)))))
    lit: Pixels = pixels * light[..., None].astype(np.float32)
    return lit


def _blurred(picture: Image.Image, rng: SeededRandom, most: float) -> Image.Image:
    radius = most * rng.random() * max(picture.size) / 2200
    return picture.filter(ImageFilter.GaussianBlur(radius)) if radius > 0.2 else picture


def _scanned(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    pixels = np.asarray(_blurred(picture, rng, 1.0 * strength), dtype=np.float32)
    contrast, lift = 0.8 + 0.4 * rng.random(), 30 * (rng.random() - 0.3) * strength
    pixels = _noise((pixels - 128) * contrast + 128 + lift, rng, 8 * strength * rng.random())
    made = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return made.convert("L").convert("RGB") if rng.chance(0.6) else made


def _photographed(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    pixels = _uneven_light(
        np.asarray(_blurred(picture, rng, 1.6 * strength), dtype=np.float32),
        rng,
        min(0.75, 0.5 * strength * rng.random()),
    )
    cast = np.array([1.0, 0.94 + 0.06 * rng.random(), 0.82 + 0.18 * rng.random()], dtype=np.float32)
    pixels = _noise(pixels * cast * (0.75 + 0.25 * rng.random()), rng, 7 * strength * rng.random())
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _faxed(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """Two colours, specks, coarse resolution."""
    grey = picture.convert("L")
    small = grey.resize((max(1, int(grey.width * 0.8)), max(1, int(grey.height * 0.8))), Image.Resampling.BILINEAR)
    pixels = _noise(np.asarray(small, dtype=np.float32)[..., None], rng, 18 * strength * rng.random())
    black = pixels[..., 0] < 130 + 50 * rng.random()
    maker = np.random.default_rng(int(rng.random() * 2**32))
    specks = maker.random(black.shape) < 0.0004 * strength * rng.random()
    made = Image.fromarray(np.where(black | specks, 0, 255).astype(np.uint8)).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    return made.convert("RGB")


def _photocopied(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """A copy of a copy: hard contrast, dark edges, dust."""
    pixels = np.asarray(_blurred(picture.convert("L"), rng, 1.4 * strength), dtype=np.float32)
    pixels = _noise(((pixels - 140) * (1.3 + rng.random()) + 170)[..., None], rng, 12 * strength * rng.random())[..., 0]
    edge = int(picture.width * 0.02 * rng.random())
    if edge and rng.chance(0.4):
        pixels[:, :edge] *= 0.3
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB")


def _compress(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    if rng.chance(0.3):
        return picture
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(max(25, 90 - 45 * strength * rng.random())))
    return Image.open(buffer).convert("RGB")
