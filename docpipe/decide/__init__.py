"""One value per field, chosen so that the fields fit together; docs/decisions/0005-deciding-together.md says how.

In: a grounded answer, the schema, the document's words. Out: Fields, each with what is printed, where, and how sure it
is. A computed value never replaces a printed one: what is chosen stands on the page, or was the extractor's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from docpipe.confidence import Calibration
from docpipe.data import Answer, Field, Issue
from docpipe.decide.joint import JointChoice, joint_choice
from docpipe.decide.left_over_code import with_left_over_code
from docpipe.decide.lists.missing_rows import add_missing_rows, amounts_without_row
from docpipe.decide.lists.reading_order import in_reading_order
from docpipe.decide.lists.row_products import add_row_products
from docpipe.decide.lists.row_words import read_from_line, with_row_words
from docpipe.decide.marked_currency import with_marked_currency
from docpipe.decide.options import KindParser, Option, ScoredOption, absent_scores, options
from docpipe.decide.other_kind import is_of_other_kind
from docpipe.decide.signals import Signals
from docpipe.decide.totals.claimed_rows import without_claimed_rows
from docpipe.decide.totals.printed_amounts import add_printed_amounts
from docpipe.decide.totals.settle import settle_totals
from docpipe.decide.totals.total_rules import Chosen
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_ports import group_of

MAX_AMOUNT_ROUNDS = 2  # a net total that was mended shows which gross total fits


def decide(
    answer: Answer, schema: Schema, document: DocumentIndex, *, calibration: Calibration, threshold: float | None
) -> tuple[Field, ...]:
    """The fields of the schema in its order; rows of lists in reading order, numbered from 0.

    `threshold` is the confidence from which on a value is accepted (`calibration.threshold(accept_error)`);
    None accepts nothing.
    """
    parser = KindParser(schema, schema.conventions(document.lines))
    of_schema = _of_schema(answer, schema)
    candidates = without_claimed_rows(options(of_schema, parser, document), parser, document)
    proposed = _table(candidates.options, of_schema, schema)
    with_codes = with_left_over_code(with_marked_currency(proposed, parser, document), parser, document)
    table = with_row_words(with_codes, parser, document)
    choice = joint_choice(table, schema)
    assignment = choice.best()
    with_products = add_row_products(choice, assignment, parser, document)
    if with_products is not None:
        choice = joint_choice(with_products, schema)
        assignment = choice.best()
    for _ in range(MAX_AMOUNT_ROUNDS):
        widened = add_printed_amounts(choice, assignment, parser, document)
        if widened is None:
            break
        choice = JointChoice(widened, choice.applications)
        assignment = choice.best()
    with_rows = add_missing_rows(choice, assignment, parser, document)
    if with_rows is not None:
        choice = joint_choice(with_rows, schema)
        assignment = choice.best()
    issues = (*candidates.issues, *amounts_without_row(choice, assignment, parser, document))
    chosen = settle_totals(Chosen(choice, assignment, issues), parser, document)
    fields = _fields(chosen, parser, Signals(chosen.choice, chosen.assignment, document), calibration, threshold)
    return in_reading_order(fields, schema, document)


def _fields(
    chosen: Chosen, parser: KindParser, signals: Signals, calibration: Calibration, threshold: float | None
) -> list[Field]:
    fields: list[Field] = []
    for path in chosen.choice.table:
        issues = tuple(issue for issue in chosen.issues if issue.field == path)
        option, score = chosen.choice.table[path][chosen.assignment[path]]
        if option is None:
            fields.append(Field(path, None, None, min(1.0, score), issues=issues))
            continue
        if is_of_other_kind(option, parser.kind(path)):
            message = f"{option.raw!r} is plainly something else, so {path} is empty"
            absent = min(1.0, chosen.choice.table[path][-1].score)
            fields.append(Field(path, None, None, absent, issues=(*issues, Issue("other_kind", message, "info", path))))
            continue
        numbers = signals.of(path)
        confidence = calibration.confidence(numbers, group_of(parser.kind(path)))
        is_sure = option.is_calibrated and threshold is not None and confidence >= threshold
        fields.append(replace(_field(path, option, is_sure, issues), confidence=confidence, signals=numbers))
    return fields


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


def _table(candidates: Mapping[str, Sequence[Option]], answer: Answer, schema: Schema) -> dict[str, list[ScoredOption]]:
    """Every path with its options and scores, being absent among them."""
    paths: Iterable[str] = [*(spec.path for spec in schema.fields if spec.list_path is None), *candidates]
    absent = absent_scores(answer)
    table: dict[str, list[ScoredOption]] = {}
    for path in dict.fromkeys(paths):
        present = [ScoredOption(option, option.score) for option in candidates.get(path, ())]
        table[path] = [*present, ScoredOption(None, absent.get(path, 1.0))]
    return table


def _field(path: str, option: Option, is_sure: bool, said: Sequence[Issue]) -> Field:
    """The field with this value. Nothing without a place on the pages is accepted, and nothing that its kind doubts."""
    issues = [*said]
    if option.parsed.issue is not None:
        issues.append(Issue(option.parsed.issue, option.parsed.message, option.parsed.severity, field=path))
    if not option.evidence:
        issues.append(Issue("no_evidence", f"{option.raw!r} was not found on the pages", field=path))
    if "line" in option.signals:
        issues.append(read_from_line(path, option))
    is_doubted = any(issue.severity != "info" for issue in issues)
    accepted = is_sure and not is_doubted and option.value is not None
    return Field(path, option.value, option.raw, 0.0, option.evidence, accepted, tuple(issues))
