"""The extractor that ships with docpipe: our own network in ONNX, on the CPU, with nothing to download.

In: pages with words and pictures, a schema. Out: an `Answer` with candidates that know where they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from docpipe.data import Answer, Box, Candidate, Evidence, Issue, Page, Word
from docpipe.extractors.caption_witness import with_captioned
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.unread_script import is_unread, lines_in_other_scripts, unread_script
from docpipe.vlm.predict import PredictedValue, Predictor, SchemaPrediction, weights_folder

MAX_DOCUMENT_LOGIT = 8.0  # that one page can add to the choice of a schema
MAX_SCRIPTS_NAMED = 3


@dataclass(frozen=True, slots=True)
class _PagePrediction:
    """Of a page, or of a part of a dense one: name of a schema -> what its fields may be."""

    page_number: int
    by_schema: Mapping[str, SchemaPrediction]


class EmbeddedExtractor:
    """One session per process."""

    batch_size = 1

    def __init__(self, *, threads: int = 1, weights: Path | None = None) -> None:
        """Raises ModelError when the weights are missing or damaged."""
        self._predictor = Predictor(weights or weights_folder(), threads)
        self._name = f"embedded:{self._predictor.fingerprint}"

    @property
    def name(self) -> str:
        return self._name

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """Schemas to choose from are asked all at once: a document is what its pages say that it is."""
        candidate_schemas = schema.choices or (schema,)
        predictions = [
            _PagePrediction(page.number, by_schema)
            for page in pages
            if page.words
            for by_schema in self._predictor.predict(page, candidate_schemas)
        ]
        scores = {candidate.name: _document_score(predictions, candidate.name) for candidate in candidate_schemas}
        chosen = max(candidate_schemas, key=lambda candidate: scores[candidate.name])
        answer = with_captioned(_answer(predictions, chosen), pages, chosen)
        answer = replace(answer, issues=(*_unlearned_scripts(pages), *answer.issues))
        if not schema.choices:
            return answer
        unsure = () if scores[chosen.name] > 0.0 else (_unsure(chosen),)
        return replace(answer, schema=chosen.name, issues=(*answer.issues, *unsure))

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer]:
        """One after the other: on a CPU padding costs more than batching wins."""
        return [self.extract(pages, schema) for pages in batch]


def _document_score(predictions: Sequence[_PagePrediction], schema_name: str) -> float:
    logits = [prediction.by_schema[schema_name].document_logit for prediction in predictions]
    return sum(max(-MAX_DOCUMENT_LOGIT, min(MAX_DOCUMENT_LOGIT, logit)) for logit in logits)


def _unsure(chosen: Schema) -> Issue:
    return Issue(
        "document_type_unsure", f"Nothing says clearly that this is one of the known documents; read as {chosen.name}."
    )


def _unlearned_scripts(pages: Sequence[Page]) -> Iterator[Issue]:
    """Pages whose words are in a script that the network was not trained on. Of those that could not be read, their
    reader has said so."""
    for page in pages:
        unread = lines_in_other_scripts(page.lines)
        if unread.is_substantial and not is_unread(page.issues):
            message = (
                f"{unread.count} of page {page.number} are in {', '.join(unread.scripts[:MAX_SCRIPTS_NAMED])} script,"
                " which the embedded network did not learn: names and texts may be wrong or missing. Look at the page,"
                " or take a larger model: --model hf:…"
            )
            yield unread_script(message, page.number)


def _answer(predictions: Sequence[_PagePrediction], schema: Schema) -> Answer:
    """One answer for the document: rows numbered through the pages; absent means absent from every page."""
    candidates: list[Candidate] = []
    absent: dict[str, float] = {}
    row_counts = dict.fromkeys(schema.lists(), 0)
    for prediction in predictions:
        page_number, of_schema = prediction.page_number, prediction.by_schema[schema.name]
        for path, values in of_schema.fields.items():
            candidates += [_candidate(path, page_number, value) for value in values]
        for list_path, rows in of_schema.rows.items():
            for number, row in enumerate(rows, row_counts[list_path]):
                for path, values in row.items():
                    cell_path = str(FieldPath.parse(path).renumbered(number))
                    candidates += [_candidate(cell_path, page_number, value) for value in values]
            row_counts[list_path] += len(rows)
        for path, probability in of_schema.absent.items():
            absent[path] = absent.get(path, 1.0) * probability
    candidates.sort(key=lambda candidate: -candidate.score)
    no_words = () if predictions else (Issue("nothing_read", "No words were read on any page.", "error"),)
    return Answer(tuple(candidates), absent, issues=no_words)


def _candidate(path: str, page_number: int, value: PredictedValue) -> Candidate:
    lines: dict[int, list[Word]] = {}
    for word in value.words:
        lines.setdefault(word.line, []).append(word)
    evidence = tuple(
        Evidence(page_number, _union([word.box for word in line]), " ".join(word.text for word in line))
        for line in lines.values()
    )
    return Candidate(path, value.text, value.score, evidence, {"inside": value.inside})


def _union(boxes: Sequence[Box]) -> Box:
    union = boxes[0]
    for box in boxes[1:]:
        union = union.union(box)
    return union
