"""The flow, end to end, with a scripted extractor in the model's place."""

import json
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from docpipe.acceptance import AcceptancePolicy
from docpipe.confidence import Calibration
from docpipe.data import Document, Issue, PreparedDocument
from docpipe.errors import AnswerError, CorruptError, ModelError
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.ingest import ingest
from docpipe.pipeline import PipelineParts, extract, identify_run, prepare, understand
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Limits, Renderer
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from tests.support.pages import page_of

DOCUMENT = Document("0" * 64, "a.pdf", None, "application/pdf", 10, 2)
RECEIPT = {"merchant_name": "Acme Ltd", "date": "25/12/2018", "total": "80.90"}
LINES = ["Acme Ltd", "Date 25/12/2018", "Total 80.90"]
RUN = RunIdentity(DOCUMENT.id, "scripted:1", "key")


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


class NeverOpened:
    """A page image that may be held but not drawn."""

    def open(self, *, max_side=None):
        raise AssertionError("nobody needs the picture here")

    def turned(self, degrees):
        return self


@dataclass
class Pages:
    """Rasteriser and reader in one: pages of lines."""

    lines: list

    def pages(self, document):
        for number, _ in enumerate(self.lines, start=1):
            yield replace(page_of([], number=number), image=NeverOpened())

    def read(self, document, page):
        return replace(page, words=page_of(self.lines[page.number - 1], number=page.number).words)


def parts_of(pages, script):
    return PipelineParts(pages, pages, ScriptedExtractor(script), "dpi=200")


def policy_of(parts, accept_error=0.01):
    return AcceptancePolicy.for_extractor(parts.extractor, accept_error)


def accepting_all(threshold_records=1000):
    """A policy under which every value is accepted: all held-out records were right at any confidence."""
    uncalibrated = Calibration.for_extractor("scripted:none")
    return AcceptancePolicy(Calibration("scripted:any", uncalibrated.coefficients, ((0.0, True),) * threshold_records))


def test_a_document_goes_from_pages_to_a_complete_result(receipt):
    pages = Pages([["Cover"], LINES])
    extraction = extract(DOCUMENT, receipt, parts_of(pages, RECEIPT), accepting_all())
    values = {field.path: field for field in extraction.fields}
    assert extraction.status == "complete", extraction.issues
    assert values["total"].value == Decimal("80.90")
    assert values["total"].evidence[0].page == 2
    assert extraction.pages == 2
    assert set(extraction.timings) == {"rasterise", "read", "extract", "decide"}


def test_a_real_pdf_goes_through_real_parts(tmp_path, receipt):
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "receipt.pdf"), pagesize=(300, 400))
    for place, line in enumerate([*LINES, "Thank you for your purchase at our shop", "Please come again soon"]):
        canvas.drawString(30, 350 - 20 * place, line)
    canvas.save()
    renderer = Renderer(Limits())
    try:
        document = ingest(tmp_path / "receipt.pdf", renderer=renderer)
        parts = PipelineParts(PageRasteriser(renderer), PageReader(renderer), ScriptedExtractor(RECEIPT), "test")
        extraction = extract(document, receipt, parts, accepting_all())
    finally:
        renderer.close()
    assert extraction.status == "complete", extraction.issues
    box = next(field for field in extraction.fields if field.path == "merchant_name").evidence[0].box
    assert 0.05 < box.left < 0.15 and 0.08 < box.top < 0.13  # 30 of 300 points, 40 of 400 points to its top


def test_a_thousand_pages_are_kept_as_handles(receipt):
    pages = Pages([["Page"]] * 999 + [LINES])
    prepared = prepare(DOCUMENT, rasteriser=pages, reader=pages)
    assert len(prepared.pages) == 1000  # NeverOpened would have said if a picture had been drawn
    extraction = understand(prepared, receipt, extractor=ScriptedExtractor(RECEIPT), run=RUN, policy=accepting_all())
    assert {field.evidence[0].page for field in extraction.fields if field.evidence} == {1000}


def test_a_document_of_which_no_page_can_be_read_is_an_error():
    class Unreadable(Pages):
        def pages(self, document):
            yield replace(page_of([]), issues=(Issue("page_unreadable", "the picture is damaged", "error", page=1),))

    pages = Unreadable([[]])
    with pytest.raises(CorruptError, match="the picture is damaged"):
        prepare(DOCUMENT, rasteriser=pages, reader=pages)


