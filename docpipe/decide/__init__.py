"""One value per field, chosen so that the fields fit together; docs/decisions/0005-deciding-together.md says how.

In: a grounded answer, the schema, the pages. Out: Fields, each with what is printed, where, and how sure it is.
A computed value never replaces a printed one: what is chosen stands on the page, or was the extractor's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from docpipe.confidence import Calibration
from docpipe.data import Answer, Field, Issue, Page
from docpipe.decide.amounts import with_printed_amounts
from docpipe.decide.joint import JointChoice, units
from docpipe.decide.options import KindReader, Option, absent_scores, lines, options
from docpipe.decide.rows import in_reading_order
from docpipe.decide.signals import Signals
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_ports import Kind, group_of
from docpipe.text_search import PageIndex

PRINTED_ROUNDS = 2  # a net total that was mended shows which gross total fits


def decide(
    answer: Answer, schema: Schema, pages: Sequence[Page], *, calibration: Calibration, threshold: float | None
) -> tuple[Field, ...]:
    """The fields of the schema in its order; rows of lists in reading order, numbered from 0.

    `threshold` is the confidence from which on a value is accepted (`calibration.threshold(accept_error)`);
    None accepts nothing.
    """
    indexes = {page.number: PageIndex(page) for page in pages}
    reader = KindReader(schema, schema.conventions(lines(pages)))
    known = _of_schema(answer, schema)
    found = options(known, reader, indexes)
    table = _table(found, known, schema)
    rules = units(schema.rules, schema.fields, list(table))
    choice = JointChoice(table, rules)
    taken = choice.best()
    for _ in range(PRINTED_ROUNDS):
        widened = with_printed_amounts(choice, taken, reader, indexes)
        if widened is None:
            break
        choice = JointChoice(widened, rules)
        taken = choice.best()
    signals = Signals(choice, taken, indexes)
    fields = [
        _field(path, choice.table[path][taken[path]], signals, (reader.kind(path), calibration, threshold))
        for path in choice.table
    ]
    return in_reading_order(fields, schema, indexes)


def _of_schema(answer: Answer, schema: Schema) -> Answer:
    """The answer without candidates for fields that the schema does not have (a model may invent some)."""
    known = {spec.path for spec in schema.fields}
    return Answer(
        tuple(candidate for candidate in answer.candidates if _is_of(FieldPath.parse(candidate.path), known)),
        answer.absent,
        answer.finish,
    )


def _is_of(path: FieldPath, known: Set[str]) -> bool:
    """Whether a path is a field or a cell that the schema has; a cell has a row."""
    return path.template in known and not path.is_column


def _table(
    found: Mapping[str, Sequence[Option]], answer: Answer, schema: Schema
) -> dict[str, list[tuple[Option | None, float]]]:
    """Every path with its options and scores, being absent among them."""
    paths: Iterable[str] = [*(spec.path for spec in schema.fields if spec.list_path is None), *found]
    absent = absent_scores(answer)
    table: dict[str, list[tuple[Option | None, float]]] = {}
    for path in dict.fromkeys(paths):
        here = found.get(path, ())
        table[path] = [*((option, option.score) for option in here), (None, absent.get(path, 1.0))]
    return table


def _field(
    path: str,
    chosen: tuple[Option | None, float],
    signals: Signals,
    judges: tuple[Kind, Calibration, float | None],
) -> Field:
    (option, score), (kind, calibration, threshold) = chosen, judges
    if option is None:
        return Field(path, None, None, min(1.0, score))
    told = signals.of(path)
    confidence = calibration.confidence(told, group_of(kind))
    issues: list[Issue] = []
    if option.parsed.issue is not None:
        issues.append(Issue(option.parsed.issue, option.parsed.message, option.parsed.severity, field=path))
    if not option.evidence:
        issues.append(Issue("no_evidence", f"{option.raw!r} was not found on the pages", field=path))
    accepted = threshold is not None and confidence >= threshold and bool(option.evidence) and option.value is not None
    return Field(path, option.value, option.raw, confidence, option.evidence, accepted, tuple(issues), told)
