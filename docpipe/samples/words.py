"""The word lists in `words/`: one file per language (`en.txt`) and per country (`MY.txt`).

In: the name of a file. Out: its lists; a line `key: a | b | c` adds to the list of `key`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def words(name: str) -> dict[str, tuple[str, ...]]:
    """All lists of one language or country. An option that occurs twice is twice as likely."""
    lists: dict[str, tuple[str, ...]] = {}
    text = (resources.files("docpipe.samples") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        key, _, options = line.partition(":")
        if options:
            lists[key] = lists.get(key, ()) + tuple(option.strip() for option in options.split("|"))
    return lists
