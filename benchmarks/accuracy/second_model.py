"""What a second model changes: values that turn right, and values that turn wrong.

    python -m benchmarks.accuracy.second_model [--count 20] [--data ../shared/data [--only receipts] [--most 10]]
        [--model openai:NAME]

In: documents with truth, drawn ones or labelled ones, as benchmarks.accuracy.cascade takes them. Out: a Markdown table:
for each kind of second model the values that turned right and wrong against the first model alone. The embedded network
is the first. The second ones are answers by script: nonsense, null for everything, the examples of the schema, another
document's values, words of the prompt, and the truth, which shows what a second model could give; `--model` adds a real
one, with its tokens.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.accuracy.cascade import DocumentSet, add_set_options, document_sets
from benchmarks.accuracy.second_scripts import SCORE, SCRIPTS, ReadDocument, ScriptTask, label_text
from docpipe import pipeline
from docpipe.acceptance import AcceptancePolicy
from docpipe.cascade import Cascade, uncertain_paths
from docpipe.components import Components, ModelName, load_components, load_extractor
from docpipe.config import load_settings
from docpipe.data import Answer, Candidate, Extraction
from docpipe.document_index import DocumentIndex
from docpipe.errors import DocpipeError
from docpipe.evaluate import ResultLine, ScoredDocument, evaluate
from docpipe.ground import ground
from docpipe.kept_work import KeptWork, with_kept_answers
from docpipe.mixture import CAUTIOUS
from docpipe.ports import Extractor
from docpipe.result import record
from docpipe.schema import Schema

# Of what the first is so sure, a second model of which nothing is known changes nothing.
SURE = CAUTIOUS.second / CAUTIOUS.first


@dataclass
class Change:
    """Against the first model alone, over documents: single fields and cells of lists that turned right and wrong, and
    the single fields that were wrong, of which a second model of which nothing is known could give `reachable`. Rows
    are replaced as a whole, where they prove themselves by their sums."""

    wrong_before: int = 0
    reachable: int = 0
    fields_right: int = 0
    fields_wrong: int = 0
    cells_right: int = 0
    cells_wrong: int = 0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    seconds: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_set_options(parser, most=10)
    parser.add_argument("--model", help="a real second model, such as openai:NAME or hf:ORG/NAME")
    options = parser.parse_args()
    settings = load_settings()
    components = load_components(ModelName("embedded"), settings, threads=1)
    real = load_extractor(ModelName.parse(options.model), settings, threads=2) if options.model else None
    changes: dict[str, Change] = {}
    documents = 0
    try:
        with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
            for document_set in document_sets(Path(name), options):
                read = list(read_documents(components, document_set))
                documents += len(read)
                for kind, change in measure(components, document_set, read, real).items():
                    _add(changes.setdefault(kind, Change()), change)
                print(f"{document_set.title}: {len(read)} documents", flush=True)
    finally:
        components.close()
    print("\n".join(table(changes, documents)))


def measure(
    components: Components, document_set: DocumentSet, read: Sequence[ReadDocument], real: Extractor | None = None
) -> dict[str, Change]:
    """Each kind of second model on these documents."""
    schema = document_set.schema
    before = {each.labelled.file: _extraction(components, each, schema, None) for each in read}
    scored_before = _scored(document_set, read, before)
    pairs = zip(read, scored_before, strict=True)
    reachable = sum(_reachable(each, scored, before[each.labelled.file], schema) for each, scored in pairs)
    changes: dict[str, Change] = {}
    seconds_by_kind: dict[str, Callable[[int], Extractor]] = {
        kind: lambda number, make=make: make(ScriptTask(read, number, schema))  # type: ignore[misc]
        for kind, make in SCRIPTS.items()
    }
    if real is not None:
        seconds_by_kind[real.name] = lambda _: real
    for kind, second in seconds_by_kind.items():
        started = perf_counter()
        after = {
            each.labelled.file: _extraction(components, each, schema, second(number))
            for number, each in enumerate(read)
        }
        change = changes[kind] = Change(reachable=reachable, seconds=perf_counter() - started)
        for old, new in zip(scored_before, _scored(document_set, read, after), strict=True):
            _count(change, old, new)
        for extraction in after.values():
            change.tokens_in += extraction.cost.get("tokens_in", 0.0)
            change.tokens_out += extraction.cost.get("tokens_out", 0.0)
    return changes


def read_documents(components: Components, document_set: DocumentSet) -> Iterator[ReadDocument]:
    parts = components.parts
    for labelled in document_set.documents:
        path = document_set.folder / "docs" / Path(labelled.file).name
        try:
            document = components.open(path)
            prepared = pipeline.prepare(document, parts.rasteriser, parts.reader, picture_sides=parts.picture_sides)
        except DocpipeError as error:
            print(f"left out: {labelled.file}: {error}")
            continue
        yield ReadDocument(labelled, document, prepared, KeptWork())


def _extraction(components: Components, read: ReadDocument, schema: Schema, second: Extractor | None) -> Extraction:
    """With the first model alone, or with a second one. The first is asked once about a document."""
    first = with_kept_answers(components.parts.extractor, read.kept, components.parts.picture_sides)
    extractor: Extractor = first if second is None else Cascade(first, second)
    policy = AcceptancePolicy.for_extractor(extractor, components.policy.accept_error)
    run = pipeline.identify_run(read.document, schema, components.parts, policy)
    return pipeline.understand(read.prepared, schema, extractor=extractor, run=run, policy=policy)


def _scored(
    document_set: DocumentSet, read: Sequence[ReadDocument], extractions: Mapping[str, Extraction]
) -> Sequence[ScoredDocument]:
    schema = document_set.schema
    results = [
        ResultLine(file, schema.name, extraction.status, record(extraction, file, schema)["fields"])
        for file, extraction in extractions.items()
    ]
    labelled = [each.labelled for each in read]
    return evaluate(labelled, results, schema, only_visible=document_set.only_visible).documents


def _count(change: Change, old: ScoredDocument, new: ScoredDocument) -> None:
    before, after = ({each.path: each.outcome for each in scored.comparisons} for scored in (old, new))
    for path in before.keys() | after.keys():  # a field that is rightly empty is not compared
        was_right, is_right = (outcomes.get(path, "right") == "right" for outcomes in (before, after))
        change.wrong_before += not was_right
        change.fields_right += is_right and not was_right
        change.fields_wrong += was_right and not is_right
    for list_path, rows in old.lists.items():  # rows are matched anew, so cells are counted and not followed
        right = [sum(cell.outcome == "right" for cell in each.cells) for each in (rows, new.lists[list_path])]
        change.cells_right += max(0, right[1] - right[0])
        change.cells_wrong += max(0, right[0] - right[1])


def _reachable(read: ReadDocument, scored: ScoredDocument, extraction: Extraction, schema: Schema) -> int:
    """Wrong single fields about which the second model is asked, whose truth is printed, and for which the first has no
    value that is printed and of which it is sure."""
    index = DocumentIndex(read.prepared.pages)
    sure = {field.path for field in extraction.fields if field.evidence and field.signals.get("score", 0.0) >= SURE}
    asked = set(uncertain_paths(extraction.fields, schema)) - sure
    wrong = {each.path: label_text(each.label) for each in scored.comparisons if each.outcome != "right"}
    texts = (Candidate(path, text, SCORE) for path, text in wrong.items() if path in asked and text is not None)
    return sum(bool(candidate.evidence) for candidate in ground(Answer(tuple(texts)), index).candidates)


def _add(total: Change, change: Change) -> None:
    for name, value in vars(change).items():
        setattr(total, name, getattr(total, name) + value)


def table(changes: Mapping[str, Change], documents: int) -> Iterator[str]:
    yield f"\n### {documents} documents\n"
    titles = ("second model", "fields wrong before", "could be given", "right, wrong", "share", "cells")
    yield f"| {' | '.join(titles)} | tokens in, out | seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, change in changes.items():
        share = f"{(change.fields_right - change.fields_wrong) / max(1, change.reachable):.2f}"
        fields, cells = (
            f"+{right}, -{wrong}"
            for right, wrong in (
                (change.fields_right, change.fields_wrong),
                (change.cells_right, change.cells_wrong),
            )
        )
        tokens = f"{change.tokens_in:,.0f}, {change.tokens_out:,.0f}"
        figures = (kind, change.wrong_before, change.reachable, fields, share, cells, tokens, f"{change.seconds:.0f}")
        yield f"| {' | '.join(map(str, figures))} |"


if __name__ == "__main__":
    main()
