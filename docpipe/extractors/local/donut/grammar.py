"""What a Donut may write: tags in pairs, each once in its row, and in them texts that fit the schema.

In: the tags of its tokenizer, the slots of a question. Out: a `Pen`, and the tree of what was written. A model writes
all the tags that it was trained with, those too that nobody asked for: what it says later rests on what it said before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from docpipe.extractors.generative.backend import Finish, Slot
from docpipe.extractors.generative.repetition import is_looping

DEPTH = 4  # tags inside each other; the deepest of the public models has three: menu, sub, name


@dataclass(frozen=True, slots=True)
class Tags:
    """Tokens by the names of their tags. `words` are the tokens that text is made of, bool [vocabulary]; `categories`
    are those that stand for a whole text: `<paid/>`."""

    opening: Mapping[str, int]
    closing: Mapping[str, int]
    separator: int | None
    end: int
    words: Tensor
    categories: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Target:
    """What a tag stands for: a single field, a list (`cell` is empty), or a cell of its rows."""

    slot: Slot
    cell: str
    value: Mapping[str, Any]

    @property
    def is_list(self) -> bool:
        return not self.cell and self.value.get("type") == "array"


class Plan:
    """Which of the slots a model with these tags knows, and what its tags stand for. A tag is the name of a field, or
    the last part of it: `<s_name>` is `seller.name`, unless there is also a `buyer.name` and no tag around it."""

    def __init__(self, slots: Sequence[Slot], tags: Tags) -> None:
        self._slots = {slot.name: slot for slot in slots}
        self._lists = {slot.name: cells(slot) for slot in slots if slot.value.get("type") == "array"}
        self._singles = [name for name in self._slots if name not in self._lists]
        self.known = tuple(slot for slot in slots if self._is_known(slot, tags.opening))

    def target(self, path: Sequence[str]) -> Target | None:
        """`path`: the tags that are open, the outermost first."""
        for depth in range(1, len(path) + 1):
            name = _meant(path[:depth], list(self._lists))
            if name is not None:
                return self._in_list(self._slots[name], path[depth:])
        name = _meant(path, self._singles)
        return Target(self._slots[name], "", self._slots[name].value) if name is not None else None

    def _in_list(self, slot: Slot, path: Sequence[str]) -> Target | None:
        if slot not in self.known:
            return None
        if not path:
            return Target(slot, "", slot.value)
        found = self._lists[slot.name]
        cell = _meant(path, list(found))
        return Target(slot, cell, found[cell]) if cell is not None else None

    def _is_known(self, slot: Slot, names: Mapping[str, int]) -> bool:
        if slot.name in self._lists:
            found = list(self._lists[slot.name])
            return _has_tag(slot.name, list(self._lists), names) and any(_has_tag(cell, found, names) for cell in found)
        return _has_tag(slot.name, self._singles, names)


def cells(slot: Slot) -> Mapping[str, Mapping[str, Any]]:
    """The cells of a list's rows, with what may stand in them."""
    return slot.value["items"]["properties"]  # type: ignore[no-any-return]


def _meant(path: Sequence[str], names: Sequence[str]) -> str | None:
    if path[-1] in names:
        return path[-1]
    alike = [name for name in names if name.rpartition(".")[2] == path[-1]]
    inside = [name for name in alike if f".{'.'.join(path)}".endswith(f".{name}")]
    if inside:
        return inside[0]
    return alike[0] if len(alike) == 1 and len(path) == 1 else None


def _has_tag(name: str, names: Sequence[str], tags: Mapping[str, int]) -> bool:
    parent, _, last = name.rpartition(".")
    if name in tags:
        return True
    alike = [other for other in names if other.rpartition(".")[2] == last]
    return last in tags and (len(alike) == 1 or parent.rpartition(".")[2] in tags)


@dataclass(slots=True)
class Scope:
    """An open tag, or one that was closed. It has words, or rows of further tags: one row unless it is a list."""

    path: tuple[str, ...]
    target: Target | None
    matcher: Any = None
    words: list[tuple[int, float]] = field(default_factory=list)
    rows: list[dict[str, Scope]] = field(default_factory=lambda: [{}])
    closed: bool = False
    last: float = 0.0  # log-probability of its end
    empty: float = 0.0  # probability that it was closed at once

    @property
    def is_new(self) -> bool:
        return not self.words and not self.rows[0]

    @property
    def is_foreign_list(self) -> bool:
        return self.target is None and len(self.rows) > 1

    def inside(self) -> Iterator[Scope]:
        """All scopes in it, the outer ones first; not those in the rows of a list that nobody asked for."""
        level = [self]
        while level:
            level = [inner for one in level if not one.is_foreign_list for row in one.rows for inner in row.values()]
            yield from level


