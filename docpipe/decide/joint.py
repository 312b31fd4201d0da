"""Which options fit together: a bounded search over the fields that rules connect.

In: options per field with their scores, the schema's rules. Out: for each field the option of the best combination.
The objective is the sum of the log scores, plus a reward for each rule that holds and a penalty for each broken one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.decide.options import Option
from docpipe.paths import FieldPath
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Rule

# A rule that turns from broken to held is worth 4.5 in log score: a factor of 90. So an amount that makes a sum right
# wins over one that scores up to 90 times as much, and two broken rules outweigh nearly any score.
HELD = 1.5
BROKEN = -3.0
# A rule that holds because two values are the same (amount due = gross total, no deposit being known) says less than
# a sum: the same amount is printed in many places. It is worth half of what separates held from broken, a factor of 9.
ALIKE = (HELD + BROKEN) / 2
SUM_VALUES = 3  # two parts and their total: what it takes to be a sum
# A rule that holds because an optional value was left out is worth a factor of 4.5: it settles a close call only.
LEFT_OUT = BROKEN / 2
PUSH = Decimal(1000)  # more than any rule tolerates; a value that may be this much off is not part of the sum
SMALL = 4  # values of a rule for which other sums are looked for: totals, not columns
HINT = 0.5  # share of that for a rule of severity `info`, which a sound document may break
# A value that its kind doubts (a wrong check digit, an unsure order of day and month) counts as this many times rarer.
DOUBTED = math.log(0.3)
SCORE_MIN = 1e-4  # the score of an option that the extractor calls impossible: rules may still speak for it
BEAM = 24  # combinations kept: three fields may be wrong at once before the right one is out of sight
FIELDS_MAX = 40  # fields that one search may change, the least certain ones first
EVALUATIONS_MAX = 4_000  # rules checked for one document: about a second when a sum has two hundred rows
CELLS_CHEAP = 200  # a sum over this many cells more counts as one more check
WAVES_MAX = 3  # a repaired row can break a total that was right by accident; it is then looked at again

ABSENT = None
Assignment = dict[str, int]  # path -> index of the option taken


@dataclass(frozen=True)
class Unit:
    """A rule applied once: to the document, or to one row of a list when the rule reads nothing else."""

    rule: Rule
    paths: tuple[str, ...]
    is_row: bool


@dataclass(frozen=True)
class _State:
    score: float
    taken: Assignment


class JointChoice:
    """The options of one document and the rules between them."""

    def __init__(self, table: Mapping[str, Sequence[tuple[Option | None, float]]], units: Sequence[Unit]) -> None:
        """`table`: for each path its options (None: absent) with their scores, 0-1."""
        self.table = {path: sorted(found, key=_log_score, reverse=True) for path, found in table.items()}
        self.units = units
        self._units_of: dict[str, list[int]] = defaultdict(list)
        for number, unit in enumerate(units):
            for path in unit.paths:
                self._units_of[path].append(number)
        self._checked: dict[tuple[int, ...], bool | None] = {}
        self._sums: dict[tuple[int, ...], bool] = {}
        self.evaluations = 0
        first = dict.fromkeys(self.table, 0)
        self._judged = {number for number in range(len(units)) if self.check(number, first) is not None}

    def best(self) -> Assignment:
        """The first option everywhere, unless rules that it breaks are satisfied by another combination."""
        taken = self._mended_rows(dict.fromkeys(self.table, 0))
        for _ in range(WAVES_MAX):
            broken = [n for n in range(len(self.units)) if self.check(n, taken) is False]
            improved = self._search(taken, self._open_paths(broken))
            if improved == taken:
                break
            taken = improved
        return taken

    def _mended_rows(self, taken: Assignment) -> Assignment:
        """Rows that one other reading of one cell makes hold: settled first, so that a long table is no long search."""
        for number, unit in enumerate(self.units):
            if not unit.is_row or self.check(number, taken) is not False:
                continue
            others = [{**taken, path: other} for path in unit.paths for other in range(1, len(self.table[path]))]
            holding = [(self._gain(number, taken, other), other) for other in others if self.check(number, other)]
            gain, mended = max(holding, key=lambda pair: pair[0], default=(0.0, taken))
            taken = mended if gain > 0.0 else taken
        return taken

    def _gain(self, number: int, taken: Assignment, other: Assignment) -> float:
        """Of a change within one unit, as far as this unit is concerned."""
        scores = sum(
            _log_score(self.table[path][other[path]]) - _log_score(self.table[path][taken[path]])
            for path in self.units[number].paths
        )
        return scores + self._worth(number, other) - self._worth(number, taken)

    def check(self, number: int, taken: Assignment) -> bool | None:
        """Whether a unit holds under an assignment; None when it cannot be judged."""
        unit = self.units[number]
        key = self._key(number, taken)
        if key not in self._checked:
            self.evaluations += 1 + len(unit.paths) // CELLS_CHEAP
            self._checked[key] = unit.rule.check(self.values(unit.paths, taken))
        return self._checked[key]

    def holds_as_sum(self, number: int, taken: Assignment) -> bool:
        """Whether a unit that holds is more than two values being alike; asked once for each combination."""
        key = self._key(number, taken)
        if key not in self._sums:
            self._sums[key] = is_sum(self.units[number].rule, self.values(self.units[number].paths, taken))
        return self._sums[key]

    def _key(self, number: int, taken: Assignment) -> tuple[int, ...]:
        return (number, *(taken[path] for path in self.units[number].paths))

    def values(self, paths: Iterable[str], taken: Assignment) -> dict[str, object]:
        """The values of the chosen options, without the absent ones."""
        found = {path: self.table[path][taken[path]][0] for path in paths}
        return {path: option.value for path, option in found.items() if option is not None and option.value is not None}

    def _open_paths(self, broken: Iterable[int]) -> list[str]:
        """The fields that broken rules read and that have another option, the least certain first."""
        paths = {path for number in broken for path in self.units[number].paths if len(self.table[path]) > 1}
        return sorted(paths, key=lambda path: (self._certainty(path), path))[:FIELDS_MAX]

    def _certainty(self, path: str) -> float:
        first, second = self.table[path][:2]
        return _log_score(first) - _log_score(second)

    def _search(self, start: Assignment, paths: Sequence[str]) -> Assignment:
        """Beam search: one field after the other takes each of its options; the best combinations go on."""
        beam = [_State(0.0, start)]
        for path in paths:
            children = list(beam)
            for state in beam:
                if self.evaluations > EVALUATIONS_MAX:
                    break
                children += [self._changed(state, path, other) for other in range(len(self.table[path]))]
            unique = {tuple(state.taken[p] for p in paths): state for state in children}
            beam = sorted(unique.values(), key=lambda state: -state.score)[:BEAM]
        return beam[0].taken

    def _changed(self, state: _State, path: str, option: int) -> _State:
        taken = {**state.taken, path: option}
        score = state.score + _log_score(self.table[path][option]) - _log_score(self.table[path][state.taken[path]])
        for number in self._units_of[path]:
            score += self._worth(number, taken) - self._worth(number, state.taken)
        return _State(score, taken)

    def _worth(self, number: int, taken: Assignment) -> float:
        """A rule that the first options allowed to judge is not satisfied by leaving one of them out."""
        held = self.check(number, taken)
        weight = HINT if self.units[number].rule.severity == "info" else 1.0
        if held is None:
            return weight * BROKEN if number in self._judged else 0.0
        if not held:
            return weight * BROKEN
        if number in self._judged and self._leaves_out(number, taken):
            return weight * LEFT_OUT
        if self.holds_as_sum(number, taken):
            return weight * HELD
        return weight * (BROKEN if self._is_sum_of_firsts(number, taken) else ALIKE)

    def _is_sum_of_firsts(self, number: int, taken: Assignment) -> bool:
        """Whether the unit is a sum of the other fields' first options once a field that is absent here has a value.

        Then that two values are alike is no news: due = gross by taking no deposit, though gross - deposit = due.
        """
        paths = self.units[number].paths
        if len(paths) > SMALL:
            return False
        firsts = {**taken, **dict.fromkeys(paths, 0)}
        return any(
            self.check(number, filled) is True and self.holds_as_sum(number, filled)
            for path in paths
            if self.table[path][taken[path]][0] is None
            for place, (option, _score) in enumerate(self.table[path])
            if option is not None and (filled := {**firsts, path: place})
        )

    def _leaves_out(self, number: int, taken: Assignment) -> bool:
        """Whether a value that is the first option of its field is absent here."""
        return any(
            self.table[path][taken[path]][0] is None and self.table[path][0][0] is not None
            for path in self.units[number].paths
        )


def is_sum(rule: Rule, values: Mapping[str, object]) -> bool:
    """Whether a rule that holds binds at least three amounts: pushing any of them breaks it. Zero binds nothing.

    A rule about other things than amounts counts as one that does.
    """
    amounts = {path: value for path, value in values.items() if isinstance(value, Decimal)}
    bound = 0
    for path, value in amounts.items():
        bound += bool(value) and rule.check({**values, path: value + PUSH}) is not True
        if bound == SUM_VALUES:
            return True
    return not amounts


def units(rules: Sequence[Rule], fields: Sequence[FieldSpec], paths: Sequence[str]) -> list[Unit]:
    """The rules as they apply to these concrete paths."""
    list_of = {spec.path: spec.list_path for spec in fields}
    found: list[Unit] = []
    for rule in rules:
        read = [path for path in paths if FieldPath.parse(path).template in rule.paths]
        lists = {list_of[path] for path in rule.paths}
        if len(lists) == 1 and None not in lists:
            rows: dict[str, list[str]] = defaultdict(list)
            for path in read:
                rows[FieldPath.parse(path).row].append(path)
            found += [Unit(rule, tuple(cells), is_row=True) for cells in rows.values()]
        elif read:
            found.append(Unit(rule, tuple(read), is_row=False))
    return found


def _log_score(option: tuple[Option | None, float]) -> float:
    what, score = option
    doubt = DOUBTED if what is not None and what.parsed.issue is not None else 0.0
    return math.log(max(SCORE_MIN, score)) + doubt
