"""What is plainly something else leaves its field empty; what may be a misread value is for a person."""

from __future__ import annotations

import pytest

from docpipe.acceptance import AcceptancePolicy
from docpipe.confidence import Calibration
from docpipe.data import PreparedDocument
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.pipeline import understand
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from tests.support.pages import page_of

LINES = ["2017-11-18", "Muster GmbH", "Rechnungsnummer R-17", "Total 80.90", "12 Aug", "l9,5O"]


def extracted(script: dict[str, str], schema: str = "invoice"):
    extractor = ScriptedExtractor(script)
    prepared, run = PreparedDocument([page_of(LINES)]), RunIdentity("0" * 64, extractor.name, "key")
    policy = AcceptancePolicy(Calibration.for_extractor(extractor.name))
    return understand(prepared, load_schema(schema), extractor=extractor, run=run, policy=policy)


@pytest.mark.parametrize(
    ("path", "text"),
    [("invoice_type", "2017-11-18"), ("due_date", "80.90"), ("net_total", "2017-11-18")],
)  # fmt: skip
def test_it_is_no_reproach(path, text):
    extraction = extracted({path: text})
    (field,) = [field for field in extraction.fields if field.path == path]
    assert (field.value, field.raw, field.accepted) == (None, None, False)
    assert [(issue.code, issue.severity) for issue in field.issues] == [("other_kind", "info")]
    assert not [issue for issue in extraction.issues if "is none of" in issue.message]


def test_a_field_that_has_to_be_there_was_not_found():
    extraction = extracted({"issue_date": "80.90"})
    messages = [issue.message for issue in extraction.issues if issue.field == "issue_date"]
    assert any("was not found" in message for message in messages)


@pytest.mark.parametrize(
    ("path", "text"),
    [("due_date", "12 Aug"), ("due_date", "Muster GmbH"), ("net_total", "l9,5O"), ("invoice_type", "Muster GmbH")],
)
def test_what_may_be_a_misread_value_is_shown_to_a_person(path, text):
    extraction = extracted({path: text})
    (field,) = [field for field in extraction.fields if field.path == path]
    assert field.raw == text
    assert field.issues
