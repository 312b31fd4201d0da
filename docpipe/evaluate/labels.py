"""What the truth says and what the run answered, paired by file name.

In: a label file and a result file (JSON lines). Out: `Labelled` documents under our field paths, `Result` lines, pairs.
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

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LabelWord:
    """A word or a line of the label's own transcript, its box in fractions of the page."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Labelled:
    """The truth of one document under our names. `values` holds a text, a number, a list of
    alternatives, a dict (an address in parts) or None (known to be absent); `rows` the lists.
    """

    file: str
    values: Mapping[str, object]
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    visible: Mapping[str, object] = field(default_factory=dict)
    language: str | None = None
    country: str | None = None
    words: tuple[LabelWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One answered field as the result file gives it (value still JSON)."""

    value: object
    raw: str | None = None
    confidence: float = 0.0
    accepted: bool = False
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the result file. `messages` are those of the document's issues."""

    file: str
    schema: str
    status: str
    fields: dict[str, Any]
    error: Mapping[str, Any] | None = None
    messages: tuple[str, ...] = ()

    def leaf(self, path: str) -> Leaf:
        """A field inside an object (`seller.name`) stands inside that object."""
        found: Any = self.fields
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return read_leaf(found)

    def rows(self, list_path: str) -> list[Mapping[str, Leaf]]:
        found = self.fields.get(list_path) or []
        return [{name: read_leaf(cell) for name, cell in row.items()} for row in found]


def read_leaf(given: object) -> Leaf:
    """An absent field is null."""
    if not isinstance(given, dict):
        return Leaf(None)
    evidence = tuple(
        Evidence(int(item["page"]), Box(*item["box"]), item.get("text", ""), item.get("match", "exact"))
        for item in given.get("evidence") or ()
    )
    value, raw = given.get("value"), given.get("raw")
    return Leaf(value, raw, float(given.get("confidence") or 0.0), bool(given.get("accepted")), evidence)


def read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path} cannot be read: {problem}", hint="Give a UTF-8 file of JSON lines.") from problem
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as problem:
            cut = not text.endswith("\n") and text.endswith(line)
            hint = (
                "A run was stopped while it wrote this line: run it again."
                if cut
                else "Each line must be one JSON object."
            )
            raise InputError(f"{path}, line {number}: {problem}", hint=hint) from problem
        if not isinstance(found, dict) or not isinstance(found.get("file"), str):
            raise InputError(f"{path}, line {number}: no `file`", hint="Each line names the document that it is about.")
        lines.append(found)
    if not lines:
        raise InputError(f"{path} is empty", hint="Each line must be one JSON object with `file` and `fields`.")
    return lines


def read_results(path: Path) -> list[Result]:
    return [
        Result(
            line["file"],
            str(line.get("schema") or ""),
            str(line.get("status") or ""),
            line.get("fields") or {},
            line.get("error"),
            tuple(str(issue.get("message", "")) for issue in line.get("issues") or ()),
        )
        for line in read_lines(path)
    ]


def read_labels(path: Path, names: NameMap) -> list[Labelled]:
    return [_labelled(line, names) for line in read_lines(path)]


def _labelled(line: Mapping[str, Any], names: NameMap) -> Labelled:
    printed: Mapping[str, Any] = line.get("fields") or {}
    # a null in fields_norm means that nobody could normalise it, not that the field is absent
    normalised = {name: value for name, value in (line.get("fields_norm") or {}).items() if value is not None}
    values: dict[str, object] = {}
    rows: dict[str, Sequence[Row]] = {}
    for name, value in {**printed, **normalised}.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            if list_path := names.list_path(name):
                rows[list_path] = [_row(row, name, names) for row in value]
        elif names.pairs_list and name not in names.names:
            rows[names.pairs_list] = [*rows.get(names.pairs_list, ()), {"label": name, "value": value}]
        elif path := names.path(name):
            values[path] = value
    shown = {names.path(name): seen for name, seen in (line.get("visible_in_text_layer") or {}).items()}
    return Labelled(line["file"], values, rows, shown, line.get("language"), line.get("country"), _words(line))


def _row(row: Mapping[str, object], list_name: str, names: NameMap) -> Row:
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


def _parts(file: str) -> tuple[str, ...]:
    """The path's parts from the file name outwards, in one Unicode form (macOS writes another)."""
    return PurePosixPath(unicodedata.normalize("NFC", file.replace("\\", "/"))).parts[::-1]


def _shared(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    length = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        length += 1
    return length


def pair_up(documents: Iterable[Labelled], results: Iterable[Result]) -> list[tuple[Labelled, Result | None]]:
    """Each labelled document with its result: the one with the same name and the most folders in
    common. Of two lines for one file the last counts, as after a second run.
    """
    by_name: dict[str, dict[tuple[str, ...], Result]] = {}
    for result in results:
        parts = _parts(result.file)
        by_name.setdefault(parts[0], {})[parts] = result
    pairs = []
    for document in documents:
        parts = _parts(document.file)
        same_name = by_name.get(parts[0], {})
        ranked = sorted(same_name, key=lambda other: -_shared(parts, other))
        if len(ranked) > 1 and _shared(parts, ranked[0]) == _shared(parts, ranked[1]):
            raise InputError(
                f"{document.file}: {len(ranked)} results have this name", hint="Evaluate one folder at a time."
            )
        pairs.append((document, same_name[ranked[0]] if ranked else None))
    return pairs


def choose(documents: Sequence[Labelled], files: Sequence[str]) -> list[Labelled]:
    """Only the documents that `files` names. A name that no label has is an error."""
    wanted = {_parts(file.strip())[0]: file for file in files if file.strip()}
    chosen = [document for document in documents if _parts(document.file)[0] in wanted]
    unknown = set(wanted) - {_parts(document.file)[0] for document in chosen}
    if unknown:
        raise InputError(f"no label for {', '.join(sorted(unknown)[:3])}", hint="--files lists names that LABELS has.")
    return chosen
