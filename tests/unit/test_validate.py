"""Is the result whole and sound?"""

import datetime as dt
from decimal import Decimal
from typing import Annotated, ClassVar

import pytest
from pydantic import BaseModel, field_validator
from pydantic import Field as Described

from docpipe.data import Box, Evidence, Field, Issue
from docpipe.errors import EncryptedError
from docpipe.result import RunIdentity, failed_record, nested, record
from docpipe.schema import load_schema
from docpipe.schemas.kinds import Expected
from docpipe.validate import to_model, validate
from tests.support.pages import page_of

RUN = RunIdentity("0" * 64, "scripted:1", "key")
QUOTE = (Evidence(1, Box(0.1, 0.1, 0.2, 0.12), "printed"),)


def field(path, value, raw="printed", *, confidence=0.99, accepted=True):
    return Field(path, value, raw, confidence, QUOTE, accepted)


def checked(schema, *fields, pages=None, issues=()):
    return validate(fields, schema, pages or [page_of(["words"])], run=RUN, issues=issues)


def codes(extraction):
    return [issue.code for issue in extraction.issues]


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


@pytest.fixture(scope="module")
def invoice():
    return load_schema("invoice")


COMPLETE = [
    field("merchant_name", "Acme Ltd"),
    field("date", dt.date(2018, 12, 25)),
    field("total", Decimal("80.90")),
]


def test_a_whole_and_sure_result_is_complete(receipt):
    extraction = checked(receipt, *COMPLETE)
    assert (extraction.status, extraction.issues) == ("complete", ())
    assert (extraction.document_id, extraction.run_key, extraction.schema_version) == (
        RUN.document_id,
        "key",
        receipt.version,
    )


def test_a_required_field_that_is_missing_is_named(receipt):
    extraction = checked(receipt, *COMPLETE[:2])
    assert extraction.status == "needs_review"
    assert [(issue.code, issue.field) for issue in extraction.issues] == [("missing_required", "total")]


def test_values_that_are_not_sure_enough_are_named_with_their_confidence(receipt):
    extraction = checked(receipt, *COMPLETE[:2], field("total", Decimal(1), confidence=0.42, accepted=False))
    (issue,) = extraction.issues
    assert extraction.status == "needs_review"
    assert "1 of 3" in issue.message and "total (0.42)" in issue.message


def test_a_broken_sum_is_reported_with_the_figures(invoice):
    extraction = checked(
        invoice,
        field("net_total", Decimal("100.00")),
        field("tax_total", Decimal("20.00")),
        field("gross_total", Decimal("121.00")),
    )
    (issue,) = [issue for issue in extraction.issues if issue.code == "total_mismatch"]
    assert issue.field == "gross_total"
    assert "121.00" in issue.message and "120.00" in issue.message
    assert extraction.status == "needs_review"
    assert {f.path: f.value for f in extraction.fields}["gross_total"] == Decimal("121.00")


def test_a_broken_row_is_reported_for_that_row_only(invoice):
    rows = [
        field(f"tax_breakdown[{row}].{name}", Decimal(value))
        for row, cells in enumerate([("20", "100.00", "20.00"), ("10", "50.00", "9.00")])
        for name, value in zip(("rate", "net", "tax"), cells, strict=True)
    ]
    extraction = checked(invoice, *rows)
    broken = [issue for issue in extraction.issues if issue.code == "tax_mismatch"]
    assert [issue.field for issue in broken] == ["tax_breakdown[1].tax"]


def test_page_issues_and_the_extractor_s_issues_are_carried_over(receipt):
    page = page_of(["words"])
    blank = Issue("blank_page", "page 2 is blank", "info", page=2)
    pages = [page, page_of([], number=2)]
    pages[1] = type(page)(2, 10, 10, 72.0, issues=(blank,))
    extraction = checked(receipt, *COMPLETE, pages=pages, issues=[Issue("answer_cut_off", "cut off")])
    assert codes(extraction) == ["blank_page", "answer_cut_off"]
    assert extraction.status == "needs_review"
    assert checked(receipt, *COMPLETE, pages=pages).status == "complete"  # an info is no reason to look


