"""Which options fit together: a bounded search over the fields that rules connect.

In: options per field with their scores, the schema's rules as they apply to the document. Out: for each field the
option of the best combination. The objective is the sum of the log scores, plus a reward for each rule that holds and a
penalty for each broken one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.decide.options import Option, ScoredOption
from docpipe.rule_scope import RuleApplication, applications_of
from docpipe.schema import Schema
from docpipe.schema_ports import Rule, only_objects

# A rule that turns from broken to held is worth 4.5 in log score: a factor of 90. So an amount that makes a sum right
# wins over one that scores up to 90 times as much, and two broken rules outweigh nearly any score.
HELD_REWARD = 1.5
BROKEN_PENALTY = -3.0
# A rule that holds because two values are equal (amount due = gross total, no deposit being known) says less than
# a sum: the same amount is printed in many places. It is worth half of what separates held from broken, a factor of 9.
EQUALITY_REWARD = (HELD_REWARD + BROKEN_PENALTY) / 2
MIN_SUM_VALUES = 3  # two parts and their total: what it takes to be a sum
# A rule that holds because an optional value was left out is worth a factor of 4.5: it settles a close call only.
OMISSION_REWARD = BROKEN_PENALTY / 2
PERTURBATION = Decimal(1000)  # more than any rule tolerates; a value that may be this much off is not part of the sum
MAX_TOTAL_VALUES = 4  # values of a rule for which other sums are looked for: totals, not columns
HINT_WEIGHT = 0.5  # of a rule of severity `info`, which a sound document may break
# A value that its kind doubts (a wrong check digit, an unsure order of day and month) counts as this many times rarer.
DOUBT_PENALTY = math.log(0.3)
MIN_SCORE = 1e-4  # the score of an option that the extractor calls impossible: rules may still speak for it
BEAM_WIDTH = 24  # combinations kept: three fields may be wrong at once before the right one is out of sight
MAX_OPEN_FIELDS = 40  # fields that one search may change, the least certain ones first
MAX_EVALUATIONS = 4_000  # rules checked for one document: about a second when a sum has two hundred rows
CELLS_PER_EVALUATION = 200  # a sum over this many cells more counts as one more evaluation
MAX_ROUNDS = 3  # a repaired row can break a total that was right by accident; it is then looked at again

Assignment = dict[str, int]  # path -> index of the chosen option
OptionTable = Mapping[str, Sequence[ScoredOption]]


@dataclass(frozen=True)
class _Hypothesis:
    """One combination in the beam."""

    score: float
    assignment: Assignment


class JointChoice:
    """The options of one document and the rules between them."""

    def __init__(self, table: OptionTable, applications: Sequence[RuleApplication]) -> None:
        """`table`: for each path its options, being absent among them, with their scores, 0-1."""
        self.table = {path: sorted(scored, key=_log_score, reverse=True) for path, scored in table.items()}
        self.applications = applications
        self._numbers_by_path: dict[str, list[int]] = defaultdict(list)
        for number, application in enumerate(applications):
            for path in application.paths:
                self._numbers_by_path[path].append(number)
        self._verdicts: dict[tuple[int, ...], bool | None] = {}
        self._sums: dict[tuple[int, ...], bool] = {}
        self.evaluations = 0
        first = dict.fromkeys(self.table, 0)
        self._decidable = {number for number in range(len(applications)) if self._binds(number, first)}

    def best(self) -> Assignment:
        """The first option everywhere, unless rules that it breaks are satisfied by another combination."""
        assignment = self._with_repaired_rows(dict.fromkeys(self.table, 0))
        for _ in range(MAX_ROUNDS):
            broken = [n for n in range(len(self.applications)) if self.check(n, assignment) is False]
            improved = self._search(assignment, self._open_paths(broken))
            if improved == assignment:
                break
            assignment = improved
        return assignment

    def option(self, path: str, assignment: Assignment) -> Option | None:
        """The chosen option of a field; None where it is absent."""
        return self.table[path][assignment[path]].option

    def applications_of(self, path: str) -> Sequence[int]:
        """The numbers of the rule applications that read a field."""
        return self._numbers_by_path.get(path, ())

    def check(self, number: int, assignment: Assignment) -> bool | None:
        """Whether a rule holds under an assignment; None when it cannot be judged."""
        application = self.applications[number]
        key = self._key(number, assignment)
        if key not in self._verdicts:
            self.evaluations += 1 + len(application.paths) // CELLS_PER_EVALUATION
            self._verdicts[key] = application.rule.check(self.values(application.paths, assignment))
        return self._verdicts[key]

    def _binds(self, number: int, first: Assignment) -> bool:
        """Whether a rule that can be judged with the first options must not be escaped by leaving one of them out."""
        holds = self.check(number, first)
        return holds is False if only_objects(self.applications[number].rule) else holds is not None

    def values(self, paths: Iterable[str], assignment: Assignment) -> dict[str, object]:
        """The values of the chosen options, without the absent ones."""
        chosen = {path: self.option(path, assignment) for path in paths}
        return {
            path: option.value for path, option in chosen.items() if option is not None and option.value is not None
        }

    def _holds_as_sum(self, number: int, assignment: Assignment) -> bool:
        """Whether a rule that holds says more than that two values are equal; worked out once for each combination."""
        key = self._key(number, assignment)
        if key not in self._sums:
            application = self.applications[number]
            self._sums[key] = is_sum(application.rule, self.values(application.paths, assignment))
        return self._sums[key]

    def _key(self, number: int, assignment: Assignment) -> tuple[int, ...]:
        return (number, *(assignment[path] for path in self.applications[number].paths))

    # -- the search -------------------------------------------------------------------------------------------------

    def _with_repaired_rows(self, assignment: Assignment) -> Assignment:
        """Rows that another option of one cell makes hold: settled first, so that a long table is no long search."""
        for number, application in enumerate(self.applications):
            if not application.is_row or self.check(number, assignment) is not False:
                continue
            others = [{**assignment, path: o} for path in application.paths for o in range(1, len(self.table[path]))]
            repairs = [(self._gain(number, assignment, other), other) for other in others if self.check(number, other)]
            gain, repaired = max(repairs, key=lambda pair: pair[0], default=(0.0, assignment))
            assignment = repaired if gain > 0.0 else assignment
        return assignment

    def _gain(self, number: int, assignment: Assignment, other: Assignment) -> float:
        """Of a change among the fields of one rule application, as far as this one is concerned."""
        scores = sum(
            _log_score(self.table[path][other[path]]) - _log_score(self.table[path][assignment[path]])
            for path in self.applications[number].paths
        )
        return scores + self._reward(number, other) - self._reward(number, assignment)

    def _open_paths(self, broken: Iterable[int]) -> list[str]:
        """The fields that broken rules read and that have another option, the least certain first."""
        paths = {path for number in broken for path in self.applications[number].paths if len(self.table[path]) > 1}
        return sorted(paths, key=lambda path: (self._certainty(path), path))[:MAX_OPEN_FIELDS]

    def _certainty(self, path: str) -> float:
        first, second = self.table[path][:2]
        return _log_score(first) - _log_score(second)

    def _search(self, start: Assignment, paths: Sequence[str]) -> Assignment:
        """Beam search: one field after the other takes each of its options; the best combinations go on."""
        beam = [_Hypothesis(0.0, start)]
        for path in paths:
            children = list(beam)
            for hypothesis in beam:
                if self.evaluations > MAX_EVALUATIONS:
                    break
                children += [self._changed(hypothesis, path, other) for other in range(len(self.table[path]))]
            unique = {tuple(child.assignment[p] for p in paths): child for child in children}
            beam = sorted(unique.values(), key=lambda hypothesis: -hypothesis.score)[:BEAM_WIDTH]
        return beam[0].assignment

    def _changed(self, hypothesis: _Hypothesis, path: str, option: int) -> _Hypothesis:
        before = hypothesis.assignment
        after = {**before, path: option}
        score = hypothesis.score + _log_score(self.table[path][option]) - _log_score(self.table[path][before[path]])
        for number in self._numbers_by_path[path]:
            score += self._reward(number, after) - self._reward(number, before)
        return _Hypothesis(score, after)

    def _reward(self, number: int, assignment: Assignment) -> float:
        """What a rule adds to the score. One that could be judged with the first options is not satisfied by leaving
        one of them out."""
        holds = self.check(number, assignment)
        weight = HINT_WEIGHT if self.applications[number].rule.severity == "info" else 1.0
        if holds is None:
            return weight * BROKEN_PENALTY if number in self._decidable else 0.0
        if not holds:
            return weight * BROKEN_PENALTY
        if only_objects(self.applications[number].rule):
            return 0.0
        if number in self._decidable and self._leaves_out(number, assignment):
            return weight * OMISSION_REWARD
        if self._holds_as_sum(number, assignment):
            return weight * HELD_REWARD
        return weight * (BROKEN_PENALTY if self._is_sum_with_first_options(number, assignment) else EQUALITY_REWARD)

    def _is_sum_with_first_options(self, number: int, assignment: Assignment) -> bool:
        """Whether the rule is a sum of the other fields' first options once a field that is absent here has a value.

        Then that two values are equal is no news: due = gross by taking no deposit, though gross - deposit = due.
        """
        paths = self.applications[number].paths
        if len(paths) > MAX_TOTAL_VALUES:
            return False
        first = {**assignment, **dict.fromkeys(paths, 0)}
        return any(
            self.check(number, filled) is True and self._holds_as_sum(number, filled)
            for path in paths
            if self.option(path, assignment) is None
            for index, scored in enumerate(self.table[path])
            if scored.option is not None and (filled := {**first, path: index})
        )

    def _leaves_out(self, number: int, assignment: Assignment) -> bool:
        """Whether a value that is the first option of its field is absent here."""
        return any(
            self.option(path, assignment) is None and self.table[path][0].option is not None
            for path in self.applications[number].paths
        )


def joint_choice(table: OptionTable, schema: Schema) -> JointChoice:
    """With the schema's rules. A field that nothing is proposed for says nothing to a rule, and one may read many."""
    proposed = [path for path, scored in table.items() if any(option is not None for option, _ in scored)]
    applications = [applied for rule in schema.rules for applied in applications_of(rule, proposed) if applied.paths]
    return JointChoice(table, applications)


def is_sum(rule: Rule, values: Mapping[str, object]) -> bool:
    """Whether a rule that holds binds at least three amounts: moving any of them far off breaks it. Zero binds nothing.

    A rule about other things than amounts counts as one that does.
    """
    amounts = {path: value for path, value in values.items() if isinstance(value, Decimal)}
    bound = 0
    for path, value in amounts.items():
        bound += bool(value) and rule.check({**values, path: value + PERTURBATION}) is not True
        if bound == MIN_SUM_VALUES:
            return True
    return not amounts


def _log_score(scored: ScoredOption) -> float:
    is_doubted = scored.option is not None and scored.option.parsed.issue is not None
    return math.log(max(MIN_SCORE, scored.score)) + (DOUBT_PENALTY if is_doubted else 0.0)
