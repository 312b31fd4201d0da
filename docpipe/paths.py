"""The path of a field, taken apart: `line_items[2].amount` is the leaf `amount` in row 2 of the list `line_items`.

In: a path as results and schemas write it. Out: a `FieldPath`. Rows count from 0; a template (`line_items[].amount`)
names the cells of every row. Dots name parts of an object (`seller.name`); lists nest one level deep, so a path has at
most one row. A list of plain values has no cells: `tags[2]` is the value itself, and `tags[]` its template.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise

PATHS_KEPT = 1 << 14  # parsed paths that are remembered: a document of a thousand rows has some six thousand
VALUE_COLUMN = "value"  # of a list of plain values, where it is a table
_IN_LIST = re.compile(r"(?P<list>[^\[\]]+)\[(?P<row>|0|[1-9][0-9]{0,8})\](?:\.(?P<leaf>.+))?")


@dataclass(frozen=True)
class FieldPath:
    """A field of the document (`list_path` is None), or a cell of a list.

    `row_number` is None for a template, and outside of lists. `leaf` is what stands behind the row (`amount`,
    `price.net`), empty where the path names a row as a whole or a plain value (`tags[2]`); for a field of the document
    it is the path itself.
    """

    list_path: str | None
    row_number: int | None
    leaf: str

    @staticmethod
    @lru_cache(maxsize=PATHS_KEPT)
    def parse(text: str) -> FieldPath:
        """Never fails: what is no path of a cell is taken for a field of the document, which a schema may not have."""
        match = _IN_LIST.fullmatch(text)
        if match is None:
            return FieldPath(None, None, text)
        return FieldPath(match["list"], int(match["row"]) if match["row"] else None, match["leaf"] or "")

    @staticmethod
    def of_steps(steps: Sequence[int | str]) -> FieldPath:
        """`("line_items", 2, "amount")` -> `line_items[2].amount`."""
        text = ""
        for step in steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return FieldPath.parse(text)

    @property
    def is_cell(self) -> bool:
        """Whether it belongs to a list, as a template or with a row."""
        return self.list_path is not None

    @property
    def is_column(self) -> bool:
        """Whether it names the cells of every row: `line_items[].amount`."""
        return self.list_path is not None and self.row_number is None

    @cached_property
    def row(self) -> str:
        """`line_items[2]`; empty for a template, and outside of lists."""
        return "" if self.row_number is None else f"{self.list_path}[{self.row_number}]"

    @cached_property
    def template(self) -> str:
        """`line_items[2].amount` -> `line_items[].amount`: the name of the field in its schema."""
        return str(self.renumbered(None))

    @property
    def column(self) -> str:
        """`line_items[2].amount` -> `amount`: the heading of the list's column. `tags[2]` -> `value`."""
        return self.leaf or VALUE_COLUMN

    @property
    def steps(self) -> tuple[str | int, ...]:
        """`line_items[2].price.net` -> `("line_items", 2, "price", "net")`; a template has no number among them."""
        parts: list[str | int] = [*self.list_path.split(".")] if self.list_path is not None else []
        if self.row_number is not None:
            parts.append(self.row_number)
        return (*parts, *self.leaf.split(".")) if self.leaf else tuple(parts)

    def renumbered(self, row_number: int | None) -> FieldPath:
        """The same cell of another row; None: its template. A field of the document stays as it is."""
        return self if self.list_path is None else replace(self, row_number=row_number)

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        if self.list_path is None:
            return self.leaf
        row = self.row or f"{self.list_path}[]"
        return f"{row}.{self.leaf}" if self.leaf else row


def words_of(name: str) -> str:
    """A field's name in words: `dueDate`, `DueDate` and `due_date` are `due date`, `sellerVATId` is `seller VAT id`. A
    name of one word stays as it is: `Rechnungsnummer`."""
    return " ".join(" ".join(_camel_case_words(part)) for part in name.split("_"))


def _camel_case_words(text: str) -> list[str]:
    starts = [index for index in range(1, len(text)) if _begins_a_word(text, index)]
    words = [text[start:end] for start, end in pairwise([0, *starts, len(text)])]
    return [word.lower() if word.istitle() else word for word in words] if len(words) > 1 else words


def _begins_a_word(text: str, index: int) -> bool:
    """A capital behind another character (`due|Date`), or the last of several before a small letter (`VAT|Id`)."""
    if not text[index].isupper():
        return False
    return not text[index - 1].isupper() or (text[index + 1 : index + 2].islower() and text[index + 1 :] != "s")
