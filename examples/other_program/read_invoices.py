"""Have invoices read: `python read_invoices.py FILE…`, then `python read_invoices.py --list`.

In: paths of documents, as docpipe's machine sees them too. Out: rows in the shop's table.
"""
# ruff: noqa: T201  (a program for a terminal)

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path

from bills import Bills
from celery.exceptions import TimeoutError as AnswerTimeout
from shop import DATABASE, app, send

SECONDS = 120.0  # for one document, with --wait


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="documents, or s3:// URLs")
    parser.add_argument("--wait", action="store_true", help="wait for the answers here, instead of in a worker")
    parser.add_argument("--again", action="store_true", help="send once more what has no answer yet")
    parser.add_argument("--list", action="store_true", help="show the table")
    options = parser.parse_args(arguments)
    with Bills(DATABASE) as bills:
        sent = [(row["task_id"], row["reference"]) for row in bills.unanswered()] if options.again else []
        for file in options.files:
            reference = file if "://" in file else str(Path(file).absolute())
            sent.append((str(uuid.uuid4()), reference))
            bills.add(*sent[-1])  # first the row, then the message: nothing that was sent is forgotten
        for task_id, reference in sent:
            send(task_id, reference, callback=not options.wait)
        unanswered = [reference for task_id, reference in sent if options.wait and not wait_for_answer(bills, task_id)]
        if options.list or options.wait:
            show(bills)
    for reference in unanswered:
        print(f"no answer yet: {reference} (`--again --wait` asks once more)", file=sys.stderr)
    return 1 if unanswered else 0


def wait_for_answer(bills: Bills, task_id: str) -> bool:
    """Wait for one answer. docpipe never raises here: a document that cannot be read has an answer that says so."""
    result = app.AsyncResult(task_id)
    try:
        bills.store(result.get(timeout=SECONDS))
    except AnswerTimeout:
        return False
    result.forget()
    return True


def show(bills: Bills) -> None:
    for row in bills.all():
        total = "" if row["cents"] is None else f"{row['currency'] or '?'} {row['cents'] / 100:.2f}"
        print(
            f"{row['status']:13}{total:>14}  {row['number'] or '':14} {Path(row['reference']).name:22} {row['look_at']}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
