"""Second models by script: what they answer, and what docpipe has read of the documents that they are asked about.

In: documents with truth, a schema. Out: extractors that answer nonsense, null, the examples of the schema, another
document's values, words of the prompt, or the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from docpipe.copied_values import mark_copies
from docpipe.data import Answer, Candidate, Document, Page, PreparedDocument
from docpipe.errors import DocpipeError
from docpipe.evaluate import LabelledDocument
from docpipe.extractors.generative.page_words import rows_of, token_count
from docpipe.extractors.generative.prompt import instructions
from docpipe.kept_work import KeptWork
from docpipe.schema import Schema
from docpipe.text_normalisation import squeeze

SCORE = 0.95  # of what a script answers
NONSENSE_ROWS = 3
TRUTH = "the truth"


@dataclass(frozen=True)
class Script:
    """Answers the fields that it is asked about as `texts` has them; those without a text with null. What stands in the
    prompt is marked as in the answer of any model that writes. `rows` are the texts of lists, by their path, a mapping
    of cells to texts for each row. `reads_parts`: it is asked with the lines around what is doubtful, and answers what
    stands there."""

    name: str
    texts: Mapping[str, str | None]
    rows: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    batch_size: int = 1
    reads_parts: bool = False

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        candidates, absent = [], {}
        for spec in (spec for spec in schema.fields if spec.list_path is None and spec.path in self.texts):
            text = self.texts[spec.path]
            absent[spec.path] = 0.05 if text else SCORE
            candidates += [Candidate(spec.path, text, SCORE)] if text else []
        for list_path, cells in schema.lists().items():
            for number, row in enumerate(self.rows.get(list_path, ())):
                for cell in (cell for cell in cells if row.get(cell.path)):
                    path = cell.path.replace("[]", f"[{number}]")
                    candidates.append(Candidate(path, row[cell.path], SCORE))
        words = squeeze(" ".join(line for page in pages for line in page.lines))
        if self.reads_parts:
            candidates = [candidate for candidate in candidates if squeeze(candidate.text) in words]
        rows = [row.text for page in pages for row in rows_of(page)]
        tokens_in = sum(map(token_count, [*rows, *instructions(schema).splitlines()]))
        return mark_copies(Answer(tuple(candidates), absent, tokens_in=tokens_in), instructions(schema), schema)

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        return [self.extract(pages, schema) for pages in batch]


@dataclass(frozen=True)
class ReadDocument:
    """One document that was opened and read once, for all second models; `kept` has the first one's answer."""

    labelled: LabelledDocument
    document: Document
    prepared: PreparedDocument
    kept: KeptWork


@dataclass(frozen=True)
class ScriptTask:
    """The document `read[number]`, for which a script is to be written."""

    read: Sequence[ReadDocument]
    number: int
    schema: Schema


def _nonsense(task: ScriptTask) -> Script:
    dice = Random(task.number)

    def text(path: str) -> str:
        letters = "".join(dice.choices("bcdfghklmnprstvw", k=9)).capitalize()
        return f"{letters} {dice.randrange(10_000, 99_999)}.{dice.randrange(10, 99)}" if path else letters

    rows = {
        list_path: [{cell.path: text(cell.path) for cell in cells} for _ in range(NONSENSE_ROWS)]
        for list_path, cells in task.schema.lists().items()
    }
    return Script("script:nonsense", {spec.path: text(spec.path) for spec in task.schema.fields}, rows)


def _nulls(task: ScriptTask) -> Script:
    return Script("script:null", dict.fromkeys(spec.path for spec in task.schema.fields))


def _examples(task: ScriptTask) -> Script:
    texts = {spec.path: spec.examples[0] if spec.examples else spec.prompt for spec in task.schema.fields}
    rows = {path: [{cell.path: texts[cell.path] for cell in cells}] for path, cells in task.schema.lists().items()}
    return Script("script:examples", texts, rows)


def _other_document(task: ScriptTask) -> Script:
    return Script("script:other", *_truth_of(task.read[task.number - 1].labelled, task.schema))


def _prompt_words(task: ScriptTask) -> Script:
    dice, words = Random(task.number), instructions(task.schema).split()
    texts = {spec.path: dice.choice(words).strip('",.:-') or "null" for spec in task.schema.fields}
    rows = {path: [{cell.path: texts[cell.path] for cell in cells}] * 2 for path, cells in task.schema.lists().items()}
    return Script("script:prompt", texts, rows)


def _the_truth(task: ScriptTask) -> Script:
    return Script("script:truth", *_truth_of(task.read[task.number].labelled, task.schema))


def _truth_of_parts(task: ScriptTask) -> Script:
    return replace(_the_truth(task), reads_parts=True)


def _truth_of(
    labelled: LabelledDocument, schema: Schema
) -> tuple[dict[str, str | None], dict[str, list[dict[str, str]]]]:
    """Texts and rows as the label has them; what the label does not speak of is not answered."""
    single = {spec.path for spec in schema.fields if spec.list_path is None}
    texts = {path: label_text(value) for path, value in labelled.values.items() if path in single}
    rows = {}
    for list_path, cells in schema.lists().items():
        leaves = {cell.path.partition("[].")[2]: cell.path for cell in cells}
        rows[list_path] = [
            {leaves[leaf]: text for leaf, value in row.items() if leaf in leaves and (text := label_text(value))}
            for row in labelled.rows.get(list_path, ())
        ]
    return texts, rows


def label_text(value: object) -> str | None:
    if isinstance(value, list):
        return label_text(value[0]) if value else None
    if isinstance(value, Mapping):
        return " ".join(str(part) for part in value.values() if part)
    return None if value is None else str(value)


SCRIPTS: Mapping[str, Callable[[ScriptTask], Script]] = {
    "nonsense": _nonsense, "null": _nulls, "examples of the schema": _examples,
    "another document's values": _other_document, "words of the prompt": _prompt_words, TRUTH: _the_truth,
    "the truth, of lines around doubts": _truth_of_parts,
}  # fmt: skip
