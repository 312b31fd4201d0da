"""The names of the documents that training never sees, as `docpipe evaluate --files` takes them:
`python -m docpipe.vlm.training.holdout receipts --data ../shared/data --part aside_seller > aside.txt`.

In: a set of labelled documents and a part of it. Out: one file name a line, spelt as the set's labels spell it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from docpipe.errors import InputError
from docpipe.vlm.training.data.labelled import LABELLED, load_labelled

PARTS = {
    "aside_seller": {"aside_seller"},
    "aside_document": {"aside_document"},
    "both": {"aside_seller", "aside_document"},
}


def names_aside(data: Path, what: str, part: str, labels: Path | None = None) -> list[str]:
    """`labels`: only the files that this label file names too, where a set has several (`evaluate` reads one)."""
    try:
        kept = [labelled.path for labelled in load_labelled(data, what) if labelled.part in PARTS[part]]
        known = None if labels is None else _files_of(labels)
    except OSError as error:
        raise InputError(
            f"the labels of {what} cannot be read: {error}",
            hint="--data names the folder that holds receipts/ and so on.",
        ) from error
    names = [_name(path, data) for path in kept if path is not None]
    return [name for name in names if known is None or name in known]


def _name(path: Path, data: Path) -> str:
    """`data/receipts/docs/a.jpg` -> `docs/a.jpg`: labels name files from their own folder."""
    return Path(*path.relative_to(data).parts[1:]).as_posix()


def _files_of(labels: Path) -> set[str]:
    with labels.open(encoding="utf-8") as lines:
        return {json.loads(line)["file"] for line in lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*LABELLED])
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled documents (shared/data)")
    parser.add_argument("--part", choices=[*PARTS], default="both")
    parser.add_argument("--labels", type=Path, help="only the files that this label file names")
    given = parser.parse_args()
    try:
        names = names_aside(given.data, given.what, given.part, given.labels)
    except InputError as error:
        parser.error(f"{error.message}. {error.hint}")
    print("\n".join(names))  # noqa: T201 - the command's result


if __name__ == "__main__":
    main()
