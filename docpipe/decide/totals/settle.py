"""What the arithmetic of the totals settles, when the joint search is through and a rule is still broken.

In: the choice and the pages. Out: the choice with other values of single fields, and the issues that say so. Decision:
docs/decisions/0028-totals-that-the-page-settles.md.
"""

from __future__ import annotations

from docpipe.decide.joint import JointChoice, joint_choice
from docpipe.decide.options import KindParser, Option, ScoredOption
from docpipe.decide.totals.exchanged_totals import exchanged_totals
from docpipe.decide.totals.net_with_tax import net_with_tax
from docpipe.decide.totals.total_rules import SETTLED_SCORE, Chosen, TotalRules, taxed_totals
from docpipe.decide.totals.unprinted_gross import unprinted_gross
from docpipe.document_index import DocumentIndex


def settle_totals(chosen: Chosen, parser: KindParser, document: DocumentIndex) -> Chosen:
    """The same where nothing is to be settled."""
    names = taxed_totals(parser.schema)
    if names is None:
        return chosen
    rules = TotalRules(names, chosen, parser, document)
    settlement = exchanged_totals(rules) or net_with_tax(rules) or unprinted_gross(rules)
    if settlement is None:
        return chosen
    table = {path: list(scored) for path, scored in chosen.choice.table.items()}
    for path, option in settlement.changes.items():
        if not any(scored.option is option for scored in table[path]):
            table[path].append(ScoredOption(option, SETTLED_SCORE))
    choice = joint_choice(table, parser.schema)
    kept = {path: chosen.choice.option(path, chosen.assignment) for path in table}
    options = {**kept, **settlement.changes}
    assignment = {path: _index(choice, path, options[path]) for path in table}
    return Chosen(choice, assignment, (*chosen.issues, *settlement.issues))


def _index(choice: JointChoice, path: str, option: Option | None) -> int:
    return next(index for index, scored in enumerate(choice.table[path]) if scored.option is option)
