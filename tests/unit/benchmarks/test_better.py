"""Two versions on the same labelled documents: F1 before and after, what is accepted, and which values changed."""

from __future__ import annotations

import json

from benchmarks.accuracy import better
from benchmarks.accuracy.quality import SETS, folder_of
from docpipe.result import put

(SET,) = (each for each in SETS if each.title == "mixed invoices")
DOCUMENTS = 12


def field(value, *, accepted=False):
    return {"value": value, "raw": value, "confidence": 0.9, "accepted": accepted, "evidence": [], "issues": []}


def write(out, *, right: int, rows: int):
    """Of DOCUMENTS invoices `right` have the right total, accepted, as is a wrong one; each has `rows` of two rows."""
    folder = folder_of(SET, out)
    folder.mkdir(parents=True)
    labels, results = [], []
    for number in range(DOCUMENTS):
        items = [{"description": f"Tile {row}", "amount": "5.00"} for row in range(2)]
        labels.append({"file": f"{number}.pdf", "fields": {"gross_total": "10.00", "line_items": items}})
        fields: dict[str, object] = {}
        put(fields, "gross_total", field("10.00" if number < right else "1.00", accepted=True))
        for row in range(rows):
            put(fields, f"line_items[{row}].description", field(f"Tile {row}"))
            put(fields, f"line_items[{row}].amount", field("5.00"))
        results.append({"file": f"{number}.pdf", "schema": "invoice", "status": "complete", "fields": fields})
    for name, lines in (("labels", labels), ("results", results)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_what_became_better_and_what_is_accepted_wrong(tmp_path, monkeypatch, capsys):
    write(tmp_path / "old", right=6, rows=1)
    write(tmp_path / "new", right=9, rows=1)
    monkeypatch.setattr("sys.argv", ["better", str(tmp_path / "old"), str(tmp_path / "new"), "--changes"])
    better.main()
    printed = capsys.readouterr().out
    fields, rows = (line for line in printed.splitlines() if line.startswith(f"| {SET.title} ({DOCUMENTS})"))
    assert "| single fields | 0.500 | 0.750 | +0.250 |" in fields
    assert "| line_items (rows) | 0.667 | 0.667 | +0.000 | +0.000 to +0.000 |" in rows
    assert f"| {SET.title} | 12 of 36 | 6 | 12 of 36 | 3 | 24, 0 |" in printed, "the cells are as sure"
    changed = [line for line in printed.splitlines() if line.startswith("- ")]
    assert len(changed) == 3
    assert changed[0] == "- 6.pdf gross_total: wrong ('1.00' for '10.00', accepted), now right"


def test_an_interval_of_pairs_is_narrower_than_the_documents_differ(tmp_path):
    """Half of the documents are hard for both versions; one more is right now."""
    write(tmp_path / "old", right=6, rows=0)
    write(tmp_path / "new", right=7, rows=0)
    evaluations = [better.evaluate_results(SET, folder_of(SET, tmp_path / name)) for name in ("old", "new")]
    line = better.paired_scores(*evaluations)[better.FIELDS].line("t", "p")
    low, high = (float(end) for end in line.split("|")[6].split("to"))
    assert 0 <= low <= 1 / DOCUMENTS <= high < 0.3
    own = evaluations[0].scores.micro.interval
    assert own is not None and high - low < own[1] - own[0]
