"""The Python API, on drawn documents, with a scripted extractor."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
from pydantic import BaseModel, Field, field_validator
from reportlab.pdfgen.canvas import Canvas

import docpipe
from benchmarks.service.servers import START_SECONDS
from docpipe import EncryptedError, ModelError, SchemaError, UnsupportedError, UsageError, extract, loaded_components
from docpipe.components import ModelName, load_components
from docpipe.config import load_settings
from tests.support.command_line import draw_invoice
from tests.support.repository import ROOT

ROWS = [{"what": "Paper", "price": "100,00"}]
SCRIPT = {"number": "R-2041", "issued": "14.03.2026", "total": "1.119,00", "rows": ROWS}


class Row(BaseModel):
    what: str | None = Field(None, description="what was sold")
    price: Decimal | None = Field(None, description="price of the row")


class Bill(BaseModel):
    """A bill, as a user would write it."""

    number: str | None = Field(None, description="number of the bill")
    issued: date | None = Field(None, description="date of the bill")
    total: Decimal = Field(description="amount to pay")
    paid_by: str | None = Field(None, description="who paid it")
    rows: list[Row] = Field(default_factory=list)


@pytest.fixture
def model(tmp_path) -> str:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    return f"scripted:{script}"


@pytest.fixture
def bill(tmp_path) -> Path:
    path = tmp_path / "bill.pdf"
    canvas = Canvas(str(path), invariant=True)
    for number, line in enumerate(("Rechnung R-2041", "Datum 14.03.2026", "Paper 100,00", "Summe EUR 1.119,00")):
        canvas.drawString(80, 740 - 30 * number, line)
    canvas.save()
    return path


def test_the_result_is_the_users_own_object(bill, model):
    result = extract(bill, Bill, model=model)
    assert isinstance(result.value, Bill)
    assert result.value.total == Decimal("1119.00")
    assert result.value.issued == date(2026, 3, 14)
    assert result.value.rows == [Row(what="Paper", price=Decimal("100.00"))]


def test_each_value_has_its_evidence(bill, model):
    result = extract(bill, Bill, model=model)
    (found,) = result.evidence("total")
    assert (found.page, found.text) == (1, "1.119,00")
    assert 0 < found.box.left < found.box.right < 1
    assert result.fields["total"].raw == "1.119,00"
    assert result.evidence("rows[0].price")[0].text == "100,00"


def test_what_is_not_on_the_document_has_no_evidence_and_a_wrong_path_is_an_error(bill, model):
    result = extract(bill, Bill, model=model)
    assert result.evidence("paid_by") == ()
    with pytest.raises(SchemaError, match="totel"):
        result.evidence("totel")


def test_the_status_and_its_reasons_are_there(bill, model):
    result = extract(bill, Bill, model=model)
    assert result.status == "needs_review"
    assert "not_calibrated" in {issue.code for issue in result.issues}


def test_a_required_value_that_is_missing_is_none_and_an_issue(bill, tmp_path):
    script = tmp_path / "without.json"
    script.write_text(json.dumps({"number": "R-2041"}))
    result = extract(bill, Bill, model=f"scripted:{script}")
    assert result.value.total is None
    assert ("missing_required", "total") in {(issue.code, issue.field) for issue in result.issues}


def test_a_path_bytes_and_an_open_file_give_the_same_result(bill, model):
    by_path = extract(str(bill), Bill, model=model)
    by_bytes = extract(bill.read_bytes(), Bill, model=model)
    with bill.open("rb") as file:
        by_file = extract(file, Bill, model=model)
    assert by_path.value == by_bytes.value == by_file.value
    assert by_path.document.id == by_bytes.document.id == by_file.document.id
    assert [result.document.name for result in (by_path, by_bytes, by_file)] == ["bill.pdf", "document", "bill.pdf"]


def test_a_schema_may_be_a_name(bill, model):
    assert extract(bill, "form", model=model).schema.name == "form"


def test_a_password_opens_an_encrypted_file(bill, model, tmp_path):
    locked = tmp_path / "locked.pdf"
    with pikepdf.open(bill) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="geheim", owner="geheim"))
    with pytest.raises(EncryptedError):
        extract(locked, Bill, model=model)
    assert extract(locked, Bill, model=model, password="geheim").value.number == "R-2041"


def test_what_is_no_document_is_refused(model):
    with pytest.raises(UnsupportedError):
        extract(b"this is no PDF", Bill, model=model)


def test_the_models_are_loaded_once(bill, model, monkeypatch):
    extract(bill, Bill, model=model)
    monkeypatch.setattr(loaded_components, "load_components", lambda *_, **__: pytest.fail("loaded again"))
    assert extract(io.BytesIO(bill.read_bytes()), Bill, model=model, accept_error=0.05).value.number == "R-2041"


@pytest.mark.parametrize("model", ["psychic", "embedded:huge", "scripted:no-such-file.json"])
def test_a_model_that_cannot_be_loaded_says_so(bill, model):
    with pytest.raises(ModelError):
        extract(bill, Bill, model=model)


@pytest.mark.parametrize("rate", [0.0, -1.0, 0.9])
def test_an_error_rate_that_makes_no_sense_is_refused(bill, model, rate):
    with pytest.raises(UsageError):
        extract(bill, Bill, model=model, accept_error=rate)


def test_every_public_name_can_be_imported():
    assert all(getattr(docpipe, name) is not None for name in docpipe.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        docpipe.nonsense  # noqa: B018 - the access is the test


def test_a_type_checker_knows_the_users_class(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from pydantic import BaseModel\n"
        "from docpipe import extract\n"
        "class Bill(BaseModel):\n"
        "    total: str\n"
        "wrong: int = extract('a.pdf', schema=Bill).value.total\n"
    )
    root = ROOT
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nfollow_imports = silent\n")
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), str(program)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert 'program.py:5: error: Incompatible types in assignment (expression has type "str"' in run.stdout


def test_extract_stays_a_function_after_an_extractor_was_loaded() -> None:
    """A package of the same name would take its place on the module when it is imported."""
    import docpipe
    import docpipe.extractors.scripted

    assert callable(docpipe.extract)
    assert docpipe.extractors.scripted.ScriptedExtractor


def test_a_file_that_needs_no_password_opens_although_one_was_given(tmp_path: Path) -> None:
    """With several files in a folder, `--password` is meant for those that need it."""
    plain, owned = tmp_path / "plain.pdf", tmp_path / "owned.pdf"
    canvas = Canvas(str(plain))
    canvas.drawString(72, 720, "Total 12.00")
    canvas.save()
    with pikepdf.open(plain) as pdf:
        pdf.save(owned, encryption=pikepdf.Encryption(user="", owner="geheim"))
    script = tmp_path / "script.json"
    script.write_text("{}", encoding="utf-8")
    components = load_components(ModelName("scripted", str(script)), load_settings({}), threads=1)
    try:
        assert components.open(owned, ["something else"]).page_count == 1
    finally:
        components.close()


def test_a_dict_is_a_schema(bill, model):
    schema = {
        "type": "object",
        "properties": {"total": {"type": "number"}, "issued": {"type": "string", "format": "date"}},
    }
    result = extract(bill, schema, model=model)
    assert (result.value.total, result.value.issued) == (Decimal("1119.00"), date(2026, 3, 14))
    assert type(extract(bill, schema, model=model).value) is type(result.value), "the same schema is the same class"


def test_two_threads_read_at_the_same_time(tmp_path, model):
    """Each stands at the gate with a document; one alone would wait for the other for ever."""
    meeting = threading.Barrier(2, timeout=START_SECONDS)
    meetings.append(meeting)

    def read(name: str) -> str | None:
        draw_invoice(tmp_path / name, note=name)
        return extract(tmp_path / name, MeetingBill, model=model).value.number

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(read, ("a.pdf", "b.pdf"))) == ["R-2041", "R-2041"]


meetings: list[threading.Barrier] = []
have_met: set[int] = set()  # threads


class MeetingBill(BaseModel):
    """One whose values are checked by two threads at once, or never."""

    number: str | None = Field(None, description="number of the bill")

    @field_validator("number")
    @classmethod
    def meet(cls, number: str | None) -> str | None:
        if threading.get_ident() not in have_met:
            meetings[-1].wait()
            have_met.add(threading.get_ident())
        return number
