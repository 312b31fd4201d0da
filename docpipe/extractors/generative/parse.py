"""From what a model wrote to candidates: values with their probability, rows that are whole, and what went wrong.

In: `Completion`s. Out: candidates, probabilities of absence, issues. A text that broke off keeps its complete rows; the
value in which it broke off does not count, and an issue says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.data import Answer, Candidate, Issue
from docpipe.errors import AnswerError
from docpipe.extractors.generative.backend import BackendReply, Completion, FinishReason
from docpipe.extractors.generative.partial_json import (
    JsonMember,
    first_object,
    flattened,
    is_empty_object,
    list_objects,
    list_values,
    object_members,
)
from docpipe.paths import FieldPath
from docpipe.schema import Schema

DEFAULT_SCORE = 0.8  # the score of a value where the model does not report how probable it is
DEFAULT_ABSENCE = 0.9  # the same of null
UNKNOWN_ABSENCE = 0.0  # probability of absence where the model never came to the field
FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")  # of Markdown
FINISH_MESSAGES: Mapping[FinishReason, str] = {
    "length": "no tokens were left", "loop": "it repeated itself", "refused": "it refused", "timeout": "time ran out",
}  # fmt: skip


@dataclass
class CompletionParser:
    """Collects what was written about one document, over all its completions."""

    schema: Schema
    candidates: list[Candidate] = field(default_factory=list)
    absent: dict[str, float] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    finish: FinishReason = "complete"
    answered: set[str] = field(default_factory=set)
    _row_counts: dict[str, int] = field(default_factory=dict)

    def answer(self) -> Answer:
        return Answer(tuple(self.candidates), self.absent, self.finish, issues=tuple(self.issues))

    def add_reply(self, reply: BackendReply) -> None:
        """Raises AnswerError, see `add`."""
        for completion in reply.completions:
            self.add(completion)

    def add(self, completion: Completion) -> None:
        """Raises AnswerError when it is no JSON although the model came to its end."""
        unfenced = _without_fence(completion)
        members = {member.key: member for member in first_object(unfenced.text)}
        if not members and completion.finish == "complete" and not is_empty_object(unfenced.text):
            raise AnswerError(
                f"the model's answer is no JSON object: {unfenced.text[:80]!r}",
                hint="Use a model or a server that can be held to a JSON Schema; docs/hosted.md names them.",
            )
        if completion.finish != "complete":
            self.finish = completion.finish
        for slot_name in completion.slot_names:
            member = members.get(slot_name) or _nested_member(members, slot_name)
            if member is not None:
                self._add_member(slot_name, member, completion, unfenced)
            elif completion.finish != "complete":
                self._add_cut_off(slot_name, completion.finish)

    def add_unanswered(self, slot_names: Sequence[str]) -> None:
        """An issue for the slots that nobody filled: neither with a value nor with null."""
        missing = [name for name in slot_names if name not in self.answered]
        for name in missing:
            self.absent.setdefault(name, UNKNOWN_ABSENCE)
        if missing:
            self.issues.append(Issue("not_answered", f"the model said nothing of {', '.join(missing)}"))

    def _add_member(self, slot_name: str, member: JsonMember, completion: Completion, unfenced: _Unfenced) -> None:
        if slot_name in self.schema.lists():
            self._add_list(slot_name, member, completion.finish, unfenced)
        elif member.end is None:
            self._add_cut_off(slot_name, completion.finish)
        else:
            self.answered.add(slot_name)
            self._add_value(slot_name, member, unfenced, completion.null_probabilities.get(slot_name))

    def _add_cut_off(self, slot_name: str, finish: FinishReason) -> None:
        self.answered.add(slot_name)
        self.absent[slot_name] = UNKNOWN_ABSENCE
        reason = FINISH_MESSAGES.get(finish, "the JSON broke off")
        self.issues.append(Issue("answer_cut_off", f"the answer for {slot_name} broke off: {reason}", field=slot_name))

    def _add_value(self, path: str, member: JsonMember, unfenced: _Unfenced, null: float | None = None) -> None:
        """`null`: how probable null was as its value, where the backend reports it."""
        text = member.printed_text
        probability = unfenced.probability(member.start, member.start + len(member.text))
        if not text:
            if not FieldPath.parse(path).is_cell:
                is_null = not member.text.startswith(("{", "["))  # an object or a list says something else
                product = probability.product if probability is not None else None
                absence = (null if null is not None else product) if is_null else UNKNOWN_ABSENCE
                self._lower_absence(path, DEFAULT_ABSENCE if absence is None else absence)
            return
        # that the value is improbable, as any long one is, does not say that there is none
        null = unfenced.alternative_probability(member.start) if null is None else null
        if null is not None:
            self._lower_absence(path, null)
        if probability is None:
            self.candidates.append(Candidate(path, text, DEFAULT_SCORE))
        else:
            self.candidates.append(Candidate(path, text, probability.product, (), {"inside": probability.weakest}))

    def _lower_absence(self, path: str, absence: float) -> None:
        """A later part of the document does not take back what an earlier one found."""
        self.absent[path] = min(self.absent.get(path, 1.0), absence)

    def _add_list(self, slot_name: str, member: JsonMember, finish: FinishReason, unfenced: _Unfenced) -> None:
        self.answered.add(slot_name)
        first = self._row_counts.get(slot_name, 0)
        number = first
        of_plain_values = str(FieldPath(slot_name, None, "")) in self._paths_of(slot_name)
        rows = list_values if of_plain_values else list_objects
        for row in rows(member.source, member.start):
            if row.end is None:
                break
            if of_plain_values:
                self._add_value(str(FieldPath(slot_name, number, "")), row, unfenced)
            else:
                self._add_row(slot_name, number, row, unfenced)
            number += 1
        self._row_counts[slot_name] = number
        if member.end is None:
            reason = FINISH_MESSAGES.get(finish, "the JSON broke off")
            message = f"{slot_name} is partial: {reason} after {number - first} complete rows"
            self.issues.append(Issue("partial", message, field=slot_name))

    def _add_row(self, slot_name: str, number: int, row: JsonMember, unfenced: _Unfenced) -> None:
        known_paths = self._paths_of(slot_name)
        for cell in object_members(row.source, row.start):
            for leaf in flattened(cell):
                path = FieldPath(slot_name, number, leaf.key)
                if path.template in known_paths:
                    self._add_value(str(path), leaf, unfenced)

    def _paths_of(self, slot_name: str) -> set[str]:
        """Templates of a list's cells, or of its values."""
        return {spec.path for spec in self.schema.lists()[slot_name]}


