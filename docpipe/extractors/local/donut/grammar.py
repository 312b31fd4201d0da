"""What a Donut may write: tags in pairs, each once in its row, and in them texts that fit the schema.

In: the tags of its tokenizer, the slots of a prompt. Out: a `DecodingGuide`, and the tree of what was written. A model
writes all the tags that it was trained with, those too that no slot asks for: what it writes later rests on what it
wrote before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from docpipe.extractors.generative.backend import FinishReason
from docpipe.extractors.generative.repetition import is_looping
from docpipe.extractors.local.donut.tags import TagMapping, TagTarget, TagVocabulary

MAX_DEPTH = 4  # tags inside each other; the deepest of the public models has three: menu, sub, name


class ScoredToken(NamedTuple):
    token: int
    log_probability: float


@dataclass(slots=True)
class TagNode:
    """An open tag, or one that was closed. It has a text, or rows of further tags: one row unless it is a list.
    `matcher` holds the text to the schema of the value; None where no slot asks for it, and for a list."""

    path: tuple[str, ...]
    target: TagTarget | None
    matcher: Any = None
    text_tokens: list[ScoredToken] = field(default_factory=list)
    rows: list[dict[str, TagNode]] = field(default_factory=lambda: [{}])
    is_closed: bool = False
    closing_log_probability: float = 0.0
    empty_probability: float = 0.0  # that it was closed at once

    @property
    def is_new(self) -> bool:
        return not self.text_tokens and not self.rows[0]

    @property
    def is_list(self) -> bool:
        return self.target is not None and self.target.is_list

    @property
    def is_unmapped_list(self) -> bool:
        return self.target is None and len(self.rows) > 1

    def descendants(self) -> Iterator[TagNode]:
        """All nodes in it, the outer ones first; not those in the rows of a list that no slot asks for."""
        level = [self]
        while level:
            parents = [node for node in level if not node.is_unmapped_list]
            level = [inner for node in parents for row in node.rows for inner in row.values()]
            yield from level


class TagGuide:
    """`new_matcher` makes a matcher for the text of a value, from its JSON Schema. A slot whose tokens are used up is
    `truncated`: its tags are closed, and the others go on. `unopened_probabilities`: that a slot's tag never came."""

    def __init__(
        self, vocabulary: TagVocabulary, mapping: TagMapping, new_matcher: Callable[[Mapping[str, Any]], Any]
    ) -> None:
        self.tokens: list[int] = []
        self.finish: FinishReason | None = None
        self.root = TagNode((), None)
        self.truncated: set[str] = set()
        self.unopened_probabilities = {slot.name: 1.0 for slot in mapping.known_slots}
        self._vocabulary, self._mapping, self._new_matcher = vocabulary, mapping, new_matcher
        self._open_nodes = [self.root]
        self._token_counts: dict[str, int] = {}

    def allowed_tokens(self) -> Tensor:
        vocabulary, node = self._vocabulary, self._open_nodes[-1]
        mask = torch.zeros_like(vocabulary.text_tokens)
        closing = vocabulary.end if node is self.root else vocabulary.closing[node.path[-1]]
        if self._open_slot_name() in self.truncated:
            mask[closing] = True
            return mask
        if node.text_tokens or (node.is_new and node is not self.root and not node.is_list):
            mask |= self._allowed_text(node)
        if not node.text_tokens and node.matcher is None:
            self._allow_tags(node, mask)
        mask[closing] = self._may_close(node) or not mask.any()
        return mask

    def accept(self, token: int, log_probabilities: Tensor) -> None:
        self.tokens.append(token)
        log_probabilities = log_probabilities.cpu()
        self._measure(log_probabilities)
        log_probability, node = float(log_probabilities[token]), self._open_nodes[-1]
        opened = next((name for name, tag in self._vocabulary.opening.items() if tag == token), None)
        if token == self._vocabulary.end:
            self.finish = "complete"
        elif token == self._vocabulary.closing.get(node.path[-1] if node.path else ""):
            node.is_closed, node.closing_log_probability = True, log_probability
            self._open_nodes.pop()
        elif opened is not None:
            self._open(opened, node)
        elif token == self._vocabulary.separator and not node.text_tokens:
            node.rows.append({})
        else:
            node.text_tokens.append(ScoredToken(token, log_probability))
            if node.matcher is not None and token not in self._vocabulary.categories:
                node.matcher.consume_token(token)
        self._count_token()
        if self.finish is None and is_looping(self.tokens):
            self.finish = "loop"

    def _open(self, name: str, parent: TagNode) -> None:
        path = (*parent.path, name)
        target = None if parent.is_unmapped_list else self._mapping.target(path)
        matcher = self._new_matcher(target.value_schema) if target and not target.is_list else None
        node = TagNode(path, target, matcher)
        parent.rows[-1][name] = node
        self._open_nodes.append(node)

    def _may_close(self, node: TagNode) -> bool:
        """Not behind a separator, nor before a value fits its schema."""
        if node.matcher is None or not node.text_tokens or node.text_tokens[-1].token in self._vocabulary.categories:
            return bool(node.rows[-1]) or len(node.rows) == 1
        return bool(node.matcher.is_accepting())

    def _allowed_text(self, node: TagNode) -> Tensor:
        vocabulary = self._vocabulary
        if node.text_tokens and node.text_tokens[-1].token in vocabulary.categories:
            return torch.zeros_like(vocabulary.text_tokens)
        if node.matcher is None:
            mask = vocabulary.text_tokens.clone()
            if node.text_tokens and vocabulary.separator is not None:
                mask[vocabulary.separator] = True
        else:
            size = len(vocabulary.text_tokens)
            bits = np.frombuffer(node.matcher.compute_bitmask(), np.uint8)
            fitting = torch.from_numpy(np.unpackbits(bits, bitorder="little")[:size].copy()).bool()
            mask = vocabulary.text_tokens & torch.nn.functional.pad(fitting, (0, size - len(fitting)))
        if node.is_new and (node.target is None or "pattern" not in node.target.value_schema):
            mask[list(vocabulary.categories)] = True
        return mask

    def _allow_tags(self, node: TagNode, mask: Tensor) -> None:
        if len(self._open_nodes) <= MAX_DEPTH:
            mask[[tag for name, tag in self._vocabulary.opening.items() if name not in node.rows[-1]]] = True
        if self._vocabulary.separator is not None and node is not self.root:
            mask[self._vocabulary.separator] = bool(node.rows[-1]) and (node.target is None or node.is_list)

    def _open_slot_name(self) -> str:
        """The slot that is being written; empty where no slot asks for what is."""
        return next((node.target.slot.name for node in self._open_nodes if node.target is not None), "")

    def _count_token(self) -> None:
        slot = next((node.target.slot for node in self._open_nodes if node.target is not None), None)
        if slot is not None:
            self._token_counts[slot.name] = self._token_counts.get(slot.name, 0) + 1
            if self._token_counts[slot.name] >= slot.max_tokens:
                self.truncated.add(slot.name)

    def _measure(self, log_probabilities: Tensor) -> None:
        """How probable it is, along the way that was taken, that a slot's tag never came; and that a tag is empty."""
        node = self._open_nodes[-1]
        if node.path and node.is_new:
            node.empty_probability = float(log_probabilities[self._vocabulary.closing[node.path[-1]]].exp())
        if node.text_tokens or node.matcher is not None or node.is_unmapped_list or self._open_slot_name():
            return
        written = {inner.target.slot.name for inner in self.root.descendants() if inner.target is not None}
        for name, tag in self._vocabulary.opening.items():
            target = self._mapping.target((*node.path, name))
            if target is not None and target.slot.name not in written:
                self.unopened_probabilities[target.slot.name] *= 1.0 - float(log_probabilities[tag].exp())
