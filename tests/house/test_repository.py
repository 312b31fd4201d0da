"""The rules of the house for the repository: what is in it, and what is not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.repository import ROOT
from tests.support.source_code import PYTHON, TRACKED, place


def test_every_target_of_the_makefile_says_what_it_does():
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()
    assert [name for name in phony if not re.search(rf"^{name}:.*## \S", text, re.MULTILINE)] == []


def test_nothing_of_the_repository_reads_documents_from_outside_it():
    reading = [path for path in PYTHON if re.search(r"[\"'](?:\.\./|/work/)shared", path.read_text("utf-8"))]
    assert [place(path) for path in reading if path != Path(__file__)] == []


def test_no_document_of_others_is_in_the_repository():
    """Samples and test documents are drawn when they are needed; pictures of them are the only binary files."""
    documents = {".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".heic", ".xml", ".zip"}
    pictures = [path for path in TRACKED if path.suffix.lower() == ".png" and "pictures" not in path.parts]
    assert [place(path) for path in TRACKED if path.suffix.lower() in documents] + pictures == []


def test_no_two_files_differ_by_case_alone():
    """On macOS and Windows they would be one file."""
    names = [str(path.relative_to(ROOT)) for path in TRACKED]
    assert len({name.lower() for name in names}) == len(names)
