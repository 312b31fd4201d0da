"""A gross that is printed nowhere: `Net 800.00, VAT 168.00, withheld -120.00, to pay 848.00`, where the extractor takes
what is to be paid for the gross.

In: rules over the totals. Out: the gross left out, with an issue, where net + tax is no amount on the pages, and less
what is withheld or was paid before it is what is due. A gross that is printed is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from docpipe.data import Issue
from docpipe.decide.joint import is_sum
from docpipe.decide.options import Option
from docpipe.decide.totals.total_rules import Settlement, TotalRules
from docpipe.schema_ports import Rule

# A deduction that the extractor thinks at least as likely as not, or that stands behind its caption.
MIN_DEDUCTION_SCORE = 0.5
# A tax that the extractor left open, where the arithmetic of four printed amounts speaks for it.
MIN_TAX_SCORE = 0.2
MAX_DEDUCTIONS = 4  # fields of a rule that may be there or not: 16 combinations


@dataclass(frozen=True)
class _Tax:
    """The tax, and the option to be taken for it where it is not chosen yet; None where no option has all of it."""

    amount: Decimal
    option: Option | None


def unprinted_gross(rules: TotalRules) -> Settlement | None:
    net, gross, tax = rules.value(rules.net), rules.option(rules.gross), _tax(rules)
    if net is None or gross is None or tax is None:
        return None
    total = net + tax.amount
    if total == gross.value or not rules.is_mixed(net, tax.amount) or rules.is_printed(total):
        return None
    before = rules.broken({})
    for deductions in _accounts(rules, total):
        changed = {path: option.value for path, option in deductions.items()}
        after = rules.broken({**changed, rules.tax: tax.amount, rules.gross: total})
        is_silent = not before and deductions and rules.is_taxed(net, tax.amount)
        if after < before or (is_silent and not after):
            of_tax = {} if tax.option is None else {rules.tax: tax.option}
            message = (
                f"{gross.value} is not the gross: {net} + {tax.amount} is {total}, which is printed nowhere, and makes"
                " what is due less what is withheld or was paid"
            )
            issue = Issue("gross_not_printed", message, field=rules.gross)
            return Settlement({**of_tax, **deductions, rules.gross: None}, (issue,))
    return None


def _tax(rules: TotalRules) -> _Tax | None:
    """What is chosen; else the best option that was left open, or what the rows of the tax table make."""
    chosen = rules.value(rules.tax)
    if chosen is not None:
        return _Tax(chosen, None)
    scored = max(rules.choice.table.get(rules.tax, ()), key=lambda scored: scored.score * bool(scored.option))
    best = rules.moved(rules.tax, scored.option) if scored.option and scored.score >= MIN_TAX_SCORE else None
    if best is not None and isinstance(best.value, Decimal):
        return _Tax(best.value, best)
    of_rows = rules.tax_of_rows()
    return None if of_rows is None else _Tax(of_rows, rules.printed(rules.tax, of_rows))


def _accounts(rules: TotalRules, total: Decimal) -> Iterator[dict[str, Option]]:
    """The deductions with which a rule that takes the gross holds, and is a sum: first as they are chosen."""
    for number, rule in enumerate(rules.rules):
        if rules.gross not in rule.paths or {rules.net, rules.tax} & set(rule.paths):
            continue
        for deductions in _deductions(rules, rule):
            changed = {path: option.value for path, option in deductions.items()}
            read = rules.values(number, {**changed, rules.gross: total})
            if rule.check(read) is True and is_sum(rule, read):
                yield deductions


def _deductions(rules: TotalRules, rule: Rule) -> Iterator[dict[str, Option]]:
    """What of the fields that a rule reads may be there although it was left out, in all combinations."""
    open_paths: dict[str, Option] = {}
    for path in rule.paths:
        options = rules.choice.table.get(path, ())
        likely = [scored.option for scored in options if scored.option and scored.score >= MIN_DEDUCTION_SCORE]
        if path != rules.gross and rules.option(path) is None and likely and likely[0].value is not None:
            open_paths[path] = likely[0]
    paths = [*open_paths][:MAX_DEDUCTIONS]
    for taken in product((False, True), repeat=len(paths)):
        yield {path: open_paths[path] for path, is_taken in zip(paths, taken, strict=True) if is_taken}
