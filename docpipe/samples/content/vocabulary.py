"""The word lists in `words/`.

One file for each language (`en.txt`) and for each country (`countries/MY.txt`); a line `key: a | b | c` adds to the
list of `key`. In: the name of a file, a random source. Out: its lists, and texts with their placeholders filled in.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources

from docpipe.samples.seeded_random import SeededRandom


@cache
def word_lists(name: str) -> dict[str, tuple[str, ...]]:
    """All lists of one language or country. An option that occurs twice is twice as likely."""
    lists: dict[str, tuple[str, ...]] = {}
    # a folder of their own: where file names ignore case, DE.txt and de.txt would be one file
    file = f"countries/{name}.txt" if name.isupper() else f"{name}.txt"
    text = (resources.files("docpipe.samples.content") / "words" / file).read_text(encoding="utf-8")
    for line in text.splitlines():
        key, _, options = line.partition(":")
        if options:
            lists[key] = lists.get(key, ()) + tuple(option.strip() for option in options.split("|"))
    return lists


def fill_placeholders(rng: SeededRandom, text: str, language: str, day: date, **values: str) -> str:
    """Fills what word lists leave open: `{code}`, `{digits}`, `{monthname}`, `{year}`, `{week}`, `{days}` …
    with what the caller gives, or at random."""
    if "{" not in text:
        return text
    defaults = {
        "code": rng.from_pattern(rng.pick(("??-###", "?####", "###.###", "?? ##", "##-?###", "???#"))),
        "digits": rng.from_pattern("%#####"),
        "monthname": word_lists(language)["month"][int(rng.random() * 12)],
        "year": str(day.year),
        "week": str(1 + int(rng.random() * 52)),
        "country": "EU",
        "city": "",
        "person": "",
        "phone": "",
        "days": rng.pick(("7", "10", "14", "15", "20", "21", "30", "30", "30", "45", "60", "90")),
        "date": "",
        "n": "1",
        "m": "1",
    }
    return text.format(**{**defaults, **values})
