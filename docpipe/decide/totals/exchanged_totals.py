"""Net, tax and gross that are exchanged: `Total inc. VAT 95.20, of which VAT 15.20, Total excl. VAT 80.00`.

In: rules over the three that are broken, and what was proposed for any of the totals. Out: the printed net + tax =
gross that mends them, all values at once, each with its own evidence. Nothing where two such sums are as good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from docpipe.data import Issue
from docpipe.decide.options import Option
from docpipe.decide.totals.total_rules import Settlement, TotalRules

# Of the network's candidates for another total: what it thinks possible. The amounts are proven by their sum.
MIN_PROPOSED_SCORE = 0.05
MAX_TAXES = 60  # amounts of tax tables that are tried
MAX_SUMS = 40  # printed sums whose rules are checked

Pool = Mapping[Decimal, Option]


@dataclass(frozen=True)
class _TaxedSum:
    """net + tax = gross."""

    net: Decimal
    tax: Decimal
    gross: Decimal


def exchanged_totals(rules: TotalRules) -> Settlement | None:
    before = rules.broken({})
    if not rules.are_of_three(before):
        return None
    totals = _proposed(rules, [rules.net, rules.gross, *rules.money_beside_gross()])
    taxes = _proposed(rules, [rules.tax, *[*rules.tax_cells()][:MAX_TAXES]])
    found: dict[_TaxedSum, Settlement] = {}
    for printed in [*dict.fromkeys(_sums(rules, totals, taxes))][:MAX_SUMS]:
        for changes in _changes(rules, printed, totals, taxes):
            changed = {path: option.value for path, option in changes.items()}
            after = rules.broken({**changed, rules.tax: printed.tax})  # which the rows may have alone
            if after < before and not rules.are_of_three(after):
                found.setdefault(printed, Settlement(changes, tuple(_issues(rules, printed, changes))))
    fewest = min((len(settlement.changes) for settlement in found.values()), default=0)
    best = [settlement for settlement in found.values() if len(settlement.changes) == fewest]
    return best[0] if len(best) == 1 else None


def _proposed(rules: TotalRules, paths: Iterable[str]) -> Pool:
    """By value, the best option that was proposed for one of the fields, or is chosen there."""
    pool: dict[Decimal, Option] = {}
    for path in paths:
        chosen = rules.option(path)
        for option, score in rules.choice.table.get(path, ()):
            is_open = option is not None and score >= MIN_PROPOSED_SCORE and option.is_calibrated
            if option is None or not (is_open or option is chosen):
                continue
            if isinstance(option.value, Decimal) and option.value and option.parsed.issue is None:
                known = pool.get(option.value)
                pool[option.value] = option if known is None or known.score < option.score else known
    return pool


def _sums(rules: TotalRules, totals: Pool, taxes: Pool) -> Iterator[_TaxedSum]:
    """Sums of proposed amounts; where one of the three fields is empty, any amount may be the missing one, if the tax
    is then that of the rates on the page."""
    sums = [_TaxedSum(net, tax, net + tax) for net in totals for tax in taxes]
    of_rows = rules.tax_of_rows()
    if rules.value(rules.tax) is None:
        sums += [_TaxedSum(net, gross - net, gross) for net in totals for gross in totals]
    if rules.value(rules.net) is None:
        sums += [_TaxedSum(gross - tax, tax, gross) for gross in totals for tax in taxes]
    for added in sums:
        is_proposed = added.net in totals and added.gross in totals and (added.tax in taxes or added.tax == of_rows)
        is_of_rates = len(rules.rates) > 1 or rules.is_taxed(added.net, added.tax)
        is_tax = added.net * added.tax > 0 and rules.is_mixed(added.net, added.tax)
        if is_tax and (is_proposed or is_of_rates):
            yield added


def _changes(rules: TotalRules, printed: _TaxedSum, totals: Pool, taxes: Pool) -> Iterator[dict[str, Option]]:
    """What must change for this sum: first without, then with the amounts that were taken for the net or the gross."""
    changes: dict[str, Option] = {}
    for path, number, pool in (
        (rules.net, printed.net, totals),
        (rules.tax, printed.tax, taxes),
        (rules.gross, printed.gross, totals),
    ):
        is_of_rows = path == rules.tax and number not in taxes and number == rules.tax_of_rows()
        if rules.value(path) == number or is_of_rows:
            continue
        moved = rules.moved(path, pool[number]) if number in pool else None
        is_missing = rules.value(path) is None
        option = moved or (rules.printed(path, number) if is_missing else None)
        if option is None:
            return
        changes[path] = option
    yield changes
    replaced = {rules.value(rules.net), rules.value(rules.gross)} - {None, printed.gross}
    gross = changes.get(rules.gross) or rules.option(rules.gross)
    for path in rules.money_beside_gross():
        option = rules.moved(path, gross) if gross is not None and rules.value(path) in replaced else None
        if option is not None:
            yield {**changes, path: option}


def _issues(rules: TotalRules, printed: _TaxedSum, changes: Mapping[str, Option]) -> Iterator[Issue]:
    for path, option in changes.items():
        before = rules.value(path)
        instead = "" if before is None else f", and not {before}"
        message = (
            f"{option.value} was taken{instead}: {printed.net} + {printed.tax} = {printed.gross} is what is printed"
        )
        yield Issue("settled_by_sum", message, field=path)