def test_a_document_on_which_nothing_is_found_is_not_complete(receipt):
    assert "nothing_found" in codes(checked(receipt))


class Parcel(BaseModel):
    """A parcel label."""

    weight: Annotated[Decimal | None, Described(gt=0, description="weight in kg")] = None
    code: Annotated[str, Described(description="tracking code")]
    sender: Annotated[str | None, Expected(), Described(description="who sent it")] = None
    rules: ClassVar[tuple[object, ...]] = ()

    @field_validator("code")
    @classmethod
    def known(cls, code):
        if not code.startswith("P"):
            raise ValueError("codes begin with P")
        return code


@pytest.fixture(scope="module")
def parcel():
    return load_schema(Parcel)


def test_a_value_that_pydantic_refuses_loses_the_value_and_keeps_the_print(parcel):
    extraction = checked(parcel, field("weight", Decimal("-2"), "-2 kg"), field("code", "P1"), field("sender", "Bo"))
    weight = extraction.fields[0]
    assert (weight.value, weight.raw, weight.accepted) == (None, "-2 kg", False)
    assert [issue.code for issue in weight.issues] == ["refused"]
    assert extraction.status == "needs_review"


def test_a_validator_of_the_user_s_class_is_asked(parcel):
    extraction = checked(parcel, field("code", "X9", "X9"))
    assert extraction.fields[0].value is None
    assert "codes begin with P" in extraction.fields[0].issues[0].message


def test_the_result_becomes_an_object_of_the_schema_s_class(invoice):
    extraction = checked(
        invoice, field("net_total", Decimal("100.00")), field("line_items[0].amount", Decimal("100.00"))
    )
    model = to_model(extraction, invoice)
    assert isinstance(model, invoice.model)
    assert model.net_total == Decimal("100.00")
    assert [item.amount for item in model.line_items] == [Decimal("100.00")]


def test_an_object_is_made_even_when_a_required_value_is_missing(parcel):
    model = to_model(checked(parcel, field("weight", Decimal(2))), parcel)
    assert isinstance(model, Parcel)
    assert (model.weight, model.code, model.sender) == (Decimal(2), None, None)


def test_the_json_has_plain_values_nulls_and_lists(invoice):
    extraction = checked(
        invoice,
        field("issue_date", dt.date(2018, 12, 25), "25/12/2018"),
        Field("due_date", None, None, 0.9),
        field("gross_total", Decimal("1234.50"), "1.234,50 €"),
        field("line_items[1].amount", Decimal("100.00")),
    )
    tree = nested(extraction, invoice)
    assert tree["issue_date"]["value"] == "2018-12-25"
    assert tree["gross_total"]["value"] == "1234.50"
    assert tree["gross_total"]["evidence"] == [
        {"page": 1, "box": [0.1, 0.1, 0.2, 0.12], "text": "printed", "match": "exact"}
    ]
    assert tree["due_date"] is None and tree["iban"] is None
    assert tree["tax_breakdown"] == []
    assert [row["amount"] and row["amount"]["value"] for row in tree["line_items"]] == [None, "100.00"]
    assert tree["line_items"][1]["quantity"] is None


def test_a_record_names_the_file_and_what_happened(receipt):
    line = record(checked(receipt, *COMPLETE), "a.pdf", receipt)
    assert (line["file"], line["status"], line["error"]) == ("a.pdf", "complete", None)
    failed = failed_record("b.pdf", "receipt", EncryptedError("it needs a password"))
    assert failed["status"] == "failed"
    assert set(failed["error"]) == {"code", "message", "hint"}


def test_a_class_with_aliases_gets_its_values_by_the_names_of_its_fields():
    class Note(BaseModel):
        number: str | None = Described(None, alias="noteNumber")
        pieces: int | None = Described(None, alias="Pieces", ge=1)
        must: str = Described(alias="Must")

    schema = load_schema(Note)
    fields = (field("number", "N7"), field("pieces", 0), field("must", "x"))
    extraction = checked(schema, *fields)
    assert [each.path for each in extraction.fields if each.value is None] == ["pieces"]
    assert to_model(extraction, schema).number == "N7"
    assert to_model(checked(schema, *fields[:2]), schema).number == "N7", "without validation too"
