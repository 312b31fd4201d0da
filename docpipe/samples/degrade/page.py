"""What scanners, fax machines, copiers and phones do to a page.

In: the picture of a page and a seed. Out: the degraded picture, and the homography (3 x 3, in fractions of the page)
that carries boxes from the clean page onto it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from docpipe.samples.degrade.capture import compress, fax, photocopy, photograph, scan
from docpipe.samples.degrade.geometry import Homography, place_on_sheet, warp
from docpipe.samples.degrade.paper_wear import wear
from docpipe.samples.seeded_random import SeededRandom

MAX_SIDE = 3200  # pixels: larger pages are drawn smaller first, as scanners and phones send them
CAPTURE_KINDS = ("scan", "scan", "scan", "scan", "photo", "photo", "fax", "copy")
CAPTURE = {"scan": scan, "photo": photograph, "fax": fax, "copy": photocopy}


def degrade_page(image: Image.Image, seed: int, *, strength: float = 1.0) -> tuple[Image.Image, Homography]:
    """The page as it might come in: scanned (most), photographed, faxed or copied. `strength` 0 leaves it clean."""
    rng = SeededRandom(f"scan:{seed}:wear")
    kind = capture_kind(seed)
    picture = image.convert("RGB")
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    if strength <= 0:
        return picture, np.eye(3)
    picture = wear(picture, rng, strength)
    picture, to_sheet = place_on_sheet(picture, rng, strength)
    picture, warped = warp(picture, rng, strength, photo=kind == "photo")
    picture = CAPTURE[kind](picture, rng, strength)
    return compress(picture, rng, strength), warped @ to_sheet


def capture_kind(seed: int) -> str:
    """Whether that seed scans, photographs, faxes or copies."""
    return SeededRandom(f"scan:{seed}").pick(CAPTURE_KINDS)
