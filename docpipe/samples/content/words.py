"""The word lists in `words/`: one file per language (`en.txt`) and per country (`countries/MY.txt`).

In: the name of a file. Out: its lists; a line `key: a | b | c` adds to the list of `key`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def word_lists(name: str) -> dict[str, tuple[str, ...]]:
    """All lists of one language or country. An option that occurs twice is twice as likely."""
    lists: dict[str, tuple[str, ...]] = {}
    # a folder of their own: where file names ignore case, DE.txt and de.txt would be one file
    place = f"countries/{name}.txt" if name.isupper() else f"{name}.txt"
    text = (resources.files("docpipe.samples.content") / "words" / place).read_text(encoding="utf-8")
    for line in text.splitlines():
        key, _, options = line.partition(":")
        if options:
            lists[key] = lists.get(key, ()) + tuple(option.strip() for option in options.split("|"))
    return lists
