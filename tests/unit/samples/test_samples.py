"""Documents that docpipe draws: what is said to be printed is printed there, and the sums hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
import reportlab
from stdnum import iban
from stdnum.eu import vat

from docpipe.samples import QUESTIONNAIRE, SCHEMAS, draw
from docpipe.samples.canvas import typography
from docpipe.samples.content.vocabulary import word_lists

SEEDS = range(12)


def install_family(folder: Path, cut_to: int | None = None) -> None:
    """Vera, which comes with reportlab, under the name of a family that many systems have."""
    vera = Path(reportlab.__file__).parent / "fonts"
    for ours, theirs in (("Vera", "DejaVuSans"), ("VeraBd", "DejaVuSans-Bold"), ("VeraIt", "DejaVuSans-Oblique")):
        (folder / f"{theirs}.ttf").write_bytes((vera / f"{ours}.ttf").read_bytes()[:cut_to])


@pytest.fixture
def font_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only folder in which fonts are looked for; empty."""
    monkeypatch.setattr(typography, "_font_folders", lambda: [tmp_path])
    typography.installed_families.cache_clear()
    yield tmp_path
    typography.installed_families.cache_clear()


@pytest.fixture(params=["no fonts", "a family"])
def installed_fonts(request: pytest.FixtureRequest, font_folder: Path) -> None:
    """What is installed is up to the test and not to the computer."""
    if request.param == "a family":
        install_family(font_folder)


def letters(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_same_seed_draws_the_same_document(schema):
    first, second = draw(schema, 5, fonts="standard"), draw(schema, 5, fonts="standard")
    assert first.pdf == second.pdf
    assert first.printed_values == second.printed_values
    assert first.truth == second.truth


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_value_is_printed_in_its_boxes(schema, installed_fonts):
    for seed in SEEDS:
        sample = draw(schema, seed)
        pdf = pypdfium2.PdfDocument(sample.pdf)
        assert len(pdf) == sample.page_count
        for page_number, page in enumerate(pdf, 1):
            text_page, (width, height) = page.get_textpage(), page.get_size()
            for value in (value for value in sample.printed_values if value.page == page_number):
                text_in_boxes = "".join(
                    text_page.get_text_bounded(
                        box.left * width - 0.5,
                        height * (1 - box.bottom),
                        box.right * width + 0.5,
                        height * (1 - box.top),
                    )
                    for box in value.boxes
                )
                assert letters(value.text) in letters(text_in_boxes), (seed, value, text_in_boxes)
        pdf.close()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_boxes_lie_on_the_page_and_paths_are_described(schema, installed_fonts):
    for seed in SEEDS:
        sample = draw(schema, seed)
        for value in sample.printed_values:
            assert value.boxes
            for box in value.boxes:
                assert 0 <= box.left < box.right <= 1
                assert 0 <= box.top < box.bottom <= 1
            assert re.sub(r"\[\d+\]", "[]", value.path) in sample.field_descriptions


def test_the_words_of_a_ticked_question_do_not_say_which_option_is_ticked(installed_fonts):
    """No mark is a letter: what the page says is the same whichever box is ticked."""
    answered = left_open = 0
    for seed in range(20):
        sample = draw(QUESTIONNAIRE, seed, language="en")
        pages = pypdfium2.PdfDocument(sample.pdf)
        printed = {word for page in pages for word in page.get_textpage().get_text_range().split()}
        assert not printed & {*word_lists("forms")["mark"], "✓", "✗", "☑", "☒", "●"}
        for path in (path for path in sample.field_descriptions if "[]" not in path):
            answer = sample.truth.get(path)
            left_open += answer is None
            answered += answer is not None
    assert answered > 40
    assert left_open > 3


def test_sums_of_an_invoice_hold_unless_they_are_meant_not_to():
    checked = 0
    for seed in range(150):
        sample = draw("invoice", seed, fonts="standard")
        truth = sample.truth
        if {"net_total", "tax_total", "gross_total"} <= truth.keys():
            holds = Decimal(truth["net_total"]) + Decimal(truth["tax_total"]) == Decimal(truth["gross_total"])
            assert holds == sample.adds_up, seed
            checked += 1
    assert checked > 60


def test_columns_of_line_items_stand_in_many_orders():
    orders = set()
    for seed in range(80):
        sample = draw("invoice", seed, fonts="standard")
        first_row = [value for value in sample.printed_values if value.path.startswith("line_items[0].")]
        orders.add(tuple(value.path for value in sorted(first_row, key=lambda value: value.boxes[0].left)))
    assert len(orders) > 20


def test_the_rows_of_an_invoice_follow_each_other_down_the_page(installed_fonts):
    for seed in range(60):
        values = draw("invoice", seed).printed_values
        names = [value for value in values if re.fullmatch(r"line_items\[\d+\].description", value.path)]
        positions = [(name.page, name.boxes[0].top) for name in names]
        assert positions == sorted(positions), seed


def test_some_invoices_do_not_add_up_and_some_have_several_pages():
    invoices = [draw("invoice", seed, fonts="standard") for seed in range(150)]
    assert 1 <= sum(not invoice.adds_up for invoice in invoices) <= 15
    assert {1, 2} <= {invoice.page_count for invoice in invoices}


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
    fields = {
        language: draw("receipt", 3, language=language, fonts="standard").field_descriptions
        for language in ("en", "de", "id")
    }
    assert draw("invoice", 3, language="de", fonts="standard").language == "de"
    assert set(fields["en"]) == set(fields["id"])


def test_fields_are_described_in_many_ways_even_as_questions():
    descriptions = {draw("receipt", seed, fonts="standard").field_descriptions["total"] for seed in range(60)}
    assert len(descriptions) > 5
    assert any(description.endswith("?") for description in descriptions)


def test_installed_fonts_are_used_and_damaged_ones_passed_over(font_folder):
    install_family(font_folder)
    assert [family.regular for family in typography.installed_families()] == ["DejaVuSans"]
    standard = [draw("receipt", seed, fonts="standard").pdf for seed in range(12)]
    assert [draw("receipt", seed).pdf for seed in range(12)] != standard
    install_family(font_folder, cut_to=5_000)
    typography.installed_families.cache_clear()
    assert typography.installed_families() == ()
    assert [draw("receipt", seed).pdf for seed in range(12)] == standard
