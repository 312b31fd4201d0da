"""`python -m docpipe.samples OUT` writes the sample folder; `--contact-sheet FILE` shows many drawn documents.

In: a folder or a file to write. Out: the documents with their truth, or one picture of many.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docpipe.samples import SCHEMAS, degrade_page, draw
from docpipe.samples.folder import write_folder, write_many
from docpipe.samples.pictures import contact_sheet, draw_boxes, rasterise

CONTACT_SHEET_DPI = 90.0
CONTACT_SHEET_COLUMNS = 5
CELL_SIZE = (420, 560)  # pixels


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.contact_sheet is not None:
        _write_contact_sheet(options)
        sys.stdout.write(f"{options.contact_sheet}\n")
    elif options.out is not None and options.many:
        write_many(options.out, options.schema or "invoice", options.many, options.seed, degraded=options.worn)
        sys.stdout.write(f"{options.out / 'labels.jsonl'}\n")
    elif options.out is not None:
        for path in write_folder(options.out, options.seed):
            sys.stdout.write(f"{path}\n")
    else:
        _parser().error("say where to write: a folder, or --contact-sheet FILE")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m docpipe.samples", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, help="folder to write the samples into")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other documents (default 7)")
    parser.add_argument(
        "--contact-sheet", type=Path, metavar="FILE", help="write a picture of many drawn pages instead"
    )
    parser.add_argument("--many", type=int, metavar="N", help="write N documents of one type with labels.jsonl instead")
    parser.add_argument("--schema", choices=SCHEMAS, help="the type for --many, or the only one on the contact sheet")
    parser.add_argument("--count", type=int, default=20, help="documents on the contact sheet (default 20)")
    parser.add_argument("--boxes", action="store_true", help="frame the values")
    parser.add_argument("--worn", action="store_true", help="scan, fax, copy and photograph the pages")
    return parser


def _write_contact_sheet(options: argparse.Namespace) -> None:
    """The first page of many documents, of one type or of all in turn."""
    pictures = []
    for number in range(options.count):
        schema = options.schema or SCHEMAS[number % len(SCHEMAS)]
        sample = draw(schema, options.seed + number)
        picture = rasterise(sample, CONTACT_SHEET_DPI * (2 if schema == "receipt" else 1))[0]
        if options.boxes:
            picture = draw_boxes(picture, sample, 1)
        if options.worn:
            picture = degrade_page(picture, options.seed + number)[0]
        pictures.append(picture)
    contact_sheet(pictures, CONTACT_SHEET_COLUMNS, CELL_SIZE).save(options.contact_sheet)


if __name__ == "__main__":
    sys.exit(main())
