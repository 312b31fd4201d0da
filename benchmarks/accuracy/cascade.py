"""What a second model is asked about, and what it is not: what ABSENT_SURE of docpipe/cascade.py is set by.

    python -m benchmarks.accuracy.cascade [--count 20] [--skip 0] [--data ../shared/data [--only receipts] [--most 40]]

In: documents with truth, drawn ones that the network has not seen or labelled ones (--data: those of
benchmarks/accuracy/quality.py). Out: Markdown tables: for each ABSENT_SURE the share of the fields that is asked again,
the share of the errors among what is asked, and how right the result would be if every second answer were right. The
embedded network answers; no second model runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.quality import SETS, gather
from docpipe import pipeline
from docpipe.cascade import ABSENT_SURE, uncertain_paths
from docpipe.components import Components, ModelName, load_components
from docpipe.config import load_settings
from docpipe.data import Field
from docpipe.errors import DocpipeError
from docpipe.evaluate import Counts, LabelledDocument, ResultLine, ScoredDocument, evaluate, read_labels, read_map
from docpipe.paths import FieldPath
from docpipe.result import record
from docpipe.samples.folder import write_many
from docpipe.schema import Schema, load_schema

LIST_CHOICES = (0.9, 0.75, 0.5)
CHOICES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)  # 1: whatever is absent is asked for
# Far from training (below 900,000), from the calibration (730,000 to 760,000) and from other benchmarks.
DRAWN = (
    ("invoices with a text layer", "invoice", 9_400_000, False),
    ("worn invoices", "invoice", 9_410_000, True),
    ("worn receipts", "receipt", 9_420_000, True),
)


@dataclass(frozen=True)
class FieldUnit:
    """A single field, or a list: the second model is asked about it as a whole. `outcomes` are of
    its value or its cells, as far as the truth has them; `letters` what a model would write."""

    path: str
    is_list: bool
    outcomes: tuple[str, ...]
    letters: int

    @property
    def errors(self) -> int:
        return sum(outcome != "right" for outcome in self.outcomes)


@dataclass(frozen=True)
class FirstAnswer:
    """One document: the first model's fields, and their units with what became of them."""

    fields: tuple[Field, ...]
    units: tuple[FieldUnit, ...]
    schema: Schema

    def second_model_paths(self, absent_sure: float) -> frozenset[str]:
        """Paths of fields and lists."""
        return frozenset(uncertain_paths(self.fields, self.schema, absent_sure))


@dataclass(frozen=True)
class UnitSelection:
    unit: FieldUnit
    is_selected: bool  # for the second model


@dataclass(frozen=True)
class DocumentSet:
    """Documents in `folder`/docs with their truth; `only_visible`: only what their text layer shows is counted."""

    title: str
    schema: Schema
    folder: Path
    documents: list[LabelledDocument]
    only_visible: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_set_options(parser, most=40)
    options = parser.parse_args()
    components = load_components(ModelName("embedded"), load_settings(), threads=1)
    all_answers: list[FirstAnswer] = []
    set_count = 0
    try:
        with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
            for document_set in document_sets(Path(name), options):
                answers = list(_first_answers(components, document_set))
                all_answers += answers
                set_count += 1
                print("\n".join(table(document_set.title, answers)), flush=True)
    finally:
        components.close()
    if set_count > 1:
        print("\n".join(table("all of them", all_answers)))


def add_set_options(parser: argparse.ArgumentParser, *, most: int) -> None:
    """What `document_sets` goes by."""
    parser.add_argument("--count", type=int, default=20, help="drawn documents of each kind")
    parser.add_argument("--skip", type=int, default=0, help="so many seeds, for other drawn documents")
    parser.add_argument("--data", type=Path, help="labelled documents instead of drawn ones (shared/data)")
    parser.add_argument("--only", default="", help="sets whose title contains this")
    parser.add_argument("--most", type=int, default=most, help="documents of one set")


