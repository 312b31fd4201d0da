"""What a model wrote becomes candidates; what broke off, repeated itself or is no JSON is seen as that."""

import math

import pytest

from docpipe.errors import AnswerError
from docpipe.extractors.generative.backend import Completion, OutputToken
from docpipe.extractors.generative.parse import CompletionParser
from docpipe.schema import load_schema
from tests.support.decisions import decided_fields
from tests.support.pages import page_of

ROWS = '{"items": [{"description": "Tea", "amount": "2,00"}, {"description": "Cake", "amount": "3,50"}'


def parsed(*completions: Completion, schema: str = "receipt") -> CompletionParser:
    parser = CompletionParser(load_schema(schema))
    for completion in completions:
        parser.add(completion)
    return parser


def texts(parser: CompletionParser) -> dict[str, str]:
    return {candidate.path: candidate.text for candidate in parser.candidates}


def codes(parser: CompletionParser) -> list[str]:
    return [issue.code for issue in parser.issues]


def test_values_are_kept_as_they_are_written():
    parser = parsed(
        Completion(
            '{"total": "RM 80.90", "merchant_name": "Caf\\u00e9 \\"Zum\\" Bär\\nGmbH"}', ("total", "merchant_name")
        )
    )
    assert texts(parser) == {"total": "RM 80.90", "merchant_name": 'Café "Zum" Bär\nGmbH'}
    assert parser.issues == []


def test_null_means_absent_with_its_probability():
    parser = parsed(Completion('{"tip": null}', ("tip",), null_probabilities={"tip": 0.97}))
    assert texts(parser) == {}
    assert parser.absent == {"tip": 0.97}


@pytest.mark.parametrize("nothing", ['""', '"  "', "null"])
def test_an_empty_text_is_no_value(nothing):
    assert texts(parsed(Completion(f'{{"tip": {nothing}}}', ("tip",)))) == {}


@pytest.mark.parametrize("other", ['["80.90"]', '{"value": "80.90"}'])
def test_a_list_or_an_object_for_a_single_field_is_no_claim_that_it_is_absent(other):
    assert parsed(Completion(f'{{"total": {other}}}', ("total",))).absent == {"total": 0.0}


def test_a_number_without_quotes_is_taken_as_it_is_written():
    assert texts(parsed(Completion('{"total": 80.90, "tax": 1e3}', ("total", "tax")))) == {
        "total": "80.90",
        "tax": "1e3",
    }


def test_the_score_is_the_probability_of_the_value_and_not_of_its_key():
    tokens = [('{"total": ', -3.0), ('"8', math.log(0.5)), ('0"', math.log(0.8)), ("}", -2.0)]
    completion = Completion('{"total": "80"}', ("total",), tokens=tuple(OutputToken(text, log) for text, log in tokens))
    (candidate,) = parsed(completion).candidates
    assert candidate.score == pytest.approx(0.4)
    assert candidate.signals["inside"] == pytest.approx(0.5)


LONG = "Werner von Siemens Street 144 Building 7"


@pytest.mark.parametrize(("path", "field"), [("merchant_address", ""), ("items[0].description", "items")])
def test_a_long_value_is_improbable_as_a_whole_and_is_not_called_absent_for_that(path, field):
    text = f'{{"{field}": [{{"description": "{LONG}"}}]}}' if field else f'{{"{path}": "{LONG}"}}'
    tokens = tuple(OutputToken(sign, math.log(0.97) if sign.isalnum() or sign == '"' else 0.0) for sign in text)
    parser = parsed(Completion(text, (field or path,), tokens=tokens))
    assert parser.candidates[0].score < 0.5
    assert parser.absent[path] == pytest.approx(0.03), "what the first token leaves, which chose against null"
    schema, pages = load_schema("receipt"), [page_of([LONG])]
    answer = parser.answer()
    assert decided_fields(schema, pages, answer.candidates, answer.absent)[path].raw == LONG


def test_rows_are_numbered_through_all_parts_of_an_answer():
    parser = parsed(Completion(ROWS + "]}", ("items",)), Completion('{"items": [{"description": "Pie"}]}', ("items",)))
    assert texts(parser)["items[2].description"] == "Pie"
    assert texts(parser)["items[1].amount"] == "3,50"


@pytest.mark.parametrize("end", [', {"descr', ', {"description": "Pi', ', {"description": "Pie"', ",", ""])
def test_a_list_that_broke_off_keeps_its_complete_rows_and_says_partial(end):
    parser = parsed(Completion(ROWS + end, ("items",), finish="length"))
    assert {path.partition(".")[0] for path in texts(parser)} == {"items[0]", "items[1]"}
    assert codes(parser) == ["partial"]
    assert "2 complete rows" in parser.issues[0].message
    assert parser.finish == "length"


def test_a_value_that_broke_off_does_not_count_and_is_not_called_absent():
    parser = parsed(Completion('{"merchant_name": "Acme L', ("merchant_name",), finish="length"))
    assert texts(parser) == {}
    assert parser.absent == {"merchant_name": 0.0}
    assert codes(parser) == ["answer_cut_off"]


def test_what_comes_before_the_break_counts():
    parser = parsed(Completion('{"total": "80", "tax": "1', ("total", "tax", "tip"), finish="length"))
    assert texts(parser) == {"total": "80"}
    assert [issue.field for issue in parser.issues] == ["tax", "tip"]


def test_a_loop_is_no_success():
    parser = parsed(Completion('{"merchant_name": "Acme Acme Acme Acme', ("merchant_name",), finish="loop"))
    assert texts(parser) == {}
    assert parser.finish == "loop"
    assert "repeated itself" in parser.issues[0].message


@pytest.mark.parametrize("text", ["I cannot see a total.", "", "[1, 2]", "{total: 80}"])
def test_what_is_no_json_object_is_an_error(text):
    with pytest.raises(AnswerError, match="no JSON object") as refused:
        parsed(Completion(text, ("total",)))
    assert "JSON Schema" in refused.value.hint


def test_a_fence_around_the_json_is_taken_off():
    assert texts(parsed(Completion('```json\n{"total": "80"}\n```', ("total",)))) == {"total": "80"}


def test_fields_that_were_not_asked_for_do_not_count():
    assert texts(parsed(Completion('{"total": "80", "mood": "good", "items": []}', ("total",)))) == {"total": "80"}


def test_slots_that_nobody_filled_are_named_and_not_called_absent():
    parser = parsed(Completion('{"total": "80"}', ("total", "tip")))
    parser.add_unanswered(["total", "tip"])
    assert codes(parser) == ["not_answered"]
    assert "tip" in parser.issues[0].message
    assert parser.absent["tip"] == 0.0


def test_dotted_fields_may_be_nested(tmp_path):
    (tmp_path / "nested.py").write_text(
        "from pydantic import BaseModel\n"
        "class Party(BaseModel):\n    name: str | None = None\n"
        "class Deal(BaseModel):\n    seller: Party\n"
    )
    schema = f"{tmp_path}/nested.py:Deal"
    assert texts(parsed(Completion('{"seller": {"name": "A"}}', ("seller.name",)), schema=schema)) == {
        "seller.name": "A"
    }
    assert texts(parsed(Completion('{"seller.name": "A"}', ("seller.name",)), schema=schema)) == {"seller.name": "A"}
