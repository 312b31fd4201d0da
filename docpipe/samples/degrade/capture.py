"""What a device does to a page while it captures it: scanner, phone camera, fax machine, copier, and the file's
compression.

In: the picture of a page and a random source. Out: the captured picture; nothing on it moves.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from docpipe.samples.degrade.paper_wear import Pixels
from docpipe.samples.seeded_random import SeededRandom


def scan(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """Another contrast, a little blur and noise; mostly grey."""
    pixels = np.asarray(_blurred(picture, rng, 1.0 * strength), dtype=np.float32)
    contrast, brightness = 0.8 + 0.4 * rng.random(), 30 * (rng.random() - 0.3) * strength
    pixels = _with_noise((pixels - 128) * contrast + 128 + brightness, rng, 8 * strength * rng.random())
    scanned = _to_image(pixels)
    return scanned.convert("L").convert("RGB") if rng.chance(0.6) else scanned


def photograph(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """Uneven and coloured light."""
    pixels = np.asarray(_blurred(picture, rng, 1.6 * strength), dtype=np.float32)
    pixels = _in_uneven_light(pixels, rng, min(0.75, 0.5 * strength * rng.random()))
    colour_cast = np.array([1.0, 0.94 + 0.06 * rng.random(), 0.82 + 0.18 * rng.random()], dtype=np.float32)
    pixels = _with_noise(pixels * colour_cast * (0.75 + 0.25 * rng.random()), rng, 7 * strength * rng.random())
    return _to_image(pixels)


def fax(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """Two colours, specks, coarse resolution."""
    grey = picture.convert("L")
    small = grey.resize((max(1, int(grey.width * 0.8)), max(1, int(grey.height * 0.8))), Image.Resampling.BILINEAR)
    pixels = _with_noise(np.asarray(small, dtype=np.float32)[..., None], rng, 18 * strength * rng.random())
    black = pixels[..., 0] < 130 + 50 * rng.random()
    noise = np.random.default_rng(int(rng.random() * 2**32))
    specks = noise.random(black.shape) < 0.0004 * strength * rng.random()
    faxed = Image.fromarray(np.where(black | specks, 0, 255).astype(np.uint8))
    return faxed.resize(picture.size, Image.Resampling.BILINEAR).convert("RGB")


def photocopy(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """A copy of a copy: hard contrast, dark edges, dust."""
    pixels = np.asarray(_blurred(picture.convert("L"), rng, 1.4 * strength), dtype=np.float32)
    contrasted = ((pixels - 140) * (1.3 + rng.random()) + 170)[..., None]
    pixels = _with_noise(contrasted, rng, 12 * strength * rng.random())[..., 0]
    edge = int(picture.width * 0.02 * rng.random())
    if edge and rng.chance(0.4):
        pixels[:, :edge] *= 0.3
    return _to_image(pixels).convert("RGB")


def compress(picture: Image.Image, rng: SeededRandom, strength: float) -> Image.Image:
    """As a JPEG of some quality, unless it stays as it is."""
    if rng.chance(0.3):
        return picture
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(max(25, 90 - 45 * strength * rng.random())))
    return Image.open(buffer).convert("RGB")


def _to_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _with_noise(pixels: Pixels, rng: SeededRandom, deviation: float) -> Pixels:
    """The same grey noise on all channels."""
    noise = np.random.default_rng(int(rng.random() * 2**32))
    grain: Pixels = noise.standard_normal(pixels.shape[:2], dtype=np.float32) * deviation
    return pixels + grain[..., None]


def _in_uneven_light(pixels: Pixels, rng: SeededRandom, depth: float) -> Pixels:
    """Light that falls off to one side, and now and then the soft edge of a shadow."""
    height, width = pixels.shape[:2]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    angle = rng.random() * 2 * np.pi
    plane = np.cos(angle) * across + np.sin(angle) * down
    light = 1 - depth * (plane + 1) / 2
    if rng.chance(0.4):
        edge = rng.random() * 1.6 - 0.8
        light = light * (1 - depth * 0.8 / (1 + np.exp(-(plane - edge) * rng.pick((6, 15, 40)))))
    shaded: Pixels = pixels * light[..., None].astype(np.float32)
    return shaded


def _blurred(picture: Image.Image, rng: SeededRandom, max_radius: float) -> Image.Image:
    """`max_radius` in pixels of a page of 2,200 pixels."""
    radius = max_radius * rng.random() * max(picture.size) / 2200
    return picture.filter(ImageFilter.GaussianBlur(radius)) if radius > 0.2 else picture
