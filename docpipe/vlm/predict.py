"""The network that ships: one page and the schemas to be asked -> what it says about their fields.

In: a page with words, schemas. Out: for each window of the page (a dense page has several) and each schema the possible
values of its fields, with the words of the page that they are. onnxruntime, on the CPU.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from docpipe.data import Page, Word
from docpipe.errors import ExtractionError, ModelError
from docpipe.onnx_runtime import load_onnxruntime
from docpipe.schema import Schema
from docpipe.vlm import spans
from docpipe.vlm.encode import (
    WINDOW_OVERLAP,
    blank_picture,
    canvas_picture,
    encode_page,
    load_tokenizer,
    word_windows,
)
from docpipe.vlm.field_queries import FieldQuery, document_query, encode_queries, field_queries
from docpipe.vlm.inputs import CANVAS_HEIGHT, Float32Array, NetworkOutputs, one_page

NETWORK, TOKENIZER = "network.onnx", "tokenizer.json"
DOCUMENT_PATH = ""  # in place of a field's path: the query whether the page is such a document


class QueryKey(NamedTuple):
    schema: str
    path: str  # template path, or DOCUMENT_PATH


@dataclass(frozen=True, slots=True)
class PredictedValue:
    """Words of the page that may be a value."""

    words: tuple[Word, ...]
    score: float  # probability 0-1
    inside: float  # mean probability that its words are inside the value

    @property
    def text(self) -> str:
        """Words of a line are joined by blanks, lines by line breaks."""
        text = ""
        for before, word in zip([None, *self.words], self.words, strict=False):
            if before is not None:
                text += " " if before.line == word.line else "\n"
            text += word.text
        return text


RowValues = Mapping[str, Sequence[PredictedValue]]  # template path of a column -> values, best first


@dataclass(frozen=True, slots=True)
class SchemaPrediction:
    """What a window of a page says about the fields of one schema."""

    fields: Mapping[str, Sequence[PredictedValue]]  # path of a single field -> values, best first
    absent: Mapping[str, float]  # path of a single field -> probability that it has no value here
    rows: Mapping[str, Sequence[RowValues]]  # path of a list -> its rows in reading order
    document_logit: float  # that the page is a document of this schema; 0 if there was no choice


@dataclass(frozen=True, slots=True)
class _Window:
    """Words of a page that the network read in one pass, and its outputs: a batch of one."""

    words: Sequence[Word]
    own_words: range  # of these words: windows share some, and a row is of the window in whose own words it starts
    query_rows: Mapping[QueryKey, int]
    outputs: NetworkOutputs[NDArray[Any]]

    @property
    def lines(self) -> list[int]:
        return [word.line for word in self.words]

    def span_logits(self, key: QueryKey) -> Float32Array:
        """[3, N]"""
        logits: Float32Array = self.outputs.span_logits[0, self.query_rows[key]]
        return logits

    def no_answer_logit(self, key: QueryKey) -> float:
        return float(self.outputs.no_answer_logits[0, self.query_rows[key]])


def weights_folder() -> Path:
    return Path(str(files("docpipe.vlm") / "weights"))


class Predictor:
    """One session of onnxruntime."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Raises ModelError when the weights are missing or damaged."""
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
        self.fingerprint = hashlib.sha256(network).hexdigest()[:12]

    def predict(self, page: Page, schemas: Sequence[Schema]) -> list[dict[str, SchemaPrediction]]:
        """By window of the page and name of the schema. All schemas are asked in one pass. Raises ExtractionError."""
        picture = canvas_picture(page.image.open(max_side=2 * CANVAS_HEIGHT)) if page.image else blank_picture()
        queries = _queries(schemas)
        rows = {key: row for row, key in enumerate(queries)}
        predictions = []
        for words in word_windows(len(page.words)):
            outputs = self._run(page, words, picture, list(queries.values()))
            own_words = _own_words(words, len(page.words))
            window = _Window(page.words[words.start : words.stop], own_words, rows, outputs)
            predictions.append({schema.name: _prediction(window, schema) for schema in schemas})
        return predictions

    def _run(
        self, page: Page, word_range: range, picture: Float32Array, queries: Sequence[FieldQuery]
    ) -> NetworkOutputs[NDArray[Any]]:
        try:
            fields = encode_queries(queries, self._tokenizer)
            words = page.words[word_range.start : word_range.stop]
            encoded = encode_page(words, page.height / page.width, picture, self._tokenizer)
            return NetworkOutputs.ordered(self._session.run(None, one_page(fields, encoded).by_onnx_name()))
        except Exception as error:
            if not type(error).__module__.startswith("onnxruntime."):  # whose errors have no class in common
                raise
            raise ExtractionError(f"the embedded network failed on page {page.number}: {error}") from error


def _session(network: bytes, threads: int) -> Any:
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pages differ in length; the arena would keep the largest for ever
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _queries(schemas: Sequence[Schema]) -> dict[QueryKey, FieldQuery]:
    """All queries of one pass; what sort of document it is only where there is a choice."""
    queries = {}
    for schema in schemas:
        if len(schemas) > 1:
            queries[QueryKey(schema.name, DOCUMENT_PATH)] = document_query(schema.name, schema.description)
        queries |= {QueryKey(schema.name, path): query for path, query in field_queries(schema).items()}
    return queries


def _own_words(word_range: range, page_words: int) -> range:
    """Half of what two windows share is each one's own. Counted from the window's first word."""
    before = WINDOW_OVERLAP // 2 if word_range.start else 0
    behind = WINDOW_OVERLAP // 2 if word_range.stop < page_words else 0
    return range(before, len(word_range) - behind)


def _prediction(window: _Window, schema: Schema) -> SchemaPrediction:
    fields: dict[str, list[PredictedValue]] = {}
    absent: dict[str, float] = {}
    lines = window.lines
    asked = field_queries(schema)
    for path in (spec.path for spec in schema.fields if spec.list_path is None and spec.path in asked):
        key = QueryKey(schema.name, path)
        decoded = spans.decode_field(window.span_logits(key), window.no_answer_logit(key), lines)
        texts = [_value(window, span).text for span in decoded.spans]
        fields[path] = [_value(window, span) for span in spans.merge_equal_texts(decoded.spans, texts)]
        absent[path] = decoded.no_answer
    rows = {
        list_path: _rows(window, schema.name, paths)
        for list_path, specs in schema.lists().items()
        if (paths := [spec.path for spec in specs if spec.path in asked])
    }
    document = QueryKey(schema.name, DOCUMENT_PATH)
    document_logit = -window.no_answer_logit(document) if document in window.query_rows else 0.0
    return SchemaPrediction(fields, absent, rows, document_logit)


def _rows(window: _Window, schema_name: str, paths: Sequence[str]) -> list[RowValues]:
    """The rows that start in the window's own words."""
    columns = {path: window.span_logits(QueryKey(schema_name, path)) for path in paths}
    rows = spans.decode_rows(columns, window.outputs.same_row_logits[0], window.lines)
    return [
        {path: [_value(window, span) for span in cells] for path, cells in row.items()}
        for row in rows
        if min(cells[0].words[0] for cells in row.values()) in window.own_words
    ]


def _value(window: _Window, span: spans.ScoredSpan) -> PredictedValue:
    return PredictedValue(tuple(window.words[index] for index in span.words), span.score, span.inside)
