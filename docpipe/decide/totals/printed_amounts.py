"""Amounts that the extractor did not propose, but that are printed and make a broken rule hold.

In: the choice so far and the pages. Out: the options again, with such amounts added at a low score and with evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from docpipe.decide.joint import Assignment, JointChoice, OptionTable, is_sum
from docpipe.decide.options import KindParser, Option, ScoredOption
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath

# An amount that no one proposed: one in a hundred of the fields whose sums do not add up has its value elsewhere.
# With the rewards of joint.py it replaces a value of at most .9 when a sum holds with it, a surer one only when two
# rules do. At .02 totals that were right were replaced (on drawn documents and on receipts that were trained on).
PRINTED_AMOUNT_SCORE = 0.01
MAX_AMOUNTS = 300  # distinct amounts looked at per document, the last ones first: totals stand at the end
MAX_CELLS = 500  # a sum over more cells is not checked: each check takes milliseconds, and some cell is wrong anyway
MONEY = "money"
_AMOUNT = re.compile(r"\d[.,]\d{2}\D{0,4}$")  # with cents: counts, years and telephone numbers are no amounts


def add_printed_amounts(
    choice: JointChoice, assignment: Assignment, parser: KindParser, document: DocumentIndex
) -> OptionTable | None:
    """The options with the amounts that would repair a broken rule; None when there are none."""
    table = {path: list(scored) for path, scored in choice.table.items()}
    added = False
    for number, application in enumerate(choice.applications):
        is_hint = application.rule.severity == "info"
        if is_hint or application.is_row or choice.check(number, assignment) is not False:
            continue
        for path in application.paths:
            is_amount = not FieldPath.parse(path).is_cell and parser.kind(path).name == MONEY
            is_open = is_amount and choice.option(path, assignment)
            for option in _amounts(path, parser, document) if is_open else ():
                is_new = not _is_known(option, table[path], parser, path)
                if is_new and _repairs_rules(path, option, choice, assignment):
                    table[path].append(ScoredOption(option, option.score))
                    added = True
    return table if added else None


def _repairs_rules(path: str, option: Option, choice: JointChoice, assignment: Assignment) -> bool:
    """Whether two rules that are broken now hold with it, or one that is a sum of single fields.

    A column of a list is no such sum: rows may be missing, and discounts may lie between it and the total. Nor is one
    that counts an amount twice: what is the tax is not the tip as well.
    """
    is_sum_repaired: list[bool] = []
    for number, application in enumerate(choice.applications):
        is_hint = application.rule.severity == "info"
        if path not in application.paths or is_hint or len(application.paths) > MAX_CELLS:
            continue
        if choice.check(number, assignment) is not False:
            continue
        values = {**choice.values(application.paths, assignment), path: option.value}
        if application.rule.check(values):
            has_cells = any(FieldPath.parse(read).is_cell for read in application.paths)
            is_double = any(value == option.value for other, value in values.items() if other != path)
            is_sum_repaired.append(not has_cells and not is_double and is_sum(application.rule, values))
    return any(is_sum_repaired) or len(is_sum_repaired) > 1


def _is_known(option: Option, scored: Sequence[ScoredOption], parser: KindParser, path: str) -> bool:
    same = parser.kind(path).same
    return any(other.option is not None and same(other.option.value, option.value) for other in scored)


def _amounts(path: str, parser: KindParser, document: DocumentIndex) -> Iterator[Option]:
    """The distinct amounts on the pages, zero aside (it makes too many sums right), from the end."""
    values: set[object] = set()
    for number in sorted(document.pages, reverse=True):
        page = document.pages[number]
        for index in range(len(page.words) - 1, -1, -1):
            text = page.words[index].text
            if len(values) >= MAX_AMOUNTS:
                return
            if not _AMOUNT.search(text):
                continue
            parsed = parser.parse(path, text)
            if not parsed.value or parsed.issue is not None or parsed.value in values:
                continue
            values.add(parsed.value)
            quote = page.quote(index, index)
            yield Option(parsed.value, text, PRINTED_AMOUNT_SCORE, quote, parsed, {}, is_unproposed=True)
