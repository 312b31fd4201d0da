"""Folders of drawn documents, and pictures of many."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from docpipe.samples.__main__ import main
from docpipe.samples.folder import PASSWORD, write_folder
from docpipe.samples.pictures import contact_sheet


def test_the_sample_folder_has_a_truth_line_for_every_file(tmp_path):
    written = write_folder(tmp_path, seed=7)
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [tmp_path / line["file"] for line in lines] == written
    assert len(written) == 12
    assert {line["schema"] for line in lines} == {"invoice", "receipt", "form"}
    assert sum(not line["adds_up"] for line in lines) == 1
    assert any(line["pages"] == 2 for line in lines)
    assert all(line["fields"] and line["fields_norm"] for line in lines)
    locked = next(line for line in lines if "password" in line)
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(tmp_path / locked["file"])
    pypdfium2.PdfDocument(tmp_path / locked["file"], password=PASSWORD).close()


def test_a_contact_sheet_shows_every_page():
    pages = [Image.new("RGB", (100, 100), (200, 0, 0)) for _ in range(3)]
    sheet = contact_sheet(pages, 2, (60, 60))
    assert sheet.size == (120, 120)
    assert sheet.getpixel((90, 30)) == (200, 0, 0)
    assert sheet.getpixel((90, 90)) == (120, 120, 120)


def test_many_documents_of_one_type_come_with_their_labels(tmp_path: Path) -> None:
    assert main([str(tmp_path), "--many", "3", "--schema", "receipt", "--seed", "50", "--worn"]) == 0
    labels = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(labels) == 3
    assert all((tmp_path / line["file"]).read_bytes().startswith(b"%PDF") for line in labels)
    assert all(line["fields"] and line["schema"] == "receipt" for line in labels)
