"""The list of documents kept aside: complete, never of training, and in the form that `docpipe evaluate` takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docpipe.errors import InputError
from docpipe.evaluate import read_map
from docpipe.evaluate.labels import choose, read_labels
from docpipe.schema import load_schema
from docpipe.vlm.training.data.labelled import load_labelled
from docpipe.vlm.training.holdout import main, names_aside

SELLERS, RECEIPTS_EACH = 60, 4


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Receipts of sixty sellers, spread over the two label files of the set."""
    rows = [
        {"file": f"docs/{seller}-{number}.jpg", "fields": {"company": f"Shop {seller} Ltd", "total": "3.10"}}
        for number in range(RECEIPTS_EACH)
        for seller in range(SELLERS)
    ]
    (tmp_path / "receipts").mkdir()
    half = len(rows) // 2
    for name, part in (("labels.jsonl", rows[:half]), ("labels_extra.jsonl", rows[half:])):
        (tmp_path / "receipts" / name).write_text("\n".join(map(json.dumps, part)) + "\n", encoding="utf-8")
    return tmp_path


def test_a_document_is_either_learnt_or_kept_aside(data):
    learnt = {f"docs/{one.path.name}" for one in load_labelled(data, "receipts") if one.part == "train"}
    aside = names_aside(data, "receipts", "both")
    assert learnt and aside
    assert not learnt & set(aside)
    assert len(learnt) + len(aside) == SELLERS * RECEIPTS_EACH


def test_both_parts_together_are_all_that_is_kept_aside(data):
    sellers, documents = names_aside(data, "receipts", "aside_seller"), names_aside(data, "receipts", "aside_document")
    assert sellers and documents
    assert sorted(sellers + documents) == sorted(names_aside(data, "receipts", "both"))


def test_a_seller_kept_aside_is_kept_aside_with_all_its_receipts(data):
    names = names_aside(data, "receipts", "aside_seller")
    sellers = [name.removeprefix("docs/").partition("-")[0] for name in names]
    assert all(sellers.count(seller) == RECEIPTS_EACH for seller in set(sellers))


def test_evaluate_takes_the_names_of_the_label_file_they_were_cut_to(data):
    labels = data / "receipts" / "labels.jsonl"
    documents = read_labels(labels, read_map(["sroie"], load_schema("receipt")))
    with pytest.raises(InputError):
        choose(documents, names_aside(data, "receipts", "both"))  # names of the other label file are unknown there
    names = names_aside(data, "receipts", "both", labels)
    assert {document.file for document in choose(documents, names)} == set(names)


def test_the_command_prints_one_name_a_line(data, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["aside", "receipts", "--data", str(data), "--part", "aside_seller"])
    main()
    assert capsys.readouterr().out.splitlines() == names_aside(data, "receipts", "aside_seller")


def test_a_folder_without_labels_is_named_and_explained(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["aside", "receipts", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "receipts/labels.jsonl" in (said := capsys.readouterr().err)
    assert "--data names the folder" in said
