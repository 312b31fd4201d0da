"""From any of Pillow's modes to RGB on white paper. In: a decoded image. Out: 8 bits first, RGB after resizing.

Two steps, so that a large image is made small before its largest copy is made.
"""

from __future__ import annotations

from PIL import Image

RESIZABLE = ("L", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LA")  # 8 bits a band: can be resized as they are
_EIGHT_BITS = {"1": "L", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}
TWELVE_BITS = 4095  # scanners and cameras store 10 or 12 bits in 16: with full range they would be nearly black


def to_eight_bits(image: Image.Image) -> Image.Image:
    """A mode of RESIZABLE: palettes looked up, 1 and 16 bits and floating point mapped to 0-255."""
    if "transparency" in image.info and image.mode in ("P", "L", "RGB", "1"):
        return image.convert("RGBA")
    if image.mode in RESIZABLE:
        return image
    if image.mode == "LAB":
        return image.getchannel("L")  # Pillow converts Lab only with a profile; lightness is what reading needs
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _grey_from_many_levels(image)
    return image.convert(_EIGHT_BITS.get(image.mode, "RGB"))


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of a RESIZABLE mode as RGB; what shines through is white, as paper is."""
    if image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_from_many_levels(image: Image.Image) -> Image.Image:
    """The range is what the values say: 0-1, 8, 12 or 16 bits, or else from the darkest to the lightest."""
    grey = image if image.mode == "F" else image.convert("I")
    low, high = (float(value) for value in grey.getextrema())  # type: ignore[arg-type]
    if low >= 0 and image.mode != "F":
        low = 0.0
        high = next((top for top in (255.0, TWELVE_BITS, 65535.0) if high <= top), high)
    elif low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    scale = 255.0 / max(high - low, 1e-9)
    return grey.point(lambda value: value * scale - low * scale).convert("L")
