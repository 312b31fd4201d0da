"""Which values a calibration is fitted on."""

from __future__ import annotations

import json

from benchmarks.accuracy.fit_confidence import records_of
from docpipe.result import put


def test_what_no_model_proposed_is_no_record(tmp_path):
    """Its confidence is not that of a model's words, and it is never accepted."""
    fields: dict[str, object] = {}
    for path, signals in (("total", {"score": 0.9}), ("tax", {"score": 0.6, "witness": 1.0})):
        value = {"value": "1.00", "raw": "1.00", "confidence": 0.9, "accepted": False, "evidence": [], "issues": []}
        put(fields, path, {**value, "signals": signals})
    result = {"file": "a.pdf", "schema": "receipt", "status": "needs_review", "fields": fields}
    (tmp_path / "results.jsonl").write_text(json.dumps(result) + "\n")
    label = {"file": "a.pdf", "fields": {"total": "1.00", "tax": "1.00"}}
    (tmp_path / "labels.jsonl").write_text(json.dumps(label) + "\n")
    records = records_of(tmp_path / "labels.jsonl", tmp_path / "results.jsonl", "-", {})
    assert [record.signals for record in records] == [{"score": 0.9}]
