"""The names of the documents that training never sees, as `docpipe evaluate --files` takes them:
`python -m docpipe.vlm.training.holdout receipts --data ../shared/data --part holdout_seller > holdout.txt`.

In: a set of labelled documents and a part of it. Out: one file name a line, spelt as the set's labels spell it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from docpipe.errors import InputError
from docpipe.vlm.training.data.labelled_sets import LABELLED_SETS, load_labelled
from docpipe.vlm.training.data.split import PARTS

BOTH = "both"
HOLDOUT_PARTS = [part for part in PARTS if part != "train"]


def holdout_names(data: Path, set_name: str, part: str, labels: Path | None = None) -> list[str]:
    """`labels`: only the files that this label file names too, where a set has several (`evaluate` reads one)."""
    try:
        documents = [d for d in load_labelled(data, set_name) if d.part in (HOLDOUT_PARTS if part == BOTH else [part])]
        labelled_files = None if labels is None else _files_of(labels)
    except OSError as error:
        raise InputError(
            f"the labels of {set_name} cannot be read: {error}",
            hint="--data names the folder that holds receipts/ and so on.",
        ) from error
    names = [_name(document.path, data) for document in documents if document.path is not None]
    return [name for name in names if labelled_files is None or name in labelled_files]


def _name(path: Path, data: Path) -> str:
    """`data/receipts/docs/a.jpg` -> `docs/a.jpg`: labels name files from their own folder."""
    return Path(*path.relative_to(data).parts[1:]).as_posix()


def _files_of(labels: Path) -> set[str]:
    with labels.open(encoding="utf-8") as lines:
        return {json.loads(line)["file"] for line in lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=LABELLED_SETS, help="of labelled documents")
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled documents (shared/data)")
    parser.add_argument("--part", choices=[*HOLDOUT_PARTS, BOTH], default=BOTH)
    parser.add_argument("--labels", type=Path, help="only the files that this label file names")
    options = parser.parse_args()
    try:
        names = holdout_names(options.data, options.set, options.part, options.labels)
    except InputError as error:
        parser.error(f"{error.message}. {error.hint}")
    print("\n".join(names))  # noqa: T201 - the command's result


if __name__ == "__main__":
    main()
