"""One page with its truth, as the network is trained on it, and how a folder of them is kept on disk.

In: words, picture and labelled spans. Out: `Example`, `write_examples`, `ExampleSet` (JSON lines and mapped pictures).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from docpipe.data import Box, Word
from docpipe.vlm.inputs import CANVAS_HEIGHT, CANVAS_WIDTH, Float32Array

EXAMPLES, PICTURES = "examples.jsonl", "pictures.u8"
Span = tuple[int, ...]  # indexes of the words that print one value, in reading order


@dataclass(frozen=True, slots=True)
class Example:
    """`labels` maps a field template (`gross_total`, `line_items[].amount`) to every place where it is printed;
    an empty list means that the field is known to be absent from this page. A field that is not a key is unknown
    and is never asked. `origin` names the set, `group` the seller (splits are made by group), `prompts`
    further wordings for this document's own fields. `rows` maps the path of a list's column to the row of each of its
    spans, in the order of `labels`; the rows of a column without it are not known."""

    origin: str
    group: str
    schema: str
    aspect: float
    words: tuple[Word, ...]
    labels: Mapping[str, list[Span]]
    prompts: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def with_words(self, words: tuple[Word, ...], new_index: Mapping[int, int]) -> Example:
        """The example with other words; `new_index` says where each of the old ones is now. Spans that are lost are
        left out, with their rows."""
        labels: dict[str, list[Span]] = {}
        rows: dict[str, tuple[int, ...]] = {}
        for path, spans in self.labels.items():
            moved = [tuple(sorted({new_index[i] for i in span if i in new_index})) for span in spans]
            labels[path] = [span for span in moved if span]
            if path in self.rows:
                rows[path] = tuple(row for span, row in zip(moved, self.rows[path], strict=True) if span)
        return replace(self, words=words, labels=labels, rows=rows)


class PicturedExample(NamedTuple):
    example: Example
    picture: Float32Array  # [CANVAS_HEIGHT, CANVAS_WIDTH] ink 0-1


def write_examples(folder: Path, pictured: Iterable[PicturedExample]) -> int:
    """Returns how many were written."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / EXAMPLES).open("w", encoding="utf-8") as lines, (folder / PICTURES).open("wb") as pictures:
        for example, picture in pictured:
            lines.write(json.dumps(_to_json(example), ensure_ascii=False) + "\n")
            pictures.write((picture * 255).astype(np.uint8).tobytes())
            count += 1
    return count


class ExampleSet:
    """Examples of one folder; pictures stay on disk until they are asked for."""

    def __init__(self, folder: Path) -> None:
        with (folder / EXAMPLES).open(encoding="utf-8") as lines:
            self.examples = [_from_json(json.loads(line)) for line in lines]
        if not self.examples:
            return  # an empty file cannot be mapped
        shape = (len(self.examples), CANVAS_HEIGHT, CANVAS_WIDTH)
        self._pictures = np.memmap(folder / PICTURES, np.uint8, "r", shape=shape)

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)

    def picture(self, index: int) -> Float32Array:
        """[CANVAS_HEIGHT, CANVAS_WIDTH] ink 0-1."""
        picture: Float32Array = self._pictures[index].astype(np.float32) / 255.0
        return picture


def _to_json(example: Example) -> dict[str, object]:
    words = [
        [w.text, *(round(v, 5) for v in (w.box.left, w.box.top, w.box.right, w.box.bottom)), round(w.confidence, 3),
         w.source, w.line]
        for w in example.words
    ]  # fmt: skip
    return {
        "origin": example.origin, "group": example.group, "schema": example.schema, "aspect": example.aspect,
        "words": words, "labels": dict(example.labels), "prompts": dict(example.prompts), "kinds": dict(example.kinds),
        "rows": dict(example.rows),
    }  # fmt: skip


def _from_json(row: dict[str, Any]) -> Example:
    words = tuple(
        Word(text, Box(left, top, right, bottom), confidence, source, line)
        for text, left, top, right, bottom, confidence, source, line in row.pop("words")
    )
    labels = {path: [tuple(span) for span in spans] for path, spans in row.pop("labels").items()}
    rows = {path: tuple(numbers) for path, numbers in row.pop("rows", {}).items()}
    return Example(words=words, labels=labels, rows=rows, **row)