def test_one_unreadable_page_of_two_is_an_issue_of_the_result(receipt):
    lost = replace(page_of([], number=2), issues=(Issue("page_unreadable", "damaged", "error", page=2),))
    prepared = PreparedDocument([page_of(LINES), lost])
    extraction = understand(prepared, receipt, extractor=ScriptedExtractor(RECEIPT), run=RUN, policy=accepting_all())
    assert extraction.status == "needs_review"
    assert [(issue.code, issue.page) for issue in extraction.issues] == [("page_unreadable", 2)]


def test_an_extractor_without_checked_examples_accepts_nothing_and_says_so(receipt):
    parts = parts_of(Pages([LINES]), RECEIPT)
    extraction = extract(DOCUMENT, receipt, parts, policy_of(parts))
    assert extraction.status == "needs_review"
    assert "not_calibrated" in [issue.code for issue in extraction.issues]
    assert not any(field.accepted for field in extraction.fields)


def test_an_answer_that_was_cut_off_is_visible(receipt):
    class CutOff(ScriptedExtractor):
        def extract(self, pages, schema):
            return replace(super().extract(pages, schema), finish="length", tokens_in=900, tokens_out=100)

    extraction = understand(
        PreparedDocument([page_of(LINES)]), receipt, extractor=CutOff(RECEIPT), run=RUN, policy=accepting_all()
    )
    assert [issue.code for issue in extraction.issues] == ["answer_cut_off"]
    assert extraction.cost == {"tokens_in": 900.0, "image_tokens": 0.0, "tokens_out": 100.0, "money": 0.0}


def test_the_run_key_is_the_same_for_the_same_work_and_another_for_any_change(receipt):
    def key(document=DOCUMENT, schema=receipt, script=RECEIPT, accept_error=0.01, **changed):
        parts = replace(parts_of(Pages([LINES]), script), **changed)
        return identify_run(document, schema, parts, policy_of(parts, accept_error)).key

    changed = [
        key(document=replace(DOCUMENT, id="1" * 64)),
        key(schema=load_schema("invoice")),
        key(script={"total": "1.00"}),
        key(preparation="dpi=300"),
        key(picture_sides=(2_048,)),
        key(accept_error=0.05),
    ]
    assert key() == key(document=replace(DOCUMENT, name="other name.pdf"))
    assert len({key(), *changed}) == 7


def test_the_result_carries_the_run_key(receipt):
    parts = parts_of(Pages([LINES]), RECEIPT)
    policy = policy_of(parts)
    assert extract(DOCUMENT, receipt, parts, policy).run_key == identify_run(DOCUMENT, receipt, parts, policy).key


def test_a_script_answers_by_what_is_on_the_pages(tmp_path, receipt):
    scripts = [{"when": "Bolt Inc", "total": "1.00"}, {"when": "Acme", **RECEIPT, "tip": None}]
    (tmp_path / "script.json").write_text(json.dumps(scripts))
    extractor = ScriptedExtractor.from_file(tmp_path / "script.json")
    answer = extractor.extract([page_of(LINES)], receipt)
    assert {candidate.path: candidate.text for candidate in answer.candidates} == RECEIPT
    assert answer.absent["tip"] > 0.9
    with pytest.raises(AnswerError):
        extractor.extract([page_of(["Nobody"])], receipt)


def test_a_script_may_hold_rows_several_candidates_and_scores(receipt):
    script = {"items": [{"amount": "1.00"}, {"amount": {"text": "2.00", "score": 0.6}}], "total": ["3.00", "4.00"]}
    (answer,) = ScriptedExtractor(script).extract_many([[page_of(LINES)]], receipt)
    assert [(c.path, c.text) for c in answer.candidates] == [
        ("items[0].amount", "1.00"),
        ("items[1].amount", "2.00"),
        ("total", "3.00"),
        ("total", "4.00"),
    ]
    assert answer.candidates[1].score == 0.6
    assert answer.candidates[2].score > answer.candidates[3].score


def test_a_script_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "script.json").write_text("{")
    with pytest.raises(ModelError):
        ScriptedExtractor.from_file(tmp_path / "script.json")
