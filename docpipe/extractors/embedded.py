"""The extractor that ships with docpipe: our own network in ONNX, on the CPU, with nothing to download.

In: pages with words and pictures, a schema. Out: an `Answer` with candidates that know where they stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Answer, Box, Candidate, Evidence, Issue, Page, Word
from docpipe.errors import ModelError
from docpipe.vlm import spans
from docpipe.vlm.encode import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    SHARED,
    canvas,
    encode_fields,
    encode_page,
    load_tokenizer,
    windows,
)
from docpipe.vlm.questions import questions

if TYPE_CHECKING:
    from docpipe.schema import Schema

NETWORK, TOKENIZER = "network.onnx", "tokenizer.json"
Logits = dict[str, NDArray[np.float32]]


def weights_folder() -> Path:
    return Path(str(files("docpipe.vlm") / "weights"))


class EmbeddedExtractor:
    """One session per process."""

    def __init__(self, *, threads: int = 1, weights: Path | None = None) -> None:
        """Raises ModelError when the weights are missing or damaged."""
        folder = weights or weights_folder()
        try:
            network = (folder / NETWORK).read_bytes()
            self._tokenizer = load_tokenizer(folder / TOKENIZER)
            self._session = _session(network, threads)
        except Exception as error:
            raise ModelError(
                f"the embedded network in {folder} cannot be loaded: {error}",
                hint="Reinstall docpipe; `docpipe doctor` shows which file is missing or damaged.",
            ) from error
        self._name = f"embedded:{hashlib.sha256(network).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        return self._name

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        answers = [answer for page in pages if page.words for answer in self._page(page, schema)]
        return _joined(answers, schema)

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer]:
        """One after the other: on a CPU padding costs more than batching wins."""
        return [self.extract(pages, schema) for pages in batch]

    def _page(self, page: Page, schema: Schema) -> Iterator[tuple[list[Candidate], dict[str, float]]]:
        """Candidates, and how likely each single field is absent: once per window of a dense page, once otherwise."""
        picture = canvas(page.image.open(max_side=2 * CANVAS_HEIGHT)) if page.image else _white()
        for start, stop in windows(len(page.words)):
            logits, missing = self._run(page, start, stop, picture, schema)
            words = page.words[start:stop]
            found: list[Candidate] = []
            absent: dict[str, float] = {}
            for path, values in logits.items():
                if "[]" in path:
                    continue
                choices, absent[path] = spans.single(values, missing[path])
                texts = [_text(words, choice.words) for choice in choices]
                found += [_candidate(path, page, words, c) for c in spans.merged(choices, texts)]
            own = range(SHARED // 2 if start else 0, len(words) - (SHARED // 2 if stop < len(page.words) else 0))
            yield found + _table(logits, schema, page, words, own), absent

    def _run(
        self, page: Page, start: int, stop: int, picture: NDArray[np.float32], schema: Schema
    ) -> tuple[Logits, dict[str, float]]:
        asked = questions(schema)
        fields = encode_fields(list(asked.values()), self._tokenizer)
        arrays = encode_page(page.words[start:stop], page.height / page.width, picture, self._tokenizer)
        feeds = {
            "prompts": fields.pieces,
            "which": np.arange(len(asked))[None],
            "group": fields.group[None],
            "repeated": fields.repeated[None],
            "pieces": arrays.pieces[None],
            "shape": arrays.shape[None],
            "boxes": arrays.boxes[None],
            "context": arrays.context[None],
            "places": arrays.places[None],
            "picture": arrays.picture[None],
        }
        try:
            logits, absent = self._session.run(None, feeds)
        except Exception as error:
            raise ModelError(f"the embedded network failed on page {page.number}: {error}") from error
        paths = list(asked)
        return (
            {path: logits[0, row] for row, path in enumerate(paths)},
            {path: float(absent[0, row]) for row, path in enumerate(paths)},
        )


def _session(network: bytes, threads: int) -> Any:
    import onnxruntime  # heavy: native library of 50 MB

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pages differ in length; the arena would keep the largest for ever
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _white() -> NDArray[np.float32]:
    return np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32)


def _table(logits: Logits, schema: Schema, page: Page, words: Sequence[Word], own: range) -> list[Candidate]:
    """Rows are numbered in this window from 0; `_joined` numbers them through. Two windows see the rows that they
    share: each keeps those that begin in its own half."""
    found = []
    lines = [word.line for word in words]
    for specs in schema.lists().values():
        columns = {spec.path: logits[spec.path] for spec in specs}
        table = [row for row in spans.rows(columns, lines) if _begin(row) in own]
        for number, row in enumerate(table):
            for path, choices in row.items():
                concrete = path.replace("[]", f"[{number}]")
                found += [_candidate(concrete, page, words, choice) for choice in choices]
    return found


def _begin(row: Mapping[str, Sequence[spans.Choice]]) -> int:
    return min(choices[0].words[0] for choices in row.values())


def _candidate(path: str, page: Page, words: Sequence[Word], choice: spans.Choice) -> Candidate:
    lines: dict[int, list[Word]] = {}
    for index in choice.words:
        lines.setdefault(words[index].line, []).append(words[index])
    evidence = tuple(
        Evidence(page.number, _around([w.box for w in line]), " ".join(w.text for w in line)) for line in lines.values()
    )
    return Candidate(path, _text(words, choice.words), choice.score, evidence, {"inside": choice.inside})


def _text(words: Sequence[Word], indexes: Sequence[int]) -> str:
    """Words of a line are joined by blanks, lines by line breaks."""
    text = ""
    for before, index in zip([None, *indexes], indexes, strict=False):
        if before is not None:
            text += " " if words[before].line == words[index].line else "\n"
        text += words[index].text
    return text


def _around(boxes: Sequence[Box]) -> Box:
    around = boxes[0]
    for box in boxes[1:]:
        around = around.union(box)
    return around


def _joined(answers: Sequence[tuple[list[Candidate], Mapping[str, float]]], schema: Schema) -> Answer:
    """One answer for the document: rows numbered through the pages; absent means absent from every page."""
    candidates: list[Candidate] = []
    absent: dict[str, float] = {}
    counted: dict[str, int] = {}
    for found, missing in answers:
        candidates += [_renumbered(candidate, counted) for candidate in found]
        for list_path in schema.lists():
            counted[list_path] = counted.get(list_path, 0) + _rows_of(found, list_path)
        for path, probability in missing.items():
            absent[path] = absent.get(path, 1.0) * probability
    candidates.sort(key=lambda candidate: -candidate.score)
    nothing = () if answers else (Issue("nothing_read", "No words were read on any page.", "error"),)
    return Answer(tuple(candidates), absent, issues=nothing)


def _rows_of(found: Sequence[Candidate], list_path: str) -> int:
    numbers = [int(c.path[len(list_path) + 1 : c.path.index("]")]) for c in found if c.path.startswith(list_path + "[")]
    return max(numbers, default=-1) + 1


def _renumbered(candidate: Candidate, counted: Mapping[str, int]) -> Candidate:
    list_path, bracket, rest = candidate.path.partition("[")
    offset = counted.get(list_path, 0)
    if not bracket or not offset:
        return candidate
    number, _, tail = rest.partition("]")
    path = f"{list_path}[{int(number) + offset}]{tail}"
    return Candidate(path, candidate.text, candidate.score, candidate.evidence, candidate.signals)
