"""Amounts that the extractor did not propose, but that are printed and make a broken rule hold.

In: the choice so far and the pages. Out: the options again, with such amounts added at a low score and with evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from docpipe.decide.joint import Assignment, JointChoice, is_sum
from docpipe.decide.options import KindReader, Option
from docpipe.paths import FieldPath
from docpipe.text_search import PageIndex

# An amount that no one proposed: one in a hundred of the fields whose sums do not add up has its value elsewhere.
# With the rewards of joint.py it replaces a value of at most .9 when a sum holds with it, a surer one only when two
# rules do. At .02 totals that were right were replaced (on drawn documents and on receipts that were trained on).
PRINTED_SCORE = 0.01
AMOUNTS_MAX = 300  # distinct amounts looked at per document, the last ones first: totals stand at the end
CELLS_MAX = 500  # a sum over more cells is not asked: each answer takes milliseconds, and some cell is wrong anyway
MONEY = "money"
_AMOUNT = re.compile(r"\d[.,]\d{2}\D{0,4}$")  # with cents: counts, years and telephone numbers are no amounts

Table = dict[str, list[tuple[Option | None, float]]]


def with_printed_amounts(
    choice: JointChoice, taken: Assignment, reader: KindReader, indexes: Mapping[int, PageIndex]
) -> Table | None:
    """The options with the amounts that would repair a broken rule; None when there are none."""
    table: Table = {path: list(found) for path, found in choice.table.items()}
    added = False
    for number, unit in enumerate(choice.units):
        if unit.rule.severity == "info" or unit.is_row or choice.check(number, taken) is not False:
            continue
        for path in unit.paths:
            is_amount = not FieldPath.parse(path).is_cell and reader.kind(path).name == MONEY
            is_open = is_amount and taken_option(choice, taken, path)
            for option in _amounts(path, reader, indexes) if is_open else ():
                if _is_spoken_for(path, option, choice, taken) and not _is_known(option, table[path], reader, path):
                    table[path].append((option, option.score))
                    added = True
    return table if added else None


def _is_spoken_for(path: str, option: Option, choice: JointChoice, taken: Assignment) -> bool:
    """Whether two rules that are broken now hold with it, or one that is a sum of single fields.

    A column of a list is no such sum: rows may be missing, and discounts may lie between it and the total. Nor is one
    that counts an amount twice: what is the tax is not the tip as well.
    """
    mended: list[bool] = []
    for number, unit in enumerate(choice.units):
        if path not in unit.paths or unit.rule.severity == "info" or len(unit.paths) > CELLS_MAX:
            continue
        if choice.check(number, taken) is not False:
            continue
        values = {**choice.values(unit.paths, taken), path: option.value}
        if unit.rule.check(values):
            is_list = any(FieldPath.parse(read).is_cell for read in unit.paths)
            is_double = any(value == option.value for one, value in values.items() if one != path)
            mended.append(not is_list and not is_double and is_sum(unit.rule, values))
    return any(mended) or len(mended) > 1


def taken_option(choice: JointChoice, taken: Assignment, path: str) -> Option | None:
    return choice.table[path][taken[path]][0]


def _is_known(option: Option, row: list[tuple[Option | None, float]], reader: KindReader, path: str) -> bool:
    same = reader.kind(path).same
    return any(other is not None and same(other.value, option.value) for other, _ in row)


def _amounts(path: str, reader: KindReader, indexes: Mapping[int, PageIndex]) -> Iterator[Option]:
    """The distinct amounts on the pages, zero aside (it makes too many sums right), from the end."""
    seen: set[object] = set()
    for number in sorted(indexes, reverse=True):
        index = indexes[number]
        for place in range(len(index.words) - 1, -1, -1):
            text = index.words[place].text
            if len(seen) >= AMOUNTS_MAX:
                return
            if not _AMOUNT.search(text):
                continue
            parsed = reader.parse(path, text)
            if not parsed.value or parsed.issue is not None or parsed.value in seen:
                continue
            seen.add(parsed.value)
            yield Option(parsed.value, text, PRINTED_SCORE, index.quote(place, place), parsed, {}, elsewhere=True)
