"""A net that is the gross: `Total 95.20, of which 19 % VAT 15.20`, where the extractor takes one total for both.

In: rules over the totals. Out: the net that is printed elsewhere, or none, with an issue, where the tax is exactly that
of a rate on the page within the gross, and not on top of the net. Nothing where both might be.
"""

from __future__ import annotations

from docpipe.data import Issue
from docpipe.decide.totals.total_rules import Settlement, TotalRules


def net_with_tax(rules: TotalRules) -> Settlement | None:
    net, gross, chosen_tax = (rules.value(path) for path in (rules.net, rules.gross, rules.tax))
    tax = rules.tax_of_rows() if chosen_tax is None else chosen_tax
    if net is None or net != gross or tax is None:
        return None
    without = gross - tax
    if without * tax <= 0 or not rules.is_taxed(without, tax) or rules.is_taxed(net, tax):
        return None
    before, after = rules.broken({}), rules.broken({rules.net: without, rules.tax: tax})
    if not (after < before or not (before or after)):
        return None
    option = rules.printed(rules.net, without)
    if option is None:
        message = f"{net} is the gross: the tax {tax} is part of it, and the net of {without} is printed nowhere"
        return Settlement({rules.net: None}, (Issue("net_not_printed", message, field=rules.net),))
    message = f"{without} was taken, and not {net}: {without} + {tax} = {gross} is what is printed"
    return Settlement({rules.net: option}, (Issue("settled_by_sum", message, field=rules.net),))
