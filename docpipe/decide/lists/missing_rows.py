"""Rows that no model proposed, but that are printed in the table and that the sum of its column proves.

In: the choice so far and the pages. Out: the options again, with such rows. A line of print is a row if its amount
stands in the column of the rows' amounts, its words belong to nothing, and the column adds up to a total with it: see
docs/decisions/0026-rows-that-the-sum-proves.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import combinations, islice
from typing import NamedTuple

from docpipe.data import Answer, Candidate, Issue
from docpipe.decide.joint import Assignment, JointChoice, OptionTable
from docpipe.decide.lists.amount_lines import AmountLine, TakenWords, WordPlace, amount_lines
from docpipe.decide.lists.row_words import LINE_SCORE, LINE_SIGNALS, ListLayout, line_options, places_of
from docpipe.decide.options import KindParser, Option, options
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.rule_scope import RuleApplication
from docpipe.schema import Schema
from docpipe.schema_ports import ColumnSum, group_of

MAX_CELLS = 500  # a sum over more cells is not looked at: each check takes milliseconds
MAX_LINES = 40  # that may be rows of one table: more are no few lines that a model did not see
# Where not all lines are rows, up to two may be something else: 55 sums, of which exactly one must be right.
MAX_LINES_TO_CHOOSE_FROM, MAX_LINES_LEFT_OUT = 10, 2
MAX_LINES_NAMED = 3  # in one sentence


def add_missing_rows(
    choice: JointChoice, assignment: Assignment, parser: KindParser, document: DocumentIndex
) -> OptionTable | None:
    """The options with the rows that make a column add up; None when there are none."""
    for column in _columns(choice, assignment, parser.schema):
        rows = _RowReader(column, parser, document).rows()
        cells = {path: option for row in column.proven(rows) for path, option in row.cells.items()}
        if cells:
            return {**choice.table, **{path: line_options(option) for path, option in cells.items()}}
    return None


def amounts_without_row(
    choice: JointChoice, assignment: Assignment, parser: KindParser, document: DocumentIndex
) -> Iterator[Issue]:
    """For a total that the rows do not add up to: the lines that may be rows though the sum does not prove it."""
    for column in _columns(choice, assignment, parser.schema):
        total = next((path for path in column.rule.totals if path in column.chosen), None)
        rows = _RowReader(column, parser, document).rows() if total is not None and not column.adds_up(()) else ()
        if total is not None and rows:
            texts = [document.pages[row.line.page].text(row.line.first, row.line.amount) for row in rows]
            named = ", ".join(map(repr, texts[:MAX_LINES_NAMED]))
            more = f" and {len(texts) - MAX_LINES_NAMED} more" if len(texts) > MAX_LINES_NAMED else ""
            message = f"lines whose amount stands in the column of {column.rule.column} are no rows: {named}{more}"
            yield Issue("amounts_without_row", message, "info", field=total)


def _columns(choice: JointChoice, assignment: Assignment, schema: Schema) -> Iterator[_Column]:
    """The columns of lists of named rows that have to add up."""
    chosen = {path: option for path in choice.table if (option := choice.option(path, assignment)) is not None}
    for application in choice.applications:
        rule = application.rule
        if application.is_row or not isinstance(rule, ColumnSum) or len(application.paths) > MAX_CELLS:
            continue
        column = _Column(application, rule, chosen)
        if column.amounts and schema.text_column(column.list_path) is not None:
            yield column


class _Row(NamedTuple):
    """A line as a row of the list: the path and the value of its amount, all its cells by path, and the single field
    that has its amount ("" where none has)."""

    line: AmountLine
    path: str
    amount: Decimal
    cells: Mapping[str, Option]
    single: str


class _Entry(NamedTuple):
    """An amount in the column: of a row that was proposed, or of a line that may be one."""

    page: int
    height: float
    amount: Decimal
    row: _Row | None


@dataclass(frozen=True)
class _Column:
    """A column that has to add up. `chosen` are the options of all fields."""

    application: RuleApplication
    rule: ColumnSum
    chosen: Mapping[str, Option]

    @property
    def list_path(self) -> str:
        return FieldPath.parse(self.rule.column).list_path or ""

    @cached_property
    def amounts(self) -> dict[str, Option]:
        """Of the rows that were proposed."""
        column = self.rule.column
        return {path: option for path, option in self.chosen.items() if FieldPath.parse(path).template == column}

    @cached_property
    def singles(self) -> dict[str, Option]:
        """Amounts that may lie between the rows and a total: a discount, a deposit. Printed between the rows, they are
        rows."""
        return {
            path: self.chosen[path]
            for path in self.application.paths
            if path in self.chosen and path not in self.rule.totals and not FieldPath.parse(path).is_cell
        }

    @cached_property
    def _entries(self) -> list[_Entry]:
        """The amounts of the proposed rows from top to bottom."""
        entries = []
        for option in self.amounts.values():
            if option.evidence and isinstance(option.value, Decimal):
                quote = option.evidence[-1]
                entries.append(_Entry(quote.page, (quote.box.top + quote.box.bottom) / 2, option.value, None))
        return sorted(entries, key=lambda entry: (entry.page, entry.height))

    def may_hold(self, line: AmountLine, amount: Decimal) -> bool:
        """Whether a row may have this amount, which has as many decimals as others: zero proves nothing, and below a
        total that was taken for a row there are no rows."""
        amounts = [entry.amount for entry in self._entries]
        is_below_total = line.is_below and len(amounts) > 2 and amounts[-1] == sum(amounts[:-1])
        decimals = {entry.as_tuple().exponent for entry in amounts}
        is_alike = amount.as_tuple().exponent in decimals
        return bool(amount) and is_alike and not is_below_total

    def proven(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        """Those with which the column adds up: all but subtotals, all, or all but one or two if no others do. None
        where it adds up without them."""
        if not rows or self.adds_up((), without=rows):
            return ()
        table_rows = self._without_subtotals(rows)
        for some in (table_rows, rows):
            if some and self._is_proven(some):
                return some
        fewest = max(1, len(table_rows) - MAX_LINES_LEFT_OUT)
        for size in range(len(table_rows) - 1, fewest - 1, -1) if len(table_rows) <= MAX_LINES_TO_CHOOSE_FROM else ():
            found = [some for some in combinations(table_rows, size) if self._is_proven(some)]
            if found:
                return found[0] if len(found) == 1 else ()
        return ()

    def _without_subtotals(self, rows: Sequence[_Row]) -> list[_Row]:
        """The rows without amounts that are the sum of those above, of all or since the last such sum. Below the rows
        that were proposed the first one ends the table: a discount under a subtotal is no row."""
        entries = [*self._entries, *(_Entry(row.line.page, row.line.height, row.amount, row) for row in rows)]
        kept: list[_Row] = []
        section: list[Decimal] = []
        whole: list[Decimal] = []
        for entry in sorted(entries, key=lambda entry: (entry.page, entry.height)):
            is_below = entry.row is not None and entry.row.line.is_below
            fewest = 1 if is_below else 2
            sums = [sum(amounts) for amounts in (section, whole) if len(amounts) >= fewest]
            if entry.row is not None and entry.amount in sums:
                if is_below:
                    break
                section = []
                continue
            section, whole = [*section, entry.amount], [*whole, entry.amount]
            kept += [entry.row] if entry.row is not None else []
        return kept

    def adds_up(self, rows: Sequence[_Row], *, without: Sequence[_Row] = (), total: str = "") -> bool:
        """Whether the proposed rows and these add up to a total (to this one). The single amounts that are printed on
        the lines `without` do not count beside them."""
        values = self._values(rows, without)
        others = {path for path in self.rule.totals if total and path != total}
        return self.application.rule.check({path: v for path, v in values.items() if path not in others}) is True

    def _is_proven(self, rows: Sequence[_Row]) -> bool:
        """Up to the total that holds all, an amount below the rows may be a tax that nobody found, unless it is taken
        off or has the caption of a discount or a deposit."""
        may_be_tax = any(row.line.is_below and row.amount > 0 and not row.single for row in rows)
        totals = self.rule.totals[:-1] if may_be_tax else self.rule.totals
        return any(self._binds(rows, total) for total in totals if total in self.chosen)

    def _binds(self, rows: Sequence[_Row], total: str) -> bool:
        """Whether the column adds up to the total with all of these rows, and not with any of them at zero."""
        without_one = ([*rows[:i], row._replace(amount=Decimal(0)), *rows[i + 1 :]] for i, row in enumerate(rows))
        return self.adds_up(rows, without=rows, total=total) and not any(
            self.adds_up(others, without=rows, total=total) for others in without_one
        )

    def _values(self, rows: Sequence[_Row], without: Sequence[_Row]) -> dict[str, object]:
        """What the rule reads, with these rows, and without the single amounts that are printed on others."""
        singles = {row.single for row in without}
        values = {
            path: self.chosen[path].value
            for path in self.application.paths
            if path in self.chosen and self.chosen[path].value is not None and path not in singles
        }
        return {**values, **{row.path: row.amount for row in rows}}


@dataclass(frozen=True)
class _RowReader:
    """Reads lines as rows of the list of a column."""

    column: _Column
    parser: KindParser
    document: DocumentIndex

    def rows(self) -> list[_Row]:
        """The lines that may be rows; those whose amount is doubtful are left out."""
        quotes = [option.evidence[-1] for option in self.column.amounts.values() if option.evidence]
        found = amount_lines(quotes, self._taken(), self.document.pages) if quotes else ()
        lines = list(islice(found, MAX_LINES + 1))
        if not 0 < len(lines) <= MAX_LINES:
            return []
        singles = {
            place: path for path, option in self.column.singles.items() for place in places_of(option, self.document)
        }
        own = [path for path in map(FieldPath.parse, self.column.chosen) if path.list_path == self.column.list_path]
        first = max((path.row_number or 0 for path in own), default=-1) + 1
        rows: list[_Row] = []
        for number, line in enumerate(lines, first):
            cells = self._cells(line.row or f"{self.column.list_path}[{number}]", line)
            path, amount = next(iter(cells.items()), ("", None))
            if amount is None or not isinstance(amount.value, Decimal):
                continue
            if self.column.may_hold(line, amount.value):
                single = singles.get(WordPlace(line.page, line.amount), "")
                rows.append(_Row(line, path, amount.value, cells, single))
        return rows

    def _taken(self) -> TakenWords:
        """The words of all fields but the single amounts that may be rows, and codes: a currency stands at amounts."""
        rows: dict[WordPlace, str] = {}
        ending: set[WordPlace] = set()
        for path, option in self.column.chosen.items():
            parsed, group = FieldPath.parse(path), group_of(self.parser.kind(path))
            if path in self.column.singles or (group == "code" and not parsed.is_cell):
                continue
            is_own = parsed.list_path == self.column.list_path
            places = places_of(option, self.document)
            rows.update(dict.fromkeys(places, parsed.row if is_own else ""))
            if not is_own and group == "number":
                ending.update(places)
        return TakenWords(rows, ending, {FieldPath.parse(path).row for path in self.column.amounts})

    def _cells(self, row: str, line: AmountLine) -> dict[str, Option]:
        """The amount of a line, and what the row is called; nothing where the amount is doubtful."""
        path = f"{row}.{FieldPath.parse(self.column.rule.column).leaf}"
        quote = self.document.pages[line.page].quote(line.amount, line.amount)
        candidate = Candidate(path, quote[0].text, LINE_SCORE, quote, LINE_SIGNALS)
        (amount, *_) = options(Answer((candidate,)), self.parser, self.document)[path]
        if amount.value is None or amount.parsed.issue not in (None, "ocr_repaired"):
            return {}
        text = self.parser.schema.text_column(self.column.list_path)
        if line.row or text is None:
            return {path: amount}
        first_of_amount = places_of(amount, self.document)[0].word
        words = [WordPlace(line.page, word) for word in range(line.first, first_of_amount)]
        text_path = f"{row}.{FieldPath.parse(text.path).leaf}"
        called = self.layout.text_option(text_path, words, self.parser, self.document)
        return {path: amount} | ({text_path: called} if called is not None else {})

    @cached_property
    def layout(self) -> ListLayout:
        return ListLayout.of(self.column.chosen, self.column.list_path, self.parser, self.document)
