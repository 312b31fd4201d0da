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
class Slot:
    """What is asked as one: a single field, or a list. `outcomes` are of its value or its cells, as far as the truth
    speaks of them; `letters` what a model would write."""

    path: str
    is_list: bool
    outcomes: tuple[str, ...]
    letters: int

    @property
    def errors(self) -> int:
        return sum(outcome != "right" for outcome in self.outcomes)


@dataclass(frozen=True)
class Answered:
    """One document: the first model's fields, and its slots with what became of them."""

    fields: tuple[Field, ...]
    slots: tuple[Slot, ...]
    schema: Schema

    def asked(self, absent_sure: float) -> frozenset[str]:
        return frozenset(uncertain_paths(self.fields, self.schema, absent_sure))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20, help="drawn documents of each kind")
    parser.add_argument("--skip", type=int, default=0, help="so many seeds, for other drawn documents")
    parser.add_argument("--data", type=Path, help="labelled documents instead of drawn ones (shared/data)")
    parser.add_argument("--only", default="", help="sets whose title contains this")
    parser.add_argument("--most", type=int, default=40, help="documents of one set")
    options = parser.parse_args()
    components = load_components(ModelName("embedded"), load_settings(), threads=1)
    together: list[Answered] = []
    titles = []
    try:
        with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
            sets = _drawn(Path(name), options) if options.data is None else _labelled(Path(name), options)
            for title, schema, folder, documents, only_visible in sets:
                found = list(_answered(components, schema, folder, documents, only_visible=only_visible))
                together += found
                titles.append(title)
                print("\n".join(table(title, found)), flush=True)
    finally:
        components.close()
    if len(titles) > 1:
        print("\n".join(table("all of them", together)))


Known = tuple[str, Schema, Path, list[LabelledDocument], bool]


def _drawn(folder: Path, options: argparse.Namespace) -> Iterator[Known]:
    for title, name, seed, worn in DRAWN:
        schema, place = load_schema(name), folder / str(seed)
        write_many(place, name, options.count, seed + options.skip, degraded=worn)
        labels = place / "labels.jsonl"
        rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
        labels.write_text("".join(json.dumps(_whole(row, schema)) + "\n" for row in rows), encoding="utf-8")
        yield title, schema, place, read_labels(labels, read_map((), schema)), False


def _whole(row: dict[str, object], schema: Schema) -> dict[str, object]:
    """A drawn document's truth is all that it prints: what it does not name is absent."""
    fields = row["fields"]
    assert isinstance(fields, dict)
    absent = {spec.path: None for spec in schema.fields if spec.list_path is None}
    return {**row, "fields": {**absent, **fields}}


def _labelled(folder: Path, options: argparse.Namespace) -> Iterator[Known]:
    for number, known in enumerate(known for known in SETS if options.only in known.title):
        place, schema = folder / str(number), load_schema(known.schema)
        gather(known, options.data, place)
        documents = read_labels(place / "labels.jsonl", read_map(known.names, schema))[: options.most]
        yield known.title, schema, place, documents, known.only_visible


def _answered(
    components: Components, schema: Schema, folder: Path, documents: Sequence[LabelledDocument], *, only_visible: bool
) -> Iterator[Answered]:
    fields: dict[str, tuple[Field, ...]] = {}
    results = []
    for labelled in documents:
        path = folder / "docs" / Path(labelled.file).name
        try:
            found = pipeline.extract(components.open(path), schema, components.parts, components.policy)
        except DocpipeError as error:
            print(f"left out: {labelled.file}: {error}")
            continue
        fields[labelled.file] = found.fields
        results.append(
            ResultLine(labelled.file, schema.name, found.status, record(found, labelled.file, schema)["fields"])
        )
    known = [labelled for labelled in documents if labelled.file in fields]
    for judged in evaluate(known, results, schema, only_visible=only_visible).documents:
        of_document = fields[judged.document.file]
        yield Answered(of_document, slots(judged, of_document, schema), schema)


def slots(judged: ScoredDocument, fields: Sequence[Field], schema: Schema) -> tuple[Slot, ...]:
    letters: Counter[str] = Counter()
    for field in fields:
        letters[FieldPath.parse(field.path).list_path or field.path] += len(field.raw or "null")
    outcomes: Mapping[str, tuple[str, ...]] = {
        **{verdict.path: (verdict.outcome,) for verdict in judged.comparisons},
        **{path: tuple(cell.outcome for cell in found.cells) for path, found in judged.lists.items()},
    }
    singles = [spec.path for spec in schema.fields if spec.list_path is None]
    known = [*((path, False) for path in singles), *((path, True) for path in schema.lists())]
    return tuple(Slot(path, is_list, outcomes.get(path, ()), letters[path]) for path, is_list in known)


