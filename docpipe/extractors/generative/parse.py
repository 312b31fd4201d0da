"""From what a model wrote to candidates: values with their probability, rows that are whole, and what went wrong.

In: `Written` texts. Out: candidates, probabilities of absence, issues. A text that broke off keeps its complete rows;
the value in which it broke off does not count, and is said.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.data import Answer, Candidate, Issue
from docpipe.errors import AnswerError
from docpipe.extractors.generative.backend import Finish, Reply, Written
from docpipe.paths import FieldPath
from docpipe.schema import Schema

UNTOLD = 0.8  # the score of a value of which the model does not tell how probable it is
UNTOLD_ABSENT = 0.9  # the same of null
UNKNOWN = 0.0  # probability of absence where the model never came to say
SEPARATORS = " \t\r\n,:"
FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")
SAID: Mapping[Finish, str] = {
    "length": "no tokens were left", "loop": "it repeated itself", "refused": "it refused", "timeout": "time ran out",
}  # fmt: skip
_DECODER = json.JSONDecoder(strict=False)


@dataclass
class Findings:
    """Of one document, over all that was written about it."""

    schema: Schema
    candidates: list[Candidate] = field(default_factory=list)
    absent: dict[str, float] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    finish: Finish = "complete"
    answered: set[str] = field(default_factory=set)
    _rows: dict[str, int] = field(default_factory=dict)

    def answer(self) -> Answer:
        return Answer(tuple(self.candidates), self.absent, self.finish, issues=tuple(self.issues))

    def add_reply(self, reply: Reply) -> None:
        """Raises AnswerError, see `add`."""
        for written in reply.written:
            self.add(written)

    def add(self, written: Written) -> None:
        """Raises AnswerError when it is no JSON although the model came to its end."""
        text, tokens = _unfenced(written)
        start = text.find("{")
        members = {} if start < 0 else {one.key: one for one in _members(text, start)}
        if not members and written.finish == "complete" and not _is_empty_object(text):
            raise AnswerError(
                f"the model's answer is no JSON object: {text[:80]!r}",
                hint="Use a model or a server that can be held to a JSON Schema; docs/hosted.md names them.",
            )
        if written.finish != "complete":
            self.finish = written.finish
        probabilities = _Probabilities(tokens)
        for slot in written.slots:
            self._slot(slot, members.get(slot) or _nested(members, slot), written, probabilities)

    def unanswered(self, slots: Sequence[str]) -> None:
        """Says which slots nobody filled: neither a value nor null."""
        missing = [slot for slot in slots if slot not in self.answered]
        for slot in missing:
            self.absent.setdefault(slot, UNKNOWN)
        if missing:
            self.issues.append(Issue("not_answered", f"the model said nothing of {', '.join(missing)}"))

    def _slot(self, slot: str, member: _Member | None, written: Written, probabilities: _Probabilities) -> None:
        is_list = slot in self.schema.lists()
        if member is None:
            if written.finish != "complete":
                self._broke_off(slot, written.finish)
            return
        if is_list:
            self._list(slot, member, written, probabilities)
        elif member.end is None:
            self._broke_off(slot, written.finish)
        else:
            self.answered.add(slot)
            self._value(slot, member, probabilities, written.absent.get(slot))

    def _broke_off(self, slot: str, finish: Finish) -> None:
        self.answered.add(slot)
        self.absent[slot] = UNKNOWN
        why = SAID.get(finish, "the JSON broke off")
        self.issues.append(Issue("answer_cut_off", f"the answer for {slot} broke off: {why}", field=slot))

    def _value(self, path: str, member: _Member, probabilities: _Probabilities, absent: float | None = None) -> None:
        text = _printed(member.text)
        probability, weakest = probabilities.of(member.start, member.start + len(member.text))
        if not text:
            if not FieldPath.parse(path).is_cell:
                is_null = not member.text.startswith(("{", "["))  # an object or a list says something else
                given = (absent if absent is not None else probability) if is_null else UNKNOWN
                # a later part of the document does not take back what an earlier one found
                self.absent[path] = min(self.absent.get(path, 1.0), UNTOLD_ABSENT if given is None else given)
            return
        # that the value is improbable, as any long one is, does not say that there is none
        absent = probabilities.otherwise(member.start) if absent is None else absent
        if absent is not None:
            self.absent[path] = min(self.absent.get(path, 1.0), absent)
        signals = {} if weakest is None else {"inside": weakest}
        self.candidates.append(Candidate(path, text, UNTOLD if probability is None else probability, (), signals))

    def _list(self, slot: str, member: _Member, written: Written, probabilities: _Probabilities) -> None:
        self.answered.add(slot)
        known = {spec.path for spec in self.schema.lists()[slot]}
        first = self._rows.get(slot, 0)
        number = first
        for row in _items(member.source, member.start):
            if row.end is None:
                break
            for cell in _members(member.source, row.start):
                for leaf in _leaves(cell):
                    path = FieldPath(slot, number, leaf.key)
                    if path.template in known:
                        self._value(str(path), leaf, probabilities)
            number += 1
        self._rows[slot] = number
        if member.end is None:
            why = SAID.get(written.finish, "the JSON broke off")
            message = f"{slot} is partial: {why} after {number - first} complete rows"
            self.issues.append(Issue("partial", message, field=slot))


def string_of(written: Written, key: str) -> str | None:
    """The string under a key, where it is whole."""
    text, _ = _unfenced(written)
    start = text.find("{")
    found = (one for one in (_members(text, start) if start >= 0 else ()) if one.key == key and one.end is not None)
    return next((_printed(one.text) for one in found), None)


@dataclass(frozen=True, slots=True)
class _Member:
    """A key and where its value stands in the source. `end` is None where the text broke off in it."""

    key: str
    source: str
    start: int
    end: int | None

    @property
    def text(self) -> str:
        return self.source[self.start : self.end]


class _Probabilities:
    """Of the tokens, by the place of their characters."""

    def __init__(self, tokens: Sequence[tuple[int, int, float]]) -> None:
        self._tokens = tokens

    def of(self, start: int, end: int) -> tuple[float | None, float | None]:
        """The product over the tokens that lie in this stretch, and the smallest; None where nothing is known."""
        found = [log for first, last, log in self._tokens if first < end and start < last]
        if not found:
            return None, None
        return math.exp(math.fsum(found)), math.exp(min(found))

    def otherwise(self, start: int) -> float | None:
        """How probable it was that something else is begun here: null is a part of it. None where nothing is known."""
        log = next((log for first, last, log in self._tokens if first <= start < last), None)
        return None if log is None else max(0.0, 1.0 - math.exp(log))


def _unfenced(written: Written) -> tuple[str, list[tuple[int, int, float]]]:
    """The text without a Markdown fence around it, and its tokens as (start, end, log-probability) in it."""
    head = FENCE.match(written.text)
    offset = head.end() if head and "```" in head.group() else 0
    text = FENCE.sub("", written.text) if offset else written.text
    tokens, place = [], -offset
    for token in written.tokens:
        tokens.append((place, place + len(token.text), token.log_probability))
        place += len(token.text)
    return text, tokens


def _is_empty_object(text: str) -> bool:
    return re.fullmatch(r"\s*\{\s*\}\s*", text) is not None


def _members(text: str, start: int) -> Iterator[_Member]:
    """The members of the object that begins at `start`, as far as it goes."""
    place = start + 1
    while (place := _skipped(text, place)) < len(text) and text[place] == '"':
        key, after = _decoded(text, place)
        if after is None:
            return
        place = _skipped(text, after)
        if place >= len(text):
            return
        _, end = _decoded(text, place)
        yield _Member(str(key), text, place, end)
        if end is None:
            return
        place = end


def _items(text: str, start: int) -> Iterator[_Member]:
    """The objects of the list that begins at `start`, as far as it goes."""
    if not text.startswith("[", start):
        return
    place = start + 1
    while (place := _skipped(text, place)) < len(text) and text[place] == "{":
        _, end = _decoded(text, place)
        yield _Member("", text, place, end)
        if end is None:
            return
        place = end


def _leaves(member: _Member) -> Iterator[_Member]:
    """The member, or what is in it under dotted keys where a model nested what the schema has flat."""
    if member.end is None or not member.text.startswith("{"):
        yield member
        return
    for inner in _members(member.source, member.start):
        yield from _leaves(_Member(f"{member.key}.{inner.key}", inner.source, inner.start, inner.end))


def _nested(members: Mapping[str, _Member], slot: str) -> _Member | None:
    head = members.get(slot.partition(".")[0])
    if head is None or "." not in slot:
        return None
    return next((leaf for leaf in _leaves(head) if leaf.key == slot), None)


def _decoded(text: str, place: int) -> tuple[object, int | None]:
    try:
        return _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        return None, None


def _skipped(text: str, place: int) -> int:
    while place < len(text) and text[place] in SEPARATORS:
        place += 1
    return place


def _printed(text: str) -> str:
    """The string that a JSON value stands for; a number as it is written; empty for null."""
    value = json.loads(text, strict=False)
    if value is None or isinstance(value, list | dict):
        return ""
    return value.strip() if isinstance(value, str) else text
