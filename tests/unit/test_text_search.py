"""Finding a text among the words of a page."""

import pytest

from docpipe.confidence import Calibration
from docpipe.data import Page
from docpipe.document_index import DocumentIndex
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.pipeline import AcceptancePolicy, Cascade, PreparedDocument, understand
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from docpipe.text_normalisation import date_key, match_of, number_key
from docpipe.text_search import PageIndex
from tests.support.pages import LETTER, line_of, page_of


def quotes(text, *lines):
    occurrences = PageIndex(page_of(lines)).find(text)
    return [(occurrence.match, [quote.text for quote in occurrence.evidence]) for occurrence in occurrences]


def test_a_text_that_is_printed_as_it_is_matches_exactly_with_a_tight_box():
    index = PageIndex(page_of(["Invoice number R-2026/17 of today"]))
    (occurrence,) = index.find("R-2026/17")
    (word,) = (word for word in index.words if word.text == "R-2026/17")
    assert occurrence.match == "exact"
    assert [quote.box for quote in occurrence.evidence] == [word.box]


def test_case_accents_and_punctuation_do_not_matter():
    assert quotes("MUELLER, SOHNE", "Mueller & Söhne") == [("normalised", ["Mueller & Söhne"])]


def test_an_address_over_three_lines_has_one_box_per_line():
    (occurrence,) = PageIndex(page_of(["Acme Ltd", "12 High Street", "Flat 3", "London N1 2AB", "Phone 1"])).find(
        "12 High Street, Flat 3, London N1 2AB"
    )
    assert [quote.text for quote in occurrence.evidence] == ["12 High Street", "Flat 3", "London N1 2AB"]
    assert all(a.box.bottom <= b.box.top for a, b in zip(occurrence.evidence, occurrence.evidence[1:], strict=False))


def test_an_address_beside_another_column_is_found_line_by_line():
    words = [
        *line_of("12 High Street", 0, top=0.10),
        *line_of("Invoice 77", 1, left=0.6, top=0.10),
        *line_of("London N1 2AB", 2, top=0.13),
        *line_of("Date 1.2.2026", 3, left=0.6, top=0.13),
    ]
    (occurrence,) = PageIndex(Page(1, 1000, 1400, 120.0, None, tuple(words))).find("12 High Street, London N1 2AB")
    assert [quote.text for quote in occurrence.evidence] == ["12 High Street", "London N1 2AB"]
    assert max(quote.box.right for quote in occurrence.evidence) < 0.6


@pytest.mark.parametrize(
    ("text", "printed"),
    [("1234.50", "1.234,50"), ("1234.5", "1 234,50"), ("RM 80.90", "80.90"), ("80", "$80.00"), ("-5.00", "(5.00)")],
)
def test_a_number_is_found_in_any_format(text, printed):
    assert quotes(text, f"Total {printed} 2 pages") == [("normalised", [printed])]


@pytest.mark.parametrize("printed", ["25/12/2018", "25. Dezember 2018", "Dec 25, 2018", "25.12.18"])
def test_a_date_is_found_in_any_format(printed):
    assert quotes("2018-12-25", f"Date: {printed} Page 1") == [("normalised", [printed])]


@pytest.mark.parametrize("other", ["1,080.90", "80.91", "180.90", "80.905", "809.0"])
def test_a_number_is_not_found_inside_or_beside_another_number(other):
    assert quotes("80.90", f"Total {other}") == []


def test_a_word_is_not_found_inside_a_longer_word():
    assert quotes("Total", "Subtotal 12.00") == []


def test_a_value_glued_to_its_label_gets_only_its_part_of_the_box():
    index = PageIndex(page_of(["Total:80.90"]))
    (occurrence,) = index.find("80.90")
    (quote,) = occurrence.evidence
    assert quote.text == "80.90"
    assert quote.box.left == pytest.approx(index.words[0].box.left + 6 * LETTER)
    assert quote.box.right == pytest.approx(index.words[0].box.right)


def test_slips_of_the_ocr_are_forgiven_in_names():
    assert quotes("Yongfatt Enterprise", "Y0NGFATT ENTERPRlSE") == [("fuzzy", ["Y0NGFATT ENTERPRlSE"])]


def test_another_name_is_not_a_slip():
    assert quotes("Meier Bau GmbH", "Bauer Holz GmbH") == []


def test_letters_that_look_like_digits_are_forgiven_but_other_digits_are_not():
    assert quotes("DE 811 907 980", "VAT DE81l9O7980") == [("fuzzy", ["DE81l9O7980"])]
    assert quotes("DE 811 907 980", "VAT DE811907981") == []


def test_a_date_glued_to_the_time_is_cut_out():
    assert quotes("09/02/2018", "Printed 09/02/201811:35") == [("fuzzy", ["09/02/2018"])]


def test_occurrences_come_best_first_and_then_in_reading_order():
    pages = [page_of(["Sum 12.00", "RM12.00"], number=1), page_of(["12.00 12.00"], number=2)]
    occurrences = DocumentIndex(pages).find("12.00")
    assert [(occurrence.page, occurrence.first_word) for occurrence in occurrences] == [(1, 1), (2, 0), (2, 1), (1, 2)]


def test_what_is_not_there_is_not_found():
    assert quotes("Acme", "Nothing of the sort") == []
    assert PageIndex(page_of([])).find("Acme") == []
    assert quotes("  ", "some words") == []


def test_a_text_without_letters_and_digits_is_found_as_it_is():
    assert quotes("€", "Total € 12.00") == [("exact", ["€"])]


def test_a_quote_that_says_something_else_is_noticed():
    assert match_of("80.90", "80.90") == "exact"
    assert match_of("80.90", "RM 80,90") == "normalised"
    assert match_of("80.90", "80.91") is None
    assert match_of("Acme Ltd", "Bolt Inc") is None


def test_number_keys_tell_numbers_from_other_texts():
    assert number_key("1'234.50") == number_key("1.234,50 €") == "1234.50"
    assert number_key("1,234") == "1234.00"
    assert number_key("0,125") == "0.125"
    assert number_key("000849") is None
    assert number_key("25/12/2018") is None


def test_date_keys_need_a_day_a_month_and_a_year():
    assert date_key("14 février 2017") == date_key("2017-02-14")
    assert date_key("12.50") is None
    assert date_key("99.99.99") is None


def test_the_words_of_a_page_are_prepared_once_for_all_steps_and_both_models(monkeypatch):
    prepared = []
    build = PageIndex.__init__
    monkeypatch.setattr(PageIndex, "__init__", lambda self, page: (prepared.append(page.number), build(self, page))[1])
    pages = [page_of(["Acme Ltd", "Date 25/12/2018"], number=1), page_of(["Tax 10.90", "Total 80.90"], number=2)]
    first, second = (ScriptedExtractor({"total": {"text": "80.90", "score": score}}) for score in (0.3, 0.9))
    asked = []
    monkeypatch.setattr(second, "extract_many", lambda *given: (asked.append(1), first.extract_many(*given))[1])
    understand(
        PreparedDocument(pages),
        load_schema("receipt"),
        extractor=Cascade(first, second),
        run=RunIdentity("0" * 64, "a,b", "key"),
        policy=AcceptancePolicy(Calibration.for_extractor("scripted:none")),
    )
    assert asked, "the second model was asked, and its answer decided anew"
    assert prepared == [1, 2]
