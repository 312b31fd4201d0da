"""The tags in which a Donut answers, and what they stand for under a schema.

In: a model's tokenizer, the slots of a prompt. Out: the tokens of the tags, and the slot or the cell that each means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from docpipe.errors import ModelError
from docpipe.extractors.generative.backend import OutputSlot

OPENING, CLOSING, CATEGORY = re.compile(r"<s_(.+)>"), re.compile(r"</s_(.+)>"), re.compile(r"<([^<>/]+)/>")
SEPARATOR = "<sep/>"
PRETRAINING_TASKS = {"<s_iitcdip>", "<s_synthdog>"}  # of the checkpoint that all others were made from


@dataclass(frozen=True, slots=True)
class TagVocabulary:
    """Tokens by the names of their tags. `text_tokens` are the tokens that text is made of, bool [vocabulary];
    `categories` are those that stand for a whole text: `<paid/>`."""

    opening: Mapping[str, int]
    closing: Mapping[str, int]
    separator: int | None
    end: int
    text_tokens: Tensor
    categories: Mapping[int, str]

    @classmethod
    def of(cls, tokenizer: Any, task_token: int, vocabulary_size: int) -> TagVocabulary:
        """`vocabulary_size`: how many tokens the model can write."""
        added = tokenizer.get_added_vocab()
        closing = {tag[1]: added[text] for text in added if (tag := CLOSING.fullmatch(text))}
        opening = {tag[1]: added[text] for text in added if (tag := OPENING.fullmatch(text)) and tag[1] in closing}
        categories = {added[text]: tag[1] for text in added if text != SEPARATOR and (tag := CATEGORY.fullmatch(text))}
        text_tokens = torch.zeros(max(vocabulary_size, len(tokenizer)), dtype=torch.bool)
        text_tokens[: len(tokenizer)] = True
        tags = [token for text, token in added.items() if text.startswith("<") and text.endswith(">")]
        text_tokens[[*tokenizer.all_special_ids, *tags, task_token]] = False
        return cls(opening, closing, added.get(SEPARATOR), tokenizer.eos_token_id, text_tokens, categories)


def find_task_token(name: str, tokenizer: Any, model: Any) -> int:
    """The token that a model's answers begin with. Raises ModelError where nothing says which it is."""
    added = tokenizer.get_added_vocab()
    unpaired = [text for text in added if (tag := OPENING.fullmatch(text)) and f"</s_{tag[1]}>" not in added]
    configured = getattr(model.generation_config, "decoder_start_token_id", None)
    configured = getattr(model.config, "decoder_start_token_id", None) if configured is None else configured
    tasks = [text for text in unpaired if text not in PRETRAINING_TASKS]
    if configured is not None and (not tasks or configured in [added[text] for text in unpaired]):
        return int(configured)
    if len(tasks) == 1:
        return int(added[tasks[0]])
    reason = f"one of {', '.join(sorted(tasks))}" if tasks else "no tag `<s_...>` of its tokenizer stands alone"
    raise ModelError(
        f"{name} does not say which token its answers begin with: {reason}",
        hint='Write the id of its task\'s token as "decoder_start_token_id" into its generation_config.json.',
    )


@dataclass(frozen=True, slots=True)
class TagTarget:
    """What a tag stands for: a single field, a list (`cell` is empty), or a cell of its rows."""

    slot: OutputSlot
    cell: str
    value_schema: Mapping[str, Any]

    @property
    def is_list(self) -> bool:
        return not self.cell and self.value_schema.get("type") == "array"


class TagMapping:
    """Which of the slots a model with these tags knows, and what its tags stand for. A tag is the name of a field, or
    the last part of it: `<s_name>` is `seller.name`, unless there is also a `buyer.name` and no tag around it."""

    def __init__(self, slots: Sequence[OutputSlot], vocabulary: TagVocabulary) -> None:
        self._slots = {slot.name: slot for slot in slots}
        self._cells = {slot.name: cell_schemas(slot) for slot in slots if slot.is_list}
        self._singles = [name for name in self._slots if name not in self._cells]
        self.known_slots = tuple(slot for slot in slots if self._is_known(slot, vocabulary.opening))

    def target(self, path: Sequence[str]) -> TagTarget | None:
        """`path`: the tags that are open, the outermost first. None for a tag that no slot asks for."""
        for depth in range(1, len(path) + 1):
            name = _name_of(path[:depth], list(self._cells))
            if name is not None:
                return self._target_in_list(self._slots[name], path[depth:])
        name = _name_of(path, self._singles)
        return TagTarget(self._slots[name], "", self._slots[name].value_schema) if name is not None else None

    def _target_in_list(self, slot: OutputSlot, path: Sequence[str]) -> TagTarget | None:
        if slot not in self.known_slots:
            return None
        if not path:
            return TagTarget(slot, "", slot.value_schema)
        cells = self._cells[slot.name]
        cell = _name_of(path, list(cells))
        return TagTarget(slot, cell, cells[cell]) if cell is not None else None

    def _is_known(self, slot: OutputSlot, tags: Mapping[str, int]) -> bool:
        if slot.name in self._cells:
            cells = list(self._cells[slot.name])
            return _has_tag(slot.name, list(self._cells), tags) and any(_has_tag(cell, cells, tags) for cell in cells)
        return _has_tag(slot.name, self._singles, tags)


def cell_schemas(slot: OutputSlot) -> Mapping[str, Mapping[str, Any]]:
    """The cells of a list's rows by name, with the JSON Schemas of their values. A list of plain values has none: no
    tag stands for its values, so such a model is not asked for it."""
    return slot.value_schema["items"].get("properties", {})  # type: ignore[no-any-return]


def _name_of(path: Sequence[str], names: Sequence[str]) -> str | None:
    """Which of the names the innermost of the open tags means; None where it means none, or several."""
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