def document_sets(folder: Path, options: argparse.Namespace) -> Iterator[DocumentSet]:
    return _drawn_sets(folder, options) if options.data is None else _labelled_sets(folder, options)


def _drawn_sets(folder: Path, options: argparse.Namespace) -> Iterator[DocumentSet]:
    for title, name, seed, worn in DRAWN:
        schema, subfolder = load_schema(name), folder / str(seed)
        write_many(subfolder, name, options.count, seed + options.skip, degraded=worn)
        labels = subfolder / "labels.jsonl"
        rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
        labels.write_text("".join(json.dumps(_with_absent(row, schema)) + "\n" for row in rows), encoding="utf-8")
        documents = read_labels(labels, read_map((), schema))
        yield DocumentSet(title, schema, subfolder, documents, only_visible=False)


def _with_absent(row: dict[str, object], schema: Schema) -> dict[str, object]:
    """A drawn document's truth is all that it prints: what it does not name is absent."""
    fields = row["fields"]
    assert isinstance(fields, dict)
    absent = {spec.path: None for spec in schema.fields if spec.list_path is None}
    return {**row, "fields": {**absent, **fields}}


def _labelled_sets(folder: Path, options: argparse.Namespace) -> Iterator[DocumentSet]:
    for number, labelled_set in enumerate(known for known in SETS if options.only in known.title):
        subfolder, schema = folder / str(number), load_schema(labelled_set.schema)
        gather(labelled_set, options.data, subfolder)
        documents = read_labels(subfolder / "labels.jsonl", read_map(labelled_set.maps, schema))[: options.most]
        yield DocumentSet(labelled_set.title, schema, subfolder, documents, labelled_set.only_visible)


def _first_answers(components: Components, document_set: DocumentSet) -> Iterator[FirstAnswer]:
    schema = document_set.schema
    fields: dict[str, tuple[Field, ...]] = {}
    results = []
    for labelled in document_set.documents:
        path = document_set.folder / "docs" / Path(labelled.file).name
        try:
            extraction = pipeline.extract(components.open(path), schema, components.parts, components.policy)
        except DocpipeError as error:
            print(f"left out: {labelled.file}: {error}")
            continue
        fields[labelled.file] = extraction.fields
        in_json = record(extraction, labelled.file, schema)["fields"]
        results.append(ResultLine(labelled.file, schema.name, extraction.status, in_json))
    answered = [labelled for labelled in document_set.documents if labelled.file in fields]
    for scored in evaluate(answered, results, schema, only_visible=document_set.only_visible).documents:
        of_document = fields[scored.document.file]
        yield FirstAnswer(of_document, field_units(scored, of_document, schema), schema)


def field_units(scored: ScoredDocument, fields: Sequence[Field], schema: Schema) -> tuple[FieldUnit, ...]:
    letters: Counter[str] = Counter()
    for field in fields:
        letters[FieldPath.parse(field.path).list_path or field.path] += len(field.raw or "null")
    outcomes: Mapping[str, tuple[str, ...]] = {
        **{comparison.path: (comparison.outcome,) for comparison in scored.comparisons},
        **{path: tuple(cell.outcome for cell in rows.cells) for path, rows in scored.lists.items()},
    }
    is_list = {spec.path: False for spec in schema.fields if spec.list_path is None} | dict.fromkeys(
        schema.lists(), True
    )
    return tuple(FieldUnit(path, of_list, outcomes.get(path, ()), letters[path]) for path, of_list in is_list.items())


@dataclass(frozen=True)
class Tally:
    """Of many documents: units, those selected for the second model, those selected though no error is known in them,
    and outcomes before and at best."""

    units: int
    selected: int
    selected_without_error: int
    errors: int
    errors_selected: int
    now: Counts
    at_best: Counts