@dataclass(frozen=True)
class Tally:
    """Of many documents: slots, those that are asked, those asked though the truth knows of no error in them, and
    outcomes before and at best."""

    slots: int
    asked: int
    in_vain: int
    errors: int
    errors_asked: int
    now: Counts
    at_best: Counts


def asked_single(documents: Sequence[Answered], absent_sure: float) -> list[tuple[Slot, bool]]:
    """Single fields, and whether each is asked."""
    asked = [document.asked(absent_sure) for document in documents]
    pairs = zip(documents, asked, strict=True)
    return [(slot, slot.path in paths) for document, paths in pairs for slot in document.slots if not slot.is_list]


def asked_lists(documents: Sequence[Answered], below: float | None, *, empty: bool) -> list[tuple[Slot, bool]]:
    """Lists, and whether each would be asked if a cell of less confidence than `below` were what makes it unsure (None:
    one that is not accepted, as docpipe does it); `empty`: and those without rows."""
    found = []
    for document in documents:
        for slot in (slot for slot in document.slots if slot.is_list):
            cells = [one for one in document.fields if one.path.startswith(f"{slot.path}[") and one.raw is not None]
            doubted = [one for one in cells if (not one.accepted if below is None else one.confidence < below)]
            found.append((slot, bool(doubted) or (empty and not cells)))
    return found


def tally(pairs: Sequence[tuple[Slot, bool]]) -> Tally:
    now = Counter(outcome for slot, _ in pairs for outcome in slot.outcomes)
    best = Counter(mended(outcome) if asked else outcome for slot, asked in pairs for outcome in slot.outcomes)
    best.pop("", None)
    return Tally(
        slots=len(pairs),
        asked=sum(asked for _, asked in pairs),
        in_vain=sum(asked and not slot.errors for slot, asked in pairs),
        errors=sum(slot.errors for slot, _ in pairs),
        errors_asked=sum(slot.errors for slot, asked in pairs if asked),
        now=Counts(**now),
        at_best=Counts(**best),
    )


def mended(outcome: str) -> str:
    """What a second model that is always right makes of it; what should not be there goes."""
    return "" if outcome == "spurious" else "right"


def table(title: str, documents: Sequence[Answered]) -> Iterator[str]:
    absent = [slot for document in documents for slot in document.slots if slot.outcomes == ("missed",)]
    yield f"\n### {title}: {len(documents)} documents, {len(absent)} single values missed\n"
    yield "| ABSENT_SURE | fields asked | of the errors | left | no error known | F1 now | F1 at best | letters |"
    yield "|---|---|---|---|---|---|---|---|"
    for choice in CHOICES:
        asked = asked_single(documents, choice)
        shown = f"**{choice:g}**" if choice == ABSENT_SURE else f"{choice:g}"
        yield f"| {shown} | {_line(tally(asked))} | {_share(_letters(asked), _letters_of_all(documents))} |"
    for rule, asked in _list_rules(documents):
        yield f"| {rule} | {_line(tally(asked))} | {_share(_letters(asked), _letters_of_all(documents))} |"
    alone = sum(not document.asked(ABSENT_SURE) for document in documents)
    yield f"\nDocuments of which nothing is asked, at {ABSENT_SURE:g}: {alone}."


def _line(found: Tally) -> str:
    cells = [
        f"{_share(found.asked, found.slots)} of {found.slots}",
        f"{_share(found.errors_asked, found.errors)} of {found.errors}",
        str(found.errors - found.errors_asked),
        _share(found.in_vain, found.asked),
        *("" if counts.f1 is None else f"{counts.f1:.3f}" for counts in (found.now, found.at_best)),
    ]
    return " | ".join(cells)


def _list_rules(documents: Sequence[Answered]) -> Iterator[tuple[str, list[tuple[Slot, bool]]]]:
    yield "**lists**", asked_lists(documents, None, empty=True)
    yield "lists with rows", asked_lists(documents, None, empty=False)
    for below in LIST_CHOICES:
        yield f"lists with rows, a cell below {below:g}", asked_lists(documents, below, empty=False)


def _letters(asked: Sequence[tuple[Slot, bool]]) -> int:
    """What a model would write."""
    return sum(slot.letters for slot, is_asked in asked if is_asked)


def _letters_of_all(documents: Sequence[Answered]) -> int:
    return sum(slot.letters for document in documents for slot in document.slots)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else ""


if __name__ == "__main__":
    main()