class TagPen:
    """`leaf` makes a matcher for the words of a value. A slot whose tokens are used up is `cut`: its tags are closed,
    and the others go on."""

    def __init__(self, tags: Tags, plan: Plan, leaf: Callable[[Mapping[str, Any]], Any]) -> None:
        self.tokens: list[int] = []
        self.finish: Finish | None = None
        self.root = Scope((), None)
        self.cut: set[str] = set()
        self.unwritten = {slot.name: 1.0 for slot in plan.known}
        self._tags, self._plan, self._leaf = tags, plan, leaf
        self._stack = [self.root]
        self._spent: dict[str, int] = {}

    def allowed(self) -> Tensor:
        tags, scope = self._tags, self._stack[-1]
        mask = torch.zeros_like(tags.words)
        close = tags.end if scope is self.root else tags.closing[scope.path[-1]]
        if self._slot() in self.cut:
            mask[close] = True
            return mask
        if scope.words or (scope.is_new and scope is not self.root and not (scope.target and scope.target.is_list)):
            mask |= self._words(scope)
        if not scope.words and scope.matcher is None:
            self._allow_tags(scope, mask)
        mask[close] = self._may_close(scope) or not mask.any()
        return mask

    def take(self, token: int, log_probabilities: Tensor) -> None:
        self.tokens.append(token)
        log_probabilities = log_probabilities.cpu()
        self._measure(log_probabilities)
        log, scope = float(log_probabilities[token]), self._stack[-1]
        name = next((name for name, tag in self._tags.opening.items() if tag == token), None)
        if token == self._tags.end:
            self.finish = "complete"
        elif token == self._tags.closing.get(scope.path[-1] if scope.path else ""):
            scope.closed, scope.last = True, log
            self._stack.pop()
        elif name is not None:
            self._open(name, scope)
        elif token == self._tags.separator and not scope.words:
            scope.rows.append({})
        else:
            scope.words.append((token, log))
            if scope.matcher is not None and token not in self._tags.categories:
                scope.matcher.consume_token(token)
        self._count()
        if self.finish is None and is_looping(self.tokens):
            self.finish = "loop"

    def _open(self, name: str, scope: Scope) -> None:
        path = (*scope.path, name)
        target = None if scope.is_foreign_list else self._plan.target(path)
        matcher = self._leaf(target.value) if target and not target.is_list else None
        opened = Scope(path, target, matcher)
        scope.rows[-1][name] = opened
        self._stack.append(opened)

    def _may_close(self, scope: Scope) -> bool:
        """Not behind a separator, nor before a value fits its schema."""
        if scope.matcher is None or not scope.words or scope.words[-1][0] in self._tags.categories:
            return bool(scope.rows[-1]) or len(scope.rows) == 1
        return bool(scope.matcher.is_accepting())

    def _words(self, scope: Scope) -> Tensor:
        tags = self._tags
        if scope.words and scope.words[-1][0] in tags.categories:
            return torch.zeros_like(tags.words)
        if scope.matcher is None:
            mask = tags.words.clone()
            if scope.words and tags.separator is not None:
                mask[tags.separator] = True
        else:
            bits = np.frombuffer(scope.matcher.compute_bitmask(), np.uint8)
            fits = torch.from_numpy(np.unpackbits(bits, bitorder="little")[: len(tags.words)].copy()).bool()
            mask = tags.words & torch.nn.functional.pad(fits, (0, len(tags.words) - len(fits)))
        if scope.is_new and (scope.target is None or "pattern" not in scope.target.value):
            mask[list(tags.categories)] = True
        return mask

    def _allow_tags(self, scope: Scope, mask: Tensor) -> None:
        if len(self._stack) <= DEPTH:
            mask[[tag for name, tag in self._tags.opening.items() if name not in scope.rows[-1]]] = True
        if self._tags.separator is not None and scope is not self.root:
            mask[self._tags.separator] = bool(scope.rows[-1]) and (scope.target is None or scope.target.is_list)

    def _slot(self) -> str:
        """The slot that is being written; empty where it is nobody's."""
        return next((scope.target.slot.name for scope in self._stack if scope.target is not None), "")

    def _count(self) -> None:
        slot = next((scope.target.slot for scope in self._stack if scope.target is not None), None)
        if slot is not None:
            self._spent[slot.name] = self._spent.get(slot.name, 0) + 1
            if self._spent[slot.name] >= slot.tokens:
                self.cut.add(slot.name)

    def _measure(self, log_probabilities: Tensor) -> None:
        """How probable it is, along the way that was taken, that a slot's tag never came; and that a tag is empty."""
        scope = self._stack[-1]
        if scope.path and scope.is_new:
            scope.empty = float(log_probabilities[self._tags.closing[scope.path[-1]]].exp())
        if scope.words or scope.matcher is not None or scope.is_foreign_list or self._slot():
            return
        written = {inner.target.slot.name for inner in self.root.inside() if inner.target is not None}
        for name, tag in self._tags.opening.items():
            target = self._plan.target((*scope.path, name))
            if target is not None and target.slot.name not in written:
                self.unwritten[target.slot.name] *= 1.0 - float(log_probabilities[tag].exp())
