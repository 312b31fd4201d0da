"""Two runs compared: what counts as a difference, and what does not."""

from __future__ import annotations

import copy
import json

import pytest

from benchmarks.accuracy import same

FIELD = {"value": "12.00", "confidence": 0.9, "evidence": [{"page": 1, "box": [0.1, 0.2, 0.3, 0.4]}], "accepted": True}
RECORD = {"file": "a.pdf", "status": "complete", "fields": {"total": FIELD}, "timings": {"read": 1.0}, "run_key": "1"}


def run(monkeypatch, capsys, old, new) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["same", str(old), str(new)])
    with pytest.raises(SystemExit) as ended:
        same.main()
    return ended.value.code, capsys.readouterr().out


@pytest.fixture
def folders(tmp_path):
    def write(name, *records):
        (tmp_path / name / "set").mkdir(parents=True, exist_ok=True)
        text = "\n".join(json.dumps(record) for record in records)
        (tmp_path / name / "set" / "results.jsonl").write_text(text + "\n")
        (tmp_path / name / "set" / "labels.jsonl").write_text(json.dumps({"file": name}))
        return tmp_path / name

    return write


def changed(*path, to):
    record = copy.deepcopy(RECORD)
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return record


def test_the_same_results_made_at_another_time_by_another_version_are_the_same(folders, monkeypatch, capsys):
    later = RECORD | {"timings": {"read": 2.0}, "run_key": "2"}
    assert run(monkeypatch, capsys, folders("old", RECORD), folders("new", later))[0] == 0


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (changed("fields", "total", "value", to="13.00"), 'a.pdf: fields.total.value: "12.00", now "13.00"'),
        (changed("fields", "total", "evidence", 0, "box", 3, to=0.5), "fields.total.evidence[0].box[3]: 0.4, now 0.5"),
        (changed("fields", "total", "confidence", to=0.91), "fields.total.confidence: 0.9, now 0.91"),
        (changed("fields", "tax", to=FIELD), "fields.tax: nothing, now"),
        (changed("fields", to={}), "fields.total: {"),
        (changed("status", to="needs_review"), 'status: "complete", now "needs_review"'),
        (changed("file", to="b.pdf"), "a.pdf: only in the old results"),
    ],
)
def test_each_difference_is_told_with_its_place(folders, monkeypatch, capsys, record, sentence):
    code, printed = run(monkeypatch, capsys, folders("old", RECORD), folders("new", record))
    assert code == 1
    assert sentence in printed


def test_results_that_are_not_there_are_a_difference(folders, monkeypatch, capsys, tmp_path):
    code, printed = run(monkeypatch, capsys, folders("old", RECORD, RECORD), tmp_path)
    assert code == 1
    assert "2 records, 2 differences" in printed
