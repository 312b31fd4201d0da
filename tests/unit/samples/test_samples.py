"""Documents that docpipe draws: what is said to be printed is printed there, and the sums hold."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw
from stdnum import iban
from stdnum.eu import vat

from docpipe.data import Box
from docpipe.samples import CHECK_BOX_FORMS, SCHEMAS, degrade_page, draw, transform_box
from docpipe.samples.__main__ import main
from docpipe.samples.content.words import word_lists
from docpipe.samples.folder import PASSWORD, write_folder
from docpipe.samples.pictures import contact_sheet, rasterise

SEEDS = range(12)


def letters(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_same_seed_draws_the_same_document(schema):
    first, second = draw(schema, 5, fonts="standard"), draw(schema, 5, fonts="standard")
    assert first.pdf == second.pdf
    assert first.printed_values == second.printed_values
    assert first.truth == second.truth


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_value_is_printed_in_its_boxes(schema):
    for seed in SEEDS:
        drawn = draw(schema, seed)
        document = pypdfium2.PdfDocument(drawn.pdf)
        assert len(document) == drawn.page_count
        for page_number, page in enumerate(document, 1):
            text, (width, height) = page.get_textpage(), page.get_size()
            for placed in (one for one in drawn.printed_values if one.page == page_number):
                found = "".join(
                    text.get_text_bounded(
                        box.left * width - 0.5,
                        height * (1 - box.bottom),
                        box.right * width + 0.5,
                        height * (1 - box.top),
                    )
                    for box in placed.boxes
                )
                assert letters(placed.text) in letters(found), (seed, placed, found)
        document.close()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_boxes_lie_on_the_page_and_paths_are_described(schema):
    for seed in SEEDS:
        drawn = draw(schema, seed)
        for placed in drawn.printed_values:
            assert placed.boxes
            for box in placed.boxes:
                assert 0 <= box.left < box.right <= 1
                assert 0 <= box.top < box.bottom <= 1
            assert re.sub(r"\[\d+\]", "[]", placed.path) in drawn.field_descriptions


def test_the_words_of_a_ticked_question_do_not_say_which_option_is_ticked():
    """No mark is a letter: what the page says is the same whichever box is ticked."""
    asked = left_open = 0
    for seed in range(20):
        drawn = draw(CHECK_BOX_FORMS, seed, language="en")
        printed = {
            word for page in pypdfium2.PdfDocument(drawn.pdf) for word in page.get_textpage().get_text_range().split()
        }
        assert not printed & {*word_lists("forms")["mark"], "✓", "✗", "☑", "☒", "●"}
        for path in (path for path in drawn.field_descriptions if "[]" not in path):
            said = drawn.truth.get(path)
            left_open += said is None
            asked += said is not None
    assert asked > 40
    assert left_open > 3


def test_sums_of_an_invoice_hold_unless_they_are_meant_not_to():
    checked = 0
    for seed in range(150):
        drawn = draw("invoice", seed, fonts="standard")
        truth = drawn.truth
        if {"net_total", "tax_total", "gross_total"} <= truth.keys():
            holds = Decimal(truth["net_total"]) + Decimal(truth["tax_total"]) == Decimal(truth["gross_total"])
            assert holds == drawn.adds_up, seed
            checked += 1
    assert checked > 60


def test_columns_of_line_items_stand_in_many_orders():
    orders = set()
    for seed in range(80):
        first = [
            one
            for one in draw("invoice", seed, fonts="standard").printed_values
            if one.path.startswith("line_items[0].")
        ]
        orders.add(tuple(one.path for one in sorted(first, key=lambda one: one.boxes[0].left)))
    assert len(orders) > 20


def test_the_rows_of_an_invoice_follow_each_other_down_the_page():
    for seed in range(60):
        names = [
            one
            for one in draw("invoice", seed).printed_values
            if re.fullmatch(r"line_items\[\d+\].description", one.path)
        ]
        places = [(one.page, one.boxes[0].top) for one in names]
        assert places == sorted(places), seed


def test_some_invoices_do_not_add_up_and_some_have_several_pages():
    drawn = [draw("invoice", seed, fonts="standard") for seed in range(150)]
    assert 1 <= sum(not one.adds_up for one in drawn) <= 15
    assert {1, 2} <= {one.page_count for one in drawn}


def test_account_and_vat_numbers_pass_their_checks():
    ibans, vats = [], []
    for seed in range(80):
        truth = draw("invoice", seed, fonts="standard").truth
        ibans += [truth["iban"]] if "iban" in truth else []
        vats += [truth[path] for path in ("seller_vat_id", "buyer_vat_id") if path in truth]
    european = [number for number in vats if not number.startswith(("GB", "CHE"))]
    assert len(ibans) > 20
    assert all(iban.is_valid(number) for number in ibans)
    assert len(european) > 20
    assert all(vat.is_valid(number) for number in european)


def test_languages_can_be_asked_for_and_differ():
    printed = {language: draw("receipt", 3, language=language).field_descriptions for language in ("en", "de", "id")}
    assert draw("invoice", 3, language="de").language == "de"
    assert set(printed["en"]) == set(printed["id"])


def test_fields_are_described_in_many_ways_even_as_questions():
    said = {draw("receipt", seed, fonts="standard").field_descriptions["total"] for seed in range(60)}
    assert len(said) > 5
    assert any(one.endswith("?") for one in said)


def test_a_box_is_carried_to_where_its_ink_went():
    page = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(page).rectangle([200, 300, 320, 340], fill="black")
    box = Box(200 / 600, 300 / 800, 320 / 600, 340 / 800)
    for seed in range(12):
        worn, matrix = degrade_page(page, seed, strength=0.5)
        ink = np.asarray(worn.convert("L"), dtype=float)
        moved = transform_box(box, matrix)
        left, top = int(moved.left * worn.width), int(moved.top * worn.height)
        right, bottom = int(moved.right * worn.width), int(moved.bottom * worn.height)
        inside = ink[
            (3 * top + bottom) // 4 : (top + 3 * bottom) // 4, (3 * left + right) // 4 : (left + 3 * right) // 4
        ]
        above = ink[max(0, top - 40) : max(1, top - 15), left:right]
        assert inside.mean() < above.mean() - 40, seed


def test_a_scan_of_no_strength_leaves_the_page_as_it_is():
    page = rasterise(draw("form", 1), 60)[0]
    same, matrix = degrade_page(page, 4, strength=0.0)
    assert np.array_equal(np.asarray(same), np.asarray(page))
    assert np.array_equal(matrix, np.eye(3))


def test_the_sample_folder_has_a_truth_line_for_every_file(tmp_path):
    written = write_folder(tmp_path, seed=7)
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [tmp_path / line["file"] for line in lines] == written
    assert len(written) == 12
    assert {line["schema"] for line in lines} == {"invoice", "receipt", "form"}
    assert sum(not line["adds_up"] for line in lines) == 1
    assert any(line["pages"] == 2 for line in lines)
    assert all(line["fields"] and line["fields_norm"] for line in lines)
    locked = next(line for line in lines if "password" in line)
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(tmp_path / locked["file"])
    pypdfium2.PdfDocument(tmp_path / locked["file"], password=PASSWORD).close()


def test_a_contact_sheet_shows_every_page():
    pages = [Image.new("RGB", (100, 100), (200, 0, 0)) for _ in range(3)]
    sheet = contact_sheet(pages, 2, (60, 60))
    assert sheet.size == (120, 120)
    assert sheet.getpixel((90, 30)) == (200, 0, 0)
    assert sheet.getpixel((90, 90)) == (120, 120, 120)


def test_many_documents_of_one_type_come_with_their_labels(tmp_path: Path) -> None:
    assert main([str(tmp_path), "--many", "3", "--schema", "receipt", "--seed", "50", "--worn"]) == 0
    labels = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(labels) == 3
    assert all((tmp_path / line["file"]).read_bytes().startswith(b"%PDF") for line in labels)
    assert all(line["fields"] and line["schema"] == "receipt" for line in labels)
