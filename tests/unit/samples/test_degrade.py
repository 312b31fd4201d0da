"""Degraded pages: a box is carried to where its print went, and no strength leaves a page as it is."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from docpipe.data import Box
from docpipe.samples import degrade_page, draw, transform_box
from docpipe.samples.pictures import rasterise


def test_a_box_is_carried_to_where_its_print_went():
    page = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(page).rectangle([200, 300, 320, 340], fill="black")
    box = Box(200 / 600, 300 / 800, 320 / 600, 340 / 800)
    for seed in range(12):
        degraded, homography = degrade_page(page, seed, strength=0.5)
        grey = np.asarray(degraded.convert("L"), dtype=float)
        moved_box = transform_box(box, homography)
        left, top = int(moved_box.left * degraded.width), int(moved_box.top * degraded.height)
        right, bottom = int(moved_box.right * degraded.width), int(moved_box.bottom * degraded.height)
        inside = grey[
            (3 * top + bottom) // 4 : (top + 3 * bottom) // 4, (3 * left + right) // 4 : (left + 3 * right) // 4
        ]
        above = grey[max(0, top - 40) : max(1, top - 15), left:right]
        assert inside.mean() < above.mean() - 40, seed


def test_a_scan_of_no_strength_leaves_the_page_as_it_is():
    page = rasterise(draw("form", 1, fonts="standard"), 60)[0]
    same, homography = degrade_page(page, 4, strength=0.0)
    assert np.array_equal(np.asarray(same), np.asarray(page))
    assert np.array_equal(homography, np.eye(3))
