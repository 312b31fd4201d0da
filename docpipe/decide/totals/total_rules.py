"""What the totals of a document must satisfy, and what is known of them: rules over net, tax and gross, tax rates.

In: the choice so far, the schema, the pages. Out: `TotalRules`, which says what a change of single values would break,
and reads a number where it is printed. Only for schemas with a rule that names the three (`TaxedTotals`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from docpipe.data import Evidence, Issue
from docpipe.decide.joint import Assignment, JointChoice
from docpipe.decide.options import KindParser, Option
from docpipe.decide.totals.claimed_rows import tax_tables
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.rule_scope import applications_of
from docpipe.schema import Schema
from docpipe.schema_ports import TaxedTotals

MINOR_UNIT = Decimal("0.01")
TAX_ROUNDING = Decimal("0.05")  # the tax may be a sum of taxes that were rounded line by line
MAX_CELLS = 500  # a rule that reads more is not asked: as for printed amounts
# The score of an option that the arithmetic of the totals added: as that of any amount that no one proposed.
SETTLED_SCORE = 0.01
_RATE = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,3})?)\s?%|%\s?(\d{1,2}(?:[.,]\d{1,2})?)(?![\d.,])")

SETTLED = "settled"  # the signal of a value that was moved or added here


@dataclass(frozen=True)
class Settlement:
    """Options that take the place of the chosen ones (None: the field is left out), and what is said of them."""

    changes: Mapping[str, Option | None]
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Chosen:
    """The options of a document, which of them are chosen, and what is said of the choice."""

    choice: JointChoice
    assignment: Assignment
    issues: tuple[Issue, ...] = ()


def taxed_totals(schema: Schema) -> TaxedTotals | None:
    """The names of net, tax and gross in a schema that has a rule over them."""
    return next((rule for rule in schema.rules if isinstance(rule, TaxedTotals)), None)


class TotalRules:
    """The rules that read net, tax or gross, under the values that are chosen. Only single values are ever changed."""

    def __init__(self, names: TaxedTotals, chosen: Chosen, parser: KindParser, document: DocumentIndex) -> None:
        """`names` are those of the three fields; see `taxed_totals`."""
        self.net, self.tax, self.gross = names.net, names.tax, names.gross
        self.three = frozenset({self.net, self.tax, self.gross})
        self.choice, self.assignment = chosen.choice, chosen.assignment
        self._parser, self._document = parser, document
        self.rules = [rule for rule in parser.schema.rules if rule.severity != "info" and self.three & set(rule.paths)]
        self._values = self.choice.values(self.choice.table, self.assignment)
        self._read: list[dict[str, object]] = [
            {path: self._values[path] for applied in applications_of(rule, self._values) for path in applied.paths}
            for rule in self.rules
        ]

    def option(self, path: str) -> Option | None:
        """What is chosen for a field, if it has a value."""
        option = self.choice.option(path, self.assignment) if path in self.choice.table else None
        return option if option is not None and option.value is not None else None

    def value(self, path: str) -> Decimal | None:
        value = self._values.get(path)
        return value if isinstance(value, Decimal) else None

    def values(self, number: int, changed: Mapping[str, object]) -> dict[str, object]:
        """What a rule reads when these values (None: absent) take the place of the chosen ones."""
        singles = {path: value for path, value in changed.items() if path in self.rules[number].paths}
        return {path: value for path, value in {**self._read[number], **singles}.items() if value is not None}

    def broken(self, changed: Mapping[str, object]) -> frozenset[int]:
        """The numbers of the rules that do not hold with these values in the place of the chosen ones."""
        read = ((number, self.values(number, changed)) for number in range(len(self.rules)))
        return frozenset(
            number for number, values in read if len(values) <= MAX_CELLS and self.rules[number].check(values) is False
        )

    def are_of_three(self, numbers: Iterable[int]) -> bool:
        """Whether one of these rules reads net, tax and gross."""
        return any(self.three <= set(self.rules[number].paths) for number in numbers)

    def money_beside_gross(self) -> list[str]:
        """The single amounts that a rule reads together with the gross, without the three themselves."""
        paths = dict.fromkeys(path for rule in self.rules if self.gross in rule.paths for path in rule.paths)
        return [path for path in paths if path not in self.three and self._is_single_money(path)]

    def tax_cells(self) -> Iterator[str]:
        """The amounts in the rows of tax tables."""
        amounts = {path for table in tax_tables(self._parser.schema) for path in table.amounts}
        yield from (path for path in self.choice.table if FieldPath.parse(path).template in amounts)

    def tax_of_rows(self) -> Decimal | None:
        """The sum of the taxes of the tax table: of the column that a rule adds up to the tax."""
        columns = {
            path
            for rule in self.rules
            if self.three & set(rule.paths) == {self.tax}
            for path in rule.paths
            if FieldPath.parse(path).is_cell
        }
        taxes = [value for path, value in self._values.items() if FieldPath.parse(path).template in columns]
        return sum((tax for tax in taxes if isinstance(tax, Decimal)), Decimal(0)) if taxes else None

    def _is_single_money(self, path: str) -> bool:
        return FieldPath.parse(path).list_path is None and self._parser.kind(path).name == "money"

    # -- what is printed --------------------------------------------------------------------------------------------

    @cached_property
    def rates(self) -> frozenset[Decimal]:
        """The tax rates: numbers with a percent sign on the pages, and values of fields that are rates."""
        printed = {one or other for one, other in _RATE.findall(self._document.printed)}
        chosen = {
            value
            for path, value in self._values.items()
            if isinstance(value, Decimal) and self._parser.kind(path).name == "rate"
        }
        return frozenset(chosen | {Decimal(text.replace(",", ".")) for text in printed})

    def is_taxed(self, net: Decimal, tax: Decimal) -> bool:
        """Whether the tax is that of one of the rates."""
        return any(rate and abs(net * rate / 100 - tax) <= TAX_ROUNDING for rate in self.rates)

    def is_mixed(self, net: Decimal, tax: Decimal) -> bool:
        """Whether the tax may be made of several of the rates, none known being as good as any."""
        return 0 < abs(tax) <= abs(net) * max(self.rates, default=Decimal(100)) / 100 + TAX_ROUNDING

    def is_printed(self, number: Decimal) -> bool:
        return any(page.same_number(str(number)) for page in self._document.pages.values())

    def printed(self, path: str, number: Decimal) -> Option | None:
        """A field's option for a number at the last place where it is printed."""
        for page_number in sorted(self._document.pages, reverse=True):
            for occurrence in reversed(self._document.pages[page_number].same_number(str(number))):
                text = " ".join(quote.text for quote in occurrence.evidence)
                if (option := self._option(path, text, number, occurrence.evidence)) is not None:
                    return option
        return None

    def moved(self, path: str, option: Option) -> Option | None:
        """What was proposed for another field, for this one; None where it would be another value here."""
        return self._option(path, option.raw, option.value, option.evidence)

    def _option(self, path: str, text: str, value: object, evidence: tuple[Evidence, ...]) -> Option | None:
        parsed = self._parser.parse(path, text)
        if parsed.value != value or parsed.issue is not None or not evidence:
            return None
        return Option(value, text, SETTLED_SCORE, evidence, parsed, {SETTLED: 1.0}, is_unproposed=True)
