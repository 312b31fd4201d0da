"""The benchmark on forms: the formula, the questions as a schema, and drawn forms that ask by their labels."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.forms import field_names, pairs_by_question, schema_of
from docpipe.evaluate.anls import mean_score, question_score
from docpipe.samples import draw
from docpipe.samples.canvas import typography
from docpipe.vlm.field_queries import field_queries


def test_a_slip_costs_its_share_and_another_answer_all() -> None:
    assert question_score("May 1, 1985", ["MAY 1,  1985"]) == 1.0
    assert question_score("abcd", ["abce"]) == pytest.approx(0.75)
    assert question_score("abcd", ["xyzd"]) == 0.0
    assert question_score("", ["x"]) == 0.0
    assert question_score("two", ["one", "two"]) == 1.0


def test_every_question_counts_once_and_few_documents_have_no_interval() -> None:
    mean, interval = mean_score([[1.0, 1.0, 1.0], [0.0]])
    assert mean == 0.75
    assert interval is None
    mean, interval = mean_score([[1.0], [0.0]] * 20)
    assert interval is not None
    assert interval[0] < mean < interval[1]


def test_printed_questions_become_fields_named_after_them() -> None:
    pairs = [
        {"question": "Name / Phone Ext. :", "answer": "M. Hall"},
        {"question": "(3) Date:", "answer": "9/3/92"},
        {"question": "(3) DATE", "answer": "9/3/92"},
        {"question": "Fax:", "answer": " "},
    ]
    names = field_names(list(pairs_by_question(pairs)))
    assert list(names.values()) == ["name_phone_ext", "item_3_date", "item_3_date_again"]
    asked = field_queries(schema_of(names))
    assert asked["name_phone_ext"].prompt == "name phone ext: Name / Phone Ext. :"


def test_forms_for_training_ask_by_label_and_samples_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typography, "installed_families", tuple)  # they differ from machine to machine
    own, absent = 0, 0
    for seed in range(30):
        drawn = draw("form", seed)
        asked = {path for path in drawn.field_descriptions if not path.startswith("pairs")}
        own += len(asked)
        absent += len(asked - {placed.path for placed in drawn.printed_values})
        sample = draw("form", seed, fonts="standard")
        assert {placed.path.partition("[")[0] for placed in sample.printed_values} <= {"pairs"}
    assert own > 150
    assert 0.1 * own < absent < 0.5 * own
