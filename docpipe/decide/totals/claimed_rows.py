"""Rows of a tax table that are none: their amount stands behind the caption of another field (`Retención IRPF 15 %
-90,00`), and one print is not two values.

In: options by path, of which some were found by a caption. Out: the options without the rows, and an issue for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from docpipe.data import Issue
from docpipe.decide.options import KindParser, Option
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_ports import group_of

MIN_CLAIM_SCORE = 0.5  # lines that disagree share the score: then none of them claims anything


@dataclass(frozen=True)
class TaxTable:
    """The columns of a list in whose rows a rate times an amount is the tax, as a rule of the schema says."""

    list_path: str
    rates: frozenset[str]
    amounts: frozenset[str]


@dataclass(frozen=True)
class ClaimedRows:
    """Options without the rows that are claimed by captions, and what is said of those."""

    options: Mapping[str, Sequence[Option]]
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class _Claim:
    """An amount behind its caption: its field or cell, and its words on a page."""

    path: str
    page: int
    words: frozenset[int]


def tax_tables(schema: Schema) -> Iterator[TaxTable]:
    for rule in schema.rules:
        lists = {FieldPath.parse(path).list_path for path in rule.paths}
        kinds = {path: schema.spec(path).kind.name for path in rule.paths}
        list_path = lists.pop() if len(lists) == 1 else None
        if list_path is not None and set(kinds.values()) == {"rate", "money"}:
            rates = frozenset(path for path, kind in kinds.items() if kind == "rate")
            yield TaxTable(list_path, rates, frozenset(kinds) - rates)


def without_claimed_rows(
    candidates: Mapping[str, Sequence[Option]], parser: KindParser, document: DocumentIndex
) -> ClaimedRows:
    claims = [*_claims(candidates, parser, document)]
    issues: list[Issue] = []
    dropped: set[str] = set()
    for table in tax_tables(parser.schema) if claims else ():
        for row, cells in _rows(candidates, table).items():
            claim = next((claim for claim in claims if _is_claimed(cells, table, claim, document)), None)
            if claim is not None:
                ordered = sorted(cells.values(), key=lambda cell: min(_words(cell, document), default=0))
                printed = " ".join(cell.raw for cell in ordered)
                message = f"{printed!r} is no row of {table.list_path}: it stands behind the caption of {claim.path}"
                issues.append(Issue("not_a_tax_row", message, "info", field=claim.path))
                dropped.add(row)
    options = {path: proposed for path, proposed in candidates.items() if FieldPath.parse(path).row not in dropped}
    return ClaimedRows(options, tuple(issues))


def _claims(
    candidates: Mapping[str, Sequence[Option]], parser: KindParser, document: DocumentIndex
) -> Iterator[_Claim]:
    for path, proposed in candidates.items():
        is_amount = group_of(parser.kind(path)) == "number"
        best = proposed[0] if is_amount and proposed else None
        if best is None or "caption" not in best.signals or best.score < MIN_CLAIM_SCORE or len(best.evidence) != 1:
            continue
        if words := _words(best, document):
            yield _Claim(path, best.evidence[0].page, words)


def _rows(candidates: Mapping[str, Sequence[Option]], table: TaxTable) -> dict[str, dict[str, Option]]:
    """By row, the best option of each of its cells."""
    rows: dict[str, dict[str, Option]] = defaultdict(dict)
    for path, proposed in candidates.items():
        parsed = FieldPath.parse(path)
        if parsed.is_cell and parsed.list_path == table.list_path and proposed:
            rows[parsed.row][path] = proposed[0]
    return rows


def _is_claimed(cells: Mapping[str, Option], table: TaxTable, claim: _Claim, document: DocumentIndex) -> bool:
    """Whether an amount of the row is the claimed print; a row without amounts, whether its rate stands before it."""
    amounts = [option for path, option in cells.items() if FieldPath.parse(path).template in table.amounts]
    if amounts:
        return any(_is_on(claim, option) and _words(option, document) & claim.words for option in amounts)
    rates = [option for path, option in cells.items() if FieldPath.parse(path).template in table.rates]
    return any(_is_on(claim, option) and _is_just_before(claim, option, document) for option in rates)


def _is_on(claim: _Claim, option: Option) -> bool:
    return len(option.evidence) == 1 and option.evidence[0].page == claim.page


def _is_just_before(claim: _Claim, option: Option, document: DocumentIndex) -> bool:
    """Whether a rate's words are the nearest ones with digits before the claimed words, on their line."""
    page = document.pages[claim.page]
    before = min(claim.words) - 1
    while before >= 0 and page.words[before].line == page.words[min(claim.words)].line:
        if any(map(str.isdigit, page.words[before].text)):
            return before in _words(option, document)
        before -= 1
    return False


def _words(option: Option, document: DocumentIndex) -> frozenset[int]:
    quotes = [quote for quote in option.evidence if quote.page in document.pages]
    return frozenset(word for quote in quotes for word in document.pages[quote.page].words_in(quote.box))