def select_fields(answers: Sequence[FirstAnswer], absent_sure: float) -> list[UnitSelection]:
    """Single fields, and whether the second model is asked about each."""
    return [
        UnitSelection(unit, unit.path in selected_paths)
        for answer in answers
        for selected_paths in [answer.second_model_paths(absent_sure)]
        for unit in answer.units
        if not unit.is_list
    ]


def select_lists(answers: Sequence[FirstAnswer], below: float | None, *, empty: bool) -> list[UnitSelection]:
    """Lists, and whether each would be asked if a cell of less confidence than `below` were what makes it unsure (None:
    one that is not accepted, as docpipe does it); `empty`: and those without rows."""
    units = []
    for answer in answers:
        for unit in (unit for unit in answer.units if unit.is_list):
            cells = [cell for cell in answer.fields if cell.path.startswith(f"{unit.path}[") and cell.raw is not None]
            is_unsure = any(not cell.accepted if below is None else cell.confidence < below for cell in cells)
            units.append(UnitSelection(unit, is_unsure or (empty and not cells)))
    return units


def tally(units: Sequence[UnitSelection]) -> Tally:
    now = Counter(outcome for selection in units for outcome in selection.unit.outcomes)
    best = Counter(
        corrected(outcome) if selection.is_selected else outcome
        for selection in units
        for outcome in selection.unit.outcomes
    )
    best.pop("", None)
    return Tally(
        units=len(units),
        selected=sum(selection.is_selected for selection in units),
        selected_without_error=sum(selection.is_selected and not selection.unit.errors for selection in units),
        errors=sum(selection.unit.errors for selection in units),
        errors_selected=sum(selection.unit.errors for selection in units if selection.is_selected),
        now=Counts(**now),
        at_best=Counts(**best),
    )


def corrected(outcome: str) -> str:
    """What a second model that is always right makes of it; what should not be there goes."""
    return "" if outcome == "spurious" else "right"


def table(title: str, answers: Sequence[FirstAnswer]) -> Iterator[str]:
    missed = [unit for answer in answers for unit in answer.units if unit.outcomes == ("missed",)]
    yield f"\n### {title}: {len(answers)} documents, {len(missed)} single values missed\n"
    yield "| ABSENT_SURE | fields asked | of the errors | left | no error known | F1 now | F1 at best | letters |"
    yield "|---|---|---|---|---|---|---|---|"
    all_letters = sum(unit.letters for answer in answers for unit in answer.units)
    for choice in CHOICES:
        label = f"**{choice:g}**" if choice == ABSENT_SURE else f"{choice:g}"
        yield _line(label, select_fields(answers, choice), all_letters)
    for rule, units in _list_rules(answers):
        yield _line(rule, units, all_letters)
    accepted = sum(not answer.second_model_paths(ABSENT_SURE) for answer in answers)
    yield f"\nDocuments of which nothing is asked, at {ABSENT_SURE:g}: {accepted}."


def _line(label: str, units: Sequence[UnitSelection], all_letters: int) -> str:
    counts = tally(units)
    letters = sum(selection.unit.letters for selection in units if selection.is_selected)  # what a model would write
    cells = [
        label,
        f"{_share(counts.selected, counts.units)} of {counts.units}",
        f"{_share(counts.errors_selected, counts.errors)} of {counts.errors}",
        str(counts.errors - counts.errors_selected),
        _share(counts.selected_without_error, counts.selected),
        *("" if each.f1 is None else f"{each.f1:.3f}" for each in (counts.now, counts.at_best)),
        _share(letters, all_letters),
    ]
    return f"| {' | '.join(cells)} |"


def _list_rules(answers: Sequence[FirstAnswer]) -> Iterator[tuple[str, list[UnitSelection]]]:
    yield "**lists**", select_lists(answers, None, empty=True)
    yield "lists with rows", select_lists(answers, None, empty=False)
    for below in LIST_CHOICES:
        yield f"lists with rows, a cell below {below:g}", select_lists(answers, below, empty=False)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else ""


if __name__ == "__main__":
    main()
