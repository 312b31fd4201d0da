"""Labels and results, paired by file name.

In: a label file and a result file (JSON lines). Out: `LabelledDocument`s under our field paths, `ResultLine`s, pairs.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from docpipe.data import Box, Evidence
from docpipe.errors import InputError
from docpipe.evaluate.presets import NameMap

LabelRow = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LabelWord:
    """A word or a line of the label's own transcript, its box in fractions of the page."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """The truth of one document under our names. `values` holds a text, a number, a list of
    alternatives, a dict (an address in parts) or None (known to be absent); `rows` the lists; `visible` what the label
    says about values that are not printed (docs/evaluation.md).
    """

    file: str
    values: Mapping[str, object]
    rows: Mapping[str, Sequence[LabelRow]] = field(default_factory=dict)
    visible: Mapping[str, object] = field(default_factory=dict)
    language: str | None = None
    country: str | None = None
    words: tuple[LabelWord, ...] = ()

    def plain_values(self, list_path: str) -> list[LabelRow] | None:
        """The label of a list of plain values, as rows with one cell that has no name; None where there is none."""
        if list_path not in self.values:
            return None
        label = self.values[list_path]
        return [{"": value} for value in (label if isinstance(label, list) else [label]) if value is not None]


@dataclass(frozen=True, slots=True)
class ResultField:
    """What a result file says about one field (the value is still JSON)."""

    value: object
    raw: str | None = None
    confidence: float = 0.0
    accepted: bool = False
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One line of the result file. `messages` are those of the document's issues."""

    file: str
    schema: str
    status: str
    fields: dict[str, Any]
    error: Mapping[str, Any] | None = None
    messages: tuple[str, ...] = ()
    document_id: str | None = None

    def prediction(self, path: str) -> ResultField:
        """A field inside an object (`seller.name`) stands inside that object."""
        value: Any = self.fields
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return read_prediction(value)

    def rows(self, list_path: str) -> list[Mapping[str, ResultField]]:
        rows = self.fields.get(list_path) or []
        return [{name: read_prediction(cell) for name, cell in row.items()} for row in rows]

    def plain_values(self, list_path: str) -> list[Mapping[str, ResultField]]:
        """Those of a list of plain values, as rows with one cell that has no name."""
        return [{"": read_prediction(value)} for value in self.fields.get(list_path) or []]


NO_PREDICTION = ResultField(None)


def read_prediction(record: object) -> ResultField:
    """An absent field is null."""
    if not isinstance(record, dict):
        return NO_PREDICTION
    evidence = tuple(
        Evidence(int(item["page"]), Box(*item["box"]), item.get("text", ""), item.get("match", "exact"))
        for item in record.get("evidence") or ()
    )
    value, raw = record.get("value"), record.get("raw")
    return ResultField(value, raw, float(record.get("confidence") or 0.0), bool(record.get("accepted")), evidence)


def read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", hint="Give a UTF-8 file of JSON lines.") from error
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            is_cut_off = not text.endswith("\n") and text.endswith(line)
            hint = (
                "A run was stopped while it wrote this line: run it again."
                if is_cut_off
                else "Each line must be one JSON object."
            )
            raise InputError(f"{path}, line {number}: {error}", hint=hint) from error
        if not isinstance(record, dict) or not isinstance(record.get("file"), str):
            raise InputError(f"{path}, line {number}: no `file`", hint="Each line names the document that it is about.")
        lines.append(record)
    if not lines:
        raise InputError(f"{path} is empty", hint="Each line must be one JSON object with `file` and `fields`.")
    return lines


def read_results(path: Path) -> list[ResultLine]:
    return [
        ResultLine(
            line["file"],
            str(line.get("schema") or ""),
            str(line.get("status") or ""),
            line.get("fields") or {},
            line.get("error"),
            tuple(str(issue.get("message", "")) for issue in line.get("issues") or ()),
            line.get("document_id"),
        )
        for line in read_lines(path)
    ]


