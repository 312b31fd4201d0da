"""A list of plain values (`ports: list[str]`) on its way through the flow: asked for, decided, validated, written."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import ClassVar

import pytest
from pydantic import BaseModel
from pydantic import Field as Described
from sqlalchemy import text

from docpipe.data import Box, Candidate, Evidence, Field
from docpipe.evaluate import evaluate
from docpipe.evaluate.labels import LabelledDocument, ResultLine
from docpipe.export import write
from docpipe.extractors.generative.backend import Completion
from docpipe.extractors.generative.output_schema import output_slots
from docpipe.extractors.generative.parse import CompletionParser
from docpipe.extractors.generative.prompt import instructions
from docpipe.result import RunIdentity, nested
from docpipe.schema import load_schema
from docpipe.schemas.rules import Sum
from docpipe.schemas.to_json import json_file
from docpipe.store import SqlStore
from docpipe.validate import to_model, validate
from docpipe.vlm.field_queries import field_queries
from tests.support.decisions import decided_fields
from tests.support.pages import page_of
from tests.support.stored import document, extraction, stored_result

RUN = RunIdentity("0" * 64, "scripted:1", "key")
QUOTE = (Evidence(1, Box(0.1, 0.1, 0.2, 0.12), "printed"),)


class Voyage(BaseModel):
    """A voyage of a ship."""

    ship: str | None = None
    ports: list[str] = Described(description="ports of call", examples=["Bergen"])
    fees: set[Decimal] | None = None
    total: Decimal | None = None

    rules: ClassVar = (Sum("fees[]", ("total",)),)


@pytest.fixture(scope="module")
def voyage():
    return load_schema(Voyage)


def field(path, value, raw="printed"):
    return Field(path, value, raw, 0.99, QUOTE, accepted=True)


PORTS = (field("ports[0]", "Bergen"), field("ports[1]", "Ålesund"), field("fees[0]", Decimal("12.50")))


def test_its_values_are_one_field_of_the_schema(voyage):
    assert [(spec.path, spec.list_path, spec.prompt, spec.is_plain_value) for spec in voyage.fields][1:3] == [
        ("ports[]", "ports", "ports of call", True),
        ("fees[]", "fees", "fees", True),
    ]
    assert voyage.spec("ports[7]").examples == ("Bergen",)
    assert voyage.spec("fees[0]").kind.name == "money"


def test_the_network_is_asked_for_them_as_for_a_column(voyage):
    query = field_queries(voyage)["ports[]"]
    assert (query.prompt, query.repeated) == ("ports: ports of call", True)


def test_a_model_that_writes_is_asked_for_a_list_of_texts_and_its_answer_is_taken_apart(voyage):
    (_, slot, _, _) = output_slots(voyage)
    assert slot.value_schema["items"]["type"] == "string"
    assert '- "ports": ports of call (a list of all' in instructions(voyage)
    parser = CompletionParser(voyage)
    parser.add(Completion('{"ports": ["Bergen", "", "Oslo"], "fees": []}', ("ports", "fees")))
    parser.add(Completion('{"ports": ["Molde", "Trondh', ("ports",), "length"))
    assert {candidate.path: candidate.text for candidate in parser.candidates} == {
        "ports[0]": "Bergen",
        "ports[2]": "Oslo",
        "ports[3]": "Molde",
    }
    assert [(issue.code, issue.field) for issue in parser.issues] == [("partial", "ports")]


def test_they_are_decided_in_reading_order_without_what_is_empty(voyage):
    pages = [page_of(["Calls at", "Oslo Bergen", "fee 10.00 fee 2.50", "total 12.50"])]
    texts = {"ports[0]": "Bergen", "ports[4]": "Oslo", "fees[0]": "10.00", "fees[1]": "2.50", "total": "12.50"}
    candidates = tuple(Candidate(path, text, 0.9, ()) for path, text in texts.items())
    decided = tuple(decided_fields(voyage, pages, candidates).values())
    assert {each.path: each.value for each in decided if each.value is not None} == {
        "ports[0]": "Oslo",
        "ports[1]": "Bergen",
        "fees[0]": Decimal("10.00"),
        "fees[1]": Decimal("2.50"),
        "total": Decimal("12.50"),
    }
    assert not any(issue.code == "sum_mismatch" for issue in validate(decided, voyage, pages, run=RUN).issues)


def test_a_result_is_a_plain_list_in_the_users_object_and_in_json(voyage):
    result = validate(PORTS, voyage, [page_of(["words"])], run=RUN)
    assert to_model(result, voyage) == Voyage(ports=["Bergen", "Ålesund"], fees={Decimal("12.50")})
    assert [value["value"] for value in nested(result, voyage)["ports"]] == ["Bergen", "Ålesund"]
    assert nested(validate((), voyage, [], run=RUN), voyage)["ports"] == []


def test_a_value_that_could_not_be_read_leaves_no_gap_in_the_users_object(voyage):
    unread = field("ports[1]", None)
    result = validate((PORTS[0], unread, field("ports[2]", "Molde")), voyage, [page_of(["words"])], run=RUN)
    assert to_model(result, voyage).ports == ["Bergen", "Molde"]
    assert [value["raw"] for value in nested(result, voyage)["ports"]] == ["printed"] * 3


def test_a_value_that_the_class_refuses_is_named_by_its_own_path():
    class Sizes(BaseModel):
        sizes: list[int]

    schema = load_schema({**Sizes.model_json_schema(), "properties": {"sizes": {
        "type": "array", "items": {"type": "integer", "minimum": 1}}}})  # fmt: skip
    fields = (field("sizes[0]", None), field("sizes[1]", 7), field("sizes[2]", 0))
    result = validate(fields, schema, [page_of(["words"])], run=RUN)
    refused = [each.path for each in result.fields if any(issue.code == "refused" for issue in each.issues)]
    assert refused == ["sizes[2]"]
    assert to_model(result, schema).sizes == [7]


def test_a_list_that_has_to_be_there_is_missed(voyage):
    result = validate((field("ship", "Fram"),), voyage, [page_of(["words"])], run=RUN)
    assert [(issue.code, issue.field) for issue in result.issues] == [("missing_required", "ports")]
    assert to_model(result, voyage) == Voyage(ship="Fram", ports=[])


def test_sql_has_a_table_of_them(voyage, database_url):
    with SqlStore(database_url) as store:
        store.add(document("a.pdf"))
        store.save(extraction(document("a.pdf"), voyage, PORTS), voyage)
        (stored,) = store.results()
        with store._engine.connect() as connection:
            rows = connection.execute(text("SELECT position, value FROM voyage_ports ORDER BY position")).all()
    assert [tuple(row) for row in rows] == [(1, "Bergen"), (2, "Ålesund")]
    assert [each.path for each in stored.extraction.fields] == ["ports[0]", "ports[1]", "fees[0]"]


def test_csv_has_a_file_of_them(voyage, tmp_path):
    write(
        [stored_result(document("a.pdf"), extraction(document("a.pdf"), voyage, PORTS))], tmp_path / "out.csv", voyage
    )
    with (tmp_path / "out.ports.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["position"], row["value"]) for row in csv.DictReader(file)] == [("1", "Bergen"), ("2", "Ålesund")]


def test_a_label_is_a_list_of_texts(voyage):
    label = LabelledDocument("a.pdf", {"ports": ["Bergen", "Molde"]})
    answer = {"value": "Bergen", "raw": "Bergen", "confidence": 0.9, "accepted": True, "evidence": []}
    line = ResultLine("a.pdf", "voyage", "complete", {"ports": [answer, {**answer, "value": "Oslo"}]})
    cells = evaluate([label], [line], voyage).cells.fields["ports[]"].counts
    assert (cells.right, cells.right + cells.wrong + cells.missed) == (1, 2)


def test_a_json_schema_says_them_again(voyage):
    again = load_schema(json.loads(json_file(voyage)))
    assert again.fields == voyage.fields
