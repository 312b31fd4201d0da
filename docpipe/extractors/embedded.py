"""The extractor that ships with docpipe: our own network in ONNX, on the CPU, with nothing to download.

In: pages with words and pictures, a schema. Out: an `Answer` with candidates that know where they stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Answer, Box, Candidate, Evidence, Issue, Page, Word
from docpipe.errors import ModelError
from docpipe.paths import FieldPath
from docpipe.vlm import spans
from docpipe.vlm.encode import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    SHARED,
    Question,
    canvas,
    encode_fields,
    encode_page,
    load_tokenizer,
    windows,
)
from docpipe.vlm.field_queries import document_question, questions

if TYPE_CHECKING:
    from docpipe.schema import Schema

NETWORK, TOKENIZER = "network.onnx", "tokenizer.json"
Floats = NDArray[np.float32]


Told = tuple[list[Candidate], dict[str, float]]  # of one window: candidates, and how likely each field is absent
TYPE = ""  # the path of the question whether the page is such a document
SUREST = 8.0  # logit that one page can add to the choice of a type


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the network said of one window of a page, by name of the schema and path: logits [3, N] and the logit that
    the value is absent; together [N, N]: logits that two words begin cells of one row."""

    page: Page
    start: int
    stop: int
    logits: Mapping[tuple[str, str], Floats]
    absent: Mapping[tuple[str, str], float]
    together: Floats


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
                hint="Reinstall docpipe (`docpipe doctor` shows which file is missing or damaged), or name a folder"
                " that `python -m docpipe.vlm.training.export` wrote: --model embedded:FOLDER.",
            ) from error
        self._name = f"embedded:{hashlib.sha256(network).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        return self._name

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """Schemas to choose from are asked all at once: a document is what its pages say that it is."""
        kinds = schema.choices or (schema,)
        told: dict[str, list[Told]] = {kind.name: [] for kind in kinds}
        votes: dict[str, list[float]] = {kind.name: [] for kind in kinds}
        for seen in (seen for page in pages if page.words for seen in self._look(page, kinds)):
            for kind in kinds:
                told[kind.name].append(_told(seen, kind))
                against = seen.absent.get((kind.name, TYPE), 0.0)
                votes[kind.name].append(-max(-SUREST, min(SUREST, against)))
        chosen = max(kinds, key=lambda kind: sum(votes[kind.name]))
        answer = _joined(told[chosen.name], chosen)
        if not schema.choices:
            return answer
        unsure = () if sum(votes[chosen.name]) > 0.0 else (_unsure(chosen),)
        return replace(answer, schema=chosen.name, issues=(*answer.issues, *unsure))

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer]:
        """One after the other: on a CPU padding costs more than batching wins."""
        return [self.extract(pages, schema) for pages in batch]

    def _look(self, page: Page, kinds: Sequence[Schema]) -> Iterator[_Seen]:
        """Once per window of a dense page, once otherwise."""
        picture = canvas(page.image.open(max_side=2 * CANVAS_HEIGHT)) if page.image else _white()
        asked = _asked(kinds)
        for start, stop in windows(len(page.words)):
            try:
                logits, absent, together = self._session.run(None, self._feeds(page, start, stop, picture, asked))
            except Exception as error:
                raise ModelError(f"the embedded network failed on page {page.number}: {error}") from error
            by_path = {key: logits[0, row] for row, key in enumerate(asked)}
            missing = {key: float(absent[0, row]) for row, key in enumerate(asked)}
            yield _Seen(page, start, stop, by_path, missing, together[0])

    def _feeds(
        self, page: Page, start: int, stop: int, picture: Floats, asked: Mapping[tuple[str, str], Question]
    ) -> dict[str, NDArray[Any]]:
        fields = encode_fields(list(asked.values()), self._tokenizer)
        arrays = encode_page(page.words[start:stop], page.height / page.width, picture, self._tokenizer)
        return {
            "prompts": fields.pieces,
            "which": np.arange(len(asked))[None],
            "group": fields.group[None],
            "repeated": fields.repeated[None],
            "pieces": arrays.pieces[None],
            "shape": arrays.shape[None],
            "boxes": arrays.boxes[None],
            "context": arrays.context[None],
            "places": arrays.places[None],
            "seen": arrays.seen[None],
            "near": arrays.near[None],
            "picture": arrays.picture[None],
        }


def _asked(kinds: Sequence[Schema]) -> dict[tuple[str, str], Question]:
    """All questions of one pass; what sort of document it is only where there is a choice."""
    asked = {}
    for kind in kinds:
        if len(kinds) > 1:
            asked[kind.name, TYPE] = document_question(kind.name, kind.description)
        asked |= {(kind.name, path): question for path, question in questions(kind).items()}
    return asked


def _told(seen: _Seen, schema: Schema) -> Told:
    page, words = seen.page, seen.page.words[seen.start : seen.stop]
    lines = [word.line for word in words]
    found: list[Candidate] = []
    absent: dict[str, float] = {}
    for path in (spec.path for spec in schema.fields if spec.list_path is None):
        choices, absent[path] = spans.single(seen.logits[schema.name, path], seen.absent[schema.name, path], lines)
        texts = [_text(words, choice.words) for choice in choices]
        found += [_candidate(path, page, words, choice) for choice in spans.merged(choices, texts)]
    return found + _table(seen, schema, words, lines), absent


def _unsure(chosen: Schema) -> Issue:
    return Issue(
        "document_type_unsure", f"Nothing says clearly that this is one of the known documents; read as {chosen.name}."
    )


def _session(network: bytes, threads: int) -> Any:
    import onnxruntime  # heavy: native library of 50 MB

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pages differ in length; the arena would keep the largest for ever
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _white() -> Floats:
    return np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32)


def _table(seen: _Seen, schema: Schema, words: Sequence[Word], lines: Sequence[int]) -> list[Candidate]:
    """Rows are numbered in this window from 0; `_joined` numbers them through. Two windows see the rows that they
    share: each keeps those that begin in its own half."""
    found = []
    own = range(SHARED // 2 if seen.start else 0, len(words) - (SHARED // 2 if seen.stop < len(seen.page.words) else 0))
    for specs in schema.lists().values():
        columns = {spec.path: seen.logits[schema.name, spec.path] for spec in specs}
        table = [row for row in spans.rows(columns, seen.together, lines) if _begin(row) in own]
        for number, row in enumerate(table):
            for path, choices in row.items():
                concrete = str(FieldPath.parse(path).renumbered(number))
                found += [_candidate(concrete, seen.page, words, choice) for choice in choices]
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


def _joined(answers: Sequence[Told], schema: Schema) -> Answer:
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
    cells = (FieldPath.parse(candidate.path) for candidate in found)
    numbers = (cell.row_number for cell in cells if cell.list_path == list_path and cell.row_number is not None)
    return max(numbers, default=-1) + 1


def _renumbered(candidate: Candidate, counted: Mapping[str, int]) -> Candidate:
    path = FieldPath.parse(candidate.path)
    offset = counted.get(path.list_path or "", 0)
    if path.row_number is None or not offset:
        return candidate
    return replace(candidate, path=str(path.renumbered(path.row_number + offset)))
