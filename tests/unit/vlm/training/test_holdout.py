"""The list of documents held out: complete, never of training, and in the form that `docpipe evaluate` takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docpipe.errors import InputError
from docpipe.evaluate import read_map
from docpipe.evaluate.labels import read_labels, select_documents
from docpipe.schema import load_schema
from docpipe.vlm.training.data.labelled_sets import load_labelled
from docpipe.vlm.training.data.split import part_of
from docpipe.vlm.training.holdout import holdout_names, main

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


def test_a_document_is_either_learnt_or_held_out(data):
    documents = load_labelled(data, "receipts")
    learnt = {f"docs/{document.path.name}" for document in documents if document.part == "train"}
    held_out = holdout_names(data, "receipts", "both")
    assert learnt and held_out
    assert not learnt & set(held_out)
    assert len(learnt) + len(held_out) == SELLERS * RECEIPTS_EACH


def test_both_parts_together_are_all_that_is_held_out(data):
    sellers, documents = (
        holdout_names(data, "receipts", "holdout_seller"),
        holdout_names(data, "receipts", "holdout_document"),
    )
    assert sellers and documents
    assert sorted(sellers + documents) == sorted(holdout_names(data, "receipts", "both"))


def test_a_seller_held_out_is_held_out_with_all_its_receipts(data):
    names = holdout_names(data, "receipts", "holdout_seller")
    sellers = [name.removeprefix("docs/").partition("-")[0] for name in names]
    assert all(sellers.count(seller) == RECEIPTS_EACH for seller in set(sellers))


def test_evaluate_takes_the_names_of_the_label_file_they_were_cut_to(data):
    labels = data / "receipts" / "labels.jsonl"
    documents = read_labels(labels, read_map(["sroie"], load_schema("receipt")))
    with pytest.raises(InputError):
        select_documents(
            documents, holdout_names(data, "receipts", "both")
        )  # names of the other label file are unknown there
    names = holdout_names(data, "receipts", "both", labels)
    assert {document.file for document in select_documents(documents, names)} == set(names)


def test_the_command_prints_one_name_a_line(data, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["holdout", "receipts", "--data", str(data), "--part", "holdout_seller"])
    main()
    assert capsys.readouterr().out.splitlines() == holdout_names(data, "receipts", "holdout_seller")


def test_a_folder_without_labels_is_named_and_explained(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["holdout", "receipts", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "receipts/labels.jsonl" in (message := capsys.readouterr().err)
    assert "--data names the folder" in message


def test_a_seller_is_on_one_side_of_the_split_only():
    sellers = [f"seller {number}" for number in range(400)]
    held_out = [s for s in sellers if part_of(s, "any document") == "holdout_seller"]
    assert 30 < len(held_out) < 90
    assert all(part_of(s, f"document {n}") == "holdout_seller" for s in held_out for n in range(20))
