"""The commands of a checkout as processes, in a folder of their own: documents with a text layer, a scripted extractor,
and an SQLite file.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

from benchmarks.service.servers import environment
from tests.support.processes import WAITS

SCRIPT = {
    "invoice_number": "R-2041",
    "issue_date": "2026-03-14",
    "seller_name": "Nordwind Papier GmbH",
    "currency": "EUR",
    "net_total": "100.00",
    "tax_total": "19.00",
    "gross_total": "119.00",
}
LINES = (
    "Nordwind Papier GmbH",
    "Invoice R-2041",
    "Date 2026-03-14",
    "Net EUR 100.00",
    "VAT EUR 19.00",
    "Total EUR 119.00",
)


def draw_invoice(path: Path, *, pages: int = 1, note: str = "") -> None:
    """It is there at once: whoever watches the folder sees nothing of it before it is whole."""
    hidden = path.with_name(f".{path.name}")
    canvas = Canvas(str(hidden), invariant=True)
    for _ in range(pages):
        for number, line in enumerate((*LINES, note)):
            canvas.drawString(80, 740 - 30 * number, line)
        canvas.showPage()
    canvas.save()
    hidden.replace(path)


@dataclass
class FinishedRun:
    """A finished `docpipe run`."""

    code: int
    out: str
    err: str
    folder: Path

    def lines(self, name: str = "out.jsonl") -> dict[str, dict]:
        records = [json.loads(line) for line in (self.folder / name).read_text().splitlines()]
        return {record["file"]: record for record in records}

    def query(self, sql: str) -> list[tuple]:
        connection = sqlite3.connect(self.folder / "test.db")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def command(folder: Path, *arguments: str) -> list[str]:
    fixed = ["--db", f"sqlite:///{folder / 'test.db'}", "--model", f"scripted:{folder / 'script.json'}"]
    return [sys.executable, "-m", "docpipe", "run", *arguments, *fixed]


def command_environment() -> dict[str, str]:
    """On a screen of 200 columns, without settings of this process."""
    return {**environment(), "COLUMNS": "200"}


def docpipe_run(folder: Path, *arguments: str, **variables: str) -> FinishedRun:
    """`variables`: of the environment, beside its own."""
    environment = command_environment() | variables
    done = subprocess.run(
        command(folder, *arguments), capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    return FinishedRun(done.returncode, done.stdout, done.stderr, folder)


def workplace(folder: Path) -> Path:
    """A folder with an empty `docs`, and answers for the documents of `draw_invoice`; one with WAITS as its note has
    that as its number, and stands still at a Gate."""
    answers = [{"when": WAITS, "invoice_number": WAITS}, SCRIPT]
    (folder / "script.json").write_text(json.dumps(answers))
    (folder / "docs").mkdir()
    return folder


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
