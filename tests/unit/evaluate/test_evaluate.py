"""`docpipe evaluate`: what counts as right, which documents and names belong together, what the command says."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from docpipe.cli import invoke
from docpipe.errors import InputError, UsageError
from docpipe.evaluate import Counts
from tests.support.labelled import (
    MISSED,
    RIGHT,
    SPURIOUS,
    WRONG,
    Evaluator,
    counts_of,
    label_line,
    predicted,
    result_line,
    write,
)


@pytest.fixture
def evaluator(tmp_path: Path) -> Evaluator:
    return Evaluator(tmp_path)


@pytest.mark.parametrize(
    ("path", "label", "answer", "counts"),
    [
        ("total", "RM 1,080.90", "1080.90", RIGHT),
        ("total", "1080.9", "1080.90", RIGHT),
        ("total", "80.90", "80.91", WRONG),
        ("date", "25/12/2018", "2018-12-25", RIGHT),
        ("date", "25 DEC 2018", "2018-12-24", WRONG),
        ("time", "2:52 PM", "14:52:00", RIGHT),
        ("merchant_name", "YONGFATT ENTERPRISE", "Yongfatt  Enterprise.", RIGHT),
        ("merchant_name", "YONGFATT ENTERPRISE", "Yongfatt", WRONG),
        (
            "merchant_address",
            "NO 12, JALAN DEDAP 13 81100 JOHOR BAHRU",
            "No. 12 Jalan Dedap 13, 81100 Johor Bahr",
            RIGHT,
        ),
        ("total", "80.90", None, MISSED),
        ("tip", None, "3.00", SPURIOUS),
        ("tip", "", "3.00", SPURIOUS),
    ],
)
def test_values_are_compared_by_their_kind(
    evaluator: Evaluator, path: str, label: Any, answer: Any, counts: Counts
) -> None:
    assert counts_of(evaluator.evaluate_one({path: label}, {path: predicted(answer)}), path) == counts


def test_identifiers_are_equal_without_blanks_and_case(evaluator: Evaluator) -> None:
    evaluation = evaluator.evaluate_one(
        {"invoice_number": "FA 2017-0010", "iban": "FR20 1242 1242 1242 1242 1242 127"},
        {"invoice_number": predicted("fa2017-0010"), "iban": predicted("FR2012421242124212421242127")},
        schema="invoice",
    )
    assert counts_of(evaluation, "invoice_number") == counts_of(evaluation, "iban") == RIGHT


def test_an_absent_value_that_is_not_answered_is_counted_nowhere(evaluator: Evaluator) -> None:
    assert "tip" not in evaluator.evaluate_one({"tip": None}, {"tip": None}).scores.fields


def test_an_answer_that_could_not_be_parsed_is_missed(evaluator: Evaluator) -> None:
    evaluation = evaluator.evaluate_one({"date": "25/12/2018"}, {"date": predicted(None, raw="2S/12/Z018")})
    assert counts_of(evaluation, "date") == MISSED


def test_normalised_labels_win_over_printed_ones_and_a_null_among_them_says_nothing(evaluator: Evaluator) -> None:
    evaluation = evaluator.evaluate_one(
        {"date": "04/03/20", "total": "5.55"},
        {"date": predicted("2020-04-03"), "total": predicted("5.55")},
        fields_norm={"date": "2020-04-03", "total": None},
    )
    assert counts_of(evaluation, "date") == counts_of(evaluation, "total") == RIGHT


def test_where_nothing_decides_the_order_of_a_label_either_reading_is_right(evaluator: Evaluator) -> None:
    """Another label of the file does not decide: documents of several countries lie in one file."""
    labels = [label_line("a.pdf", {"date": "05/06/2018"}), label_line("b.pdf", {"date": "25/12/2018"})]
    for answer, expected in (("2018-06-05", RIGHT), ("2018-05-06", RIGHT), ("2018-06-06", WRONG)):
        results = [result_line("a.pdf", {"date": predicted(answer)}), result_line("b.pdf", {"date": None})]
        counts = counts_of(evaluator.evaluate(labels, results), "date")
        assert (counts.right, counts.wrong) == (expected.right, expected.wrong)


def test_the_order_of_a_label_comes_from_its_own_document(evaluator: Evaluator) -> None:
    words = [{"text": "Boston, MA 02114", "box": [0, 0, 9, 9]}]
    paper = {"width": 10, "height": 10, "words": words}
    assert (
        counts_of(evaluator.evaluate_one({"date": "05/06/2018"}, {"date": predicted("2018-05-06")}, **paper), "date")
        == RIGHT
    )
    assert (
        counts_of(evaluator.evaluate_one({"date": "05/06/2018"}, {"date": predicted("2018-06-05")}, **paper), "date")
        == WRONG
    )
    other = {"date": ["05/06/2018", "26/06/2018"]}
    assert counts_of(evaluator.evaluate_one(other, {"date": predicted("2018-05-06")}), "date") == WRONG


def test_an_iso_label_is_one_date(evaluator: Evaluator) -> None:
    assert counts_of(evaluator.evaluate_one({"date": "2018-06-05"}, {"date": predicted("2018-05-06")}), "date") == WRONG


def test_a_list_of_texts_holds_alternatives_or_the_lines_of_one_text(evaluator: Evaluator) -> None:
    label = {"total": ["16.10", "18.10"], "merchant_name": ["Golden Arches", "Restaurants Sdn Bhd"]}
    evaluation = evaluator.evaluate_one(
        label, {"total": predicted("18.10"), "merchant_name": predicted("GOLDEN ARCHES RESTAURANTS SDN BHD")}
    )
    assert counts_of(evaluation, "total") == counts_of(evaluation, "merchant_name") == RIGHT


def test_an_address_in_parts_matches_as_it_is_printed(evaluator: Evaluator) -> None:
    label = {
        "seller_address": {"line1": "35 rue de la Paix", "postcode": "69001", "city": "Lyon", "country": "FR"},
        "buyer_address": {"line1": "Hauptstr. 1", "postcode": "10115", "city": "Berlin", "country": "DE"},
    }
    printed = {
        "seller_address": predicted("35, rue de la Paix\n69001 Lyon\nFrance"),
        "buyer_address": predicted("Hauptstr. 1, 80331 München"),
    }
    evaluation = evaluator.evaluate_one(label, printed, schema="invoice", language="fr")
    assert counts_of(evaluation, "seller_address") == RIGHT
    assert counts_of(evaluation, "buyer_address") == WRONG


def test_what_the_labels_do_not_speak_of_is_named_but_not_scored(evaluator: Evaluator) -> None:
    evaluation = evaluator.evaluate_one(
        {"total": "5.00", "colour": "red"}, {"total": predicted("5.00"), "time": predicted("14:00:00")}
    )
    assert list(evaluation.scores.fields) == ["total"]
    assert evaluation.not_scored == ("colour",)
    assert evaluation.unlabelled == {"time": 1}


def test_documents_are_matched_by_name_whatever_folders_lead_to_them(evaluator: Evaluator) -> None:
    labels = [label_line("docs/a/1.pdf", {"total": "1.00"}), label_line("docs/b/1.pdf", {"total": "2.00"})]
    results = [
        result_line("/data/docs/b/1.pdf", {"total": predicted("2.00")}),
        result_line("/data/docs/a/1.pdf", {"total": predicted("1.00")}),
    ]
    assert counts_of(evaluator.evaluate(labels, results), "total") == Counts(right=2)
    with pytest.raises(InputError, match="2 results have this name"):
        evaluator.evaluate([label_line("1.pdf", {"total": "1.00"})], results)


def test_a_document_that_failed_or_has_no_line_counts_as_missed(evaluator: Evaluator) -> None:
    labels = [label_line(f"{name}.pdf", {"total": "1.00"}) for name in "abc"]
    results = [
        result_line("a.pdf", {"total": predicted("1.00")}),
        result_line("b.pdf", None, status="failed", error={"code": "corrupt", "message": "m", "hint": "h"}),
    ]
    evaluation = evaluator.evaluate(labels, results)
    assert counts_of(evaluation, "total") == Counts(right=1, missed=2)
    assert evaluation.failed == ["b.pdf"]
    assert evaluation.missing == ["c.pdf"]
    assert counts_of(evaluation, "total").recall == pytest.approx(1 / 3)


def test_only_visible_leaves_out_what_is_not_printed(evaluator: Evaluator) -> None:
    label = label_line(
        "a.pdf",
        {"gross_total": "10.00", "iban": "DE00", "prepaid_amount": "0.00", "line_items": [{"description": "x"}] * 2},
        visible_in_text_layer={"gross_total": True, "iban": False, "line_items": 2, "line_items_named": 1},
    )
    results = [result_line("a.pdf", {"gross_total": predicted("10.00")})]
    evaluation = evaluator.evaluate([label], results, schema="invoice", only_visible=True)
    assert list(evaluation.scores.fields) == ["gross_total"]
    assert not evaluation.rows
    everything = evaluator.evaluate([label], results, schema="invoice")
    assert counts_of(everything, "iban") == counts_of(everything, "prepaid_amount") == MISSED
    assert everything.rows["line_items"].counts == Counts(missed=2)


def test_names_are_mapped_by_hand_or_by_preset_and_a_wrong_target_is_refused(evaluator: Evaluator) -> None:
    label, results = (
        label_line("a", {"company": "Abc Ltd"}),
        [result_line("a", {"merchant_name": predicted("ABC LTD")})],
    )
    for maps in (("sroie",), ("company=merchant_name",)):
        assert counts_of(evaluator.evaluate([label], results, maps=maps), "merchant_name") == RIGHT
    with pytest.raises(UsageError, match="has no field shop"):
        evaluator.evaluate([label], results, maps=("company=shop",))
    with pytest.raises(UsageError, match="neither"):
        evaluator.evaluate([label], results, maps=("siore",))


def test_the_command_prints_json_and_fails_when_a_document_has_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "l.jsonl", [label_line(f"{n}.pdf", {"total": "1.00", "tax": "0.10"}) for n in "ab"])
    results = write(
        tmp_path / "r.jsonl", [result_line("a.pdf", {"total": predicted("1.00"), "tax": predicted("0.20")})]
    )
    assert invoke(["evaluate", str(labels), str(results), "--json", "--fields", "total"]) == InputError.exit_code
    printed = capsys.readouterr()
    evaluation = json.loads(printed.out)
    assert evaluation["missing"] == ["b.pdf"]
    assert evaluation["fields"]["total"]["right"] == 1
    assert "tax" not in evaluation["fields"]
    assert "b.pdf" in printed.err
    (tmp_path / "some.txt").write_text("docs/a.pdf\n")
    assert invoke(["evaluate", str(labels), str(results), "--files", str(tmp_path / "some.txt")]) == 0
    assert re.search(r"total +1 +0 +0 +0 +1\.000", capsys.readouterr().out)


def test_a_line_that_is_no_json_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write(tmp_path / "l.jsonl", [label_line("a.pdf", {})])
    broken = tmp_path / "r.jsonl"
    broken.write_text('{"file": "a.pdf"}\n{"file"\n')
    assert invoke(["evaluate", str(labels), str(broken)]) == InputError.exit_code
    assert "line 2" in capsys.readouterr().err


def test_the_error_page_shows_where_answer_and_label_stand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(page).text((300, 400), "5.00", fill="black")
    page.save(tmp_path / "a.png")
    words = [{"text": "5.00", "box": [300, 400, 340, 415]}]
    evidence = [{"page": 1, "box": [0.1, 0.1, 0.2, 0.12], "text": "6.00", "match": "exact"}]
    fields = {"total": predicted("6.00", evidence=evidence, accepted=True), "tip": None}
    label = label_line("a.png", {"total": "5.00", "tip": "<1.00>"}, width=600, height=800, words=words)
    labels = write(tmp_path / "l.jsonl", [label])
    results = write(tmp_path / "r.jsonl", [result_line("elsewhere/a.png", fields)])
    out = tmp_path / "errors.html"
    assert invoke(["evaluate", str(labels), str(results), "--errors", str(out)]) == 0
    html = out.read_text(encoding="utf-8")
    assert html.count("<article>") == html.count("data:image/jpeg;base64,") == 2
    assert html.index("wrong, accepted") < html.index("missed<")  # the worst first
    assert "&lt;1.00&gt;" in html
    assert not re.search(r"(src|href)=\"(?!data:)", html)  # nothing beside the file is needed
    assert str(out) in capsys.readouterr().err


def test_an_amount_label_may_be_a_number(evaluator: Evaluator) -> None:
    evaluation = evaluator.evaluate_one(
        {"gross_total": 4.1}, {"gross_total": predicted(str(Decimal("4.10")))}, schema="invoice"
    )
    assert counts_of(evaluation, "gross_total") == RIGHT