def read_labels(path: Path, names: NameMap) -> list[LabelledDocument]:
    return [_labelled_document(line, names) for line in read_lines(path)]


def _labelled_document(line: Mapping[str, Any], names: NameMap) -> LabelledDocument:
    printed: Mapping[str, Any] = line.get("fields") or {}
    # a null in fields_norm means that nobody could normalise it, not that the field is absent
    normalised = {name: value for name, value in (line.get("fields_norm") or {}).items() if value is not None}
    values: dict[str, object] = {}
    rows: dict[str, Sequence[LabelRow]] = {}
    for name, value in {**printed, **normalised}.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            if list_path := names.list_path(name):
                rows[list_path] = [_row(row, name, names) for row in value]
        elif names.pairs_list and name not in names.names:
            rows[names.pairs_list] = [*rows.get(names.pairs_list, ()), {"label": name, "value": value}]
        elif path := names.path(name):
            values[path] = value
    visible = {names.path(name): is_visible for name, is_visible in (line.get("visible_in_text_layer") or {}).items()}
    return LabelledDocument(
        line["file"], values, rows, visible, line.get("language"), line.get("country"), _words(line)
    )


def _row(row: Mapping[str, object], list_name: str, names: NameMap) -> LabelRow:
    return {ours: value for name, value in row.items() if (ours := names.column(list_name, name))}


def _words(line: Mapping[str, Any]) -> tuple[LabelWord, ...]:
    width, height = line.get("width"), line.get("height")
    if not width or not height:
        return ()
    return tuple(
        LabelWord(word["text"], Box(box[0] / width, box[1] / height, box[2] / width, box[3] / height))
        for word in line.get("words") or ()
        if (box := word.get("box"))
    )


def _reversed_parts(file: str) -> tuple[str, ...]:
    """The path's parts from the file name outwards, in one Unicode form (macOS writes another)."""
    return PurePosixPath(unicodedata.normalize("NFC", file.replace("\\", "/"))).parts[::-1]


def _matching_part_count(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    length = 0
    for left_part, right_part in zip(left, right, strict=False):
        if left_part != right_part:
            break
        length += 1
    return length


def pair_with_results(
    documents: Iterable[LabelledDocument], results: Iterable[ResultLine]
) -> list[tuple[LabelledDocument, ResultLine | None]]:
    """Each labelled document with its result: the one with the same name and the most folders in
    common. Of two lines for one file the last counts, as after a second run.
    """
    by_name: dict[str, dict[tuple[str, ...], ResultLine]] = {}
    for result in results:
        parts = _reversed_parts(result.file)
        by_name.setdefault(parts[0], {})[parts] = result
    pairs = []
    for document in documents:
        parts = _reversed_parts(document.file)
        same_name = by_name.get(parts[0], {})
        ranked = sorted(same_name, key=lambda other: -_matching_part_count(parts, other))
        if len(ranked) > 1 and _matching_part_count(parts, ranked[0]) == _matching_part_count(parts, ranked[1]):
            raise InputError(
                f"{document.file}: {len(ranked)} results have this name", hint="Evaluate one folder at a time."
            )
        pairs.append((document, same_name[ranked[0]] if ranked else None))
    return pairs


def select_documents(documents: Sequence[LabelledDocument], files: Sequence[str]) -> list[LabelledDocument]:
    """Only the documents that `files` names. A name that no label has is an error."""
    file_by_name = {_reversed_parts(file.strip())[0]: file for file in files if file.strip()}
    selected = [document for document in documents if _reversed_parts(document.file)[0] in file_by_name]
    unknown = set(file_by_name) - {_reversed_parts(document.file)[0] for document in selected}
    if unknown:
        raise InputError(f"no label for {', '.join(sorted(unknown)[:3])}", hint="--files lists names that LABELS has.")
    return selected