def string_value(completion: Completion, key: str) -> str | None:
    """The string under a key, where it is whole."""
    members = first_object(_without_fence(completion).text)
    return next((member.printed_text for member in members if member.key == key and member.end is not None), None)


@dataclass(frozen=True, slots=True)
class _TokenSpan:
    """The characters of the text that a token takes: from `start` up to `end`."""

    start: int
    end: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class _ValueProbability:
    """Of the tokens of a value: the product of their probabilities, and the smallest."""

    product: float
    weakest: float


@dataclass(frozen=True, slots=True)
class _Unfenced:
    """A completion's text without a Markdown fence around it, and its tokens by their places in this text."""

    text: str
    tokens: Sequence[_TokenSpan]

    def probability(self, start: int, end: int) -> _ValueProbability | None:
        """Of the tokens that lie in this stretch of the text; None where nothing is known."""
        logs = [token.log_probability for token in self.tokens if token.start < end and start < token.end]
        return _ValueProbability(math.exp(math.fsum(logs)), math.exp(min(logs))) if logs else None

    def alternative_probability(self, start: int) -> float | None:
        """How probable it was that something else is begun here: null is a part of it. None where nothing is known."""
        log = next((token.log_probability for token in self.tokens if token.start <= start < token.end), None)
        return None if log is None else max(0.0, 1.0 - math.exp(log))


def _without_fence(completion: Completion) -> _Unfenced:
    head = FENCE.match(completion.text)
    offset = head.end() if head and "```" in head.group() else 0
    text = FENCE.sub("", completion.text) if offset else completion.text
    tokens, position = [], -offset
    for token in completion.tokens:
        tokens.append(_TokenSpan(position, position + len(token.text), token.log_probability))
        position += len(token.text)
    return _Unfenced(text, tokens)


def _nested_member(members: Mapping[str, JsonMember], slot_name: str) -> JsonMember | None:
    """The member of a dotted name that the model nested instead."""
    head = members.get(slot_name.partition(".")[0])
    if head is None or "." not in slot_name:
        return None
    return next((leaf for leaf in flattened(head) if leaf.key == slot_name), None)
