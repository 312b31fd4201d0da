"""Text in a script that was not read: which script it is, when a page holds too much of it, and the issue that says so.

In: lines of text, or how many lines of a page were not read. Out: `UnreadLines`, and the issue `unread_script`.
The reader says it of scans (docpipe/read/legibility.py), the embedded extractor of exact words that its network did not
learn. A name, an address or a line in another script is no reason for an alarm, a third of the page is.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from docpipe.data import Issue

UNREAD_SCRIPT = "unread_script"
# Of a page's lines and of its print. `python -m benchmarks.accuracy.unread_script --part choose`: of 168 drawn pages
# wholly in one of seven scripts all but one have more than 0.4 of both that is not read (that one 0.27; Greek capitals
# look Latin), Latin, Chinese and Japanese ones 0.0. In between, a third is where values are likely to be missed: an
# address or the terms are less. Of both: a line of ornaments is much print, notes by hand are many lines.
MIN_SHARE = 1 / 3
MIN_LINES = 3  # fewer are a logo, a stamp or a signature, which may be much of a small receipt

LATIN = "Latin"
_NAMES = {"Cjk": "Chinese", "Hiragana": "Japanese", "Katakana": "Japanese", "Hangul": "Korean"}


@dataclass(frozen=True, slots=True)
class UnreadLines:
    """Of a page: how many of its lines were not read, `share`, which part of its print they are (0 to 1), and the
    scripts where they are known, the most frequent first."""

    unread: int = 0
    lines: int = 0
    share: float = 0.0
    scripts: tuple[str, ...] = ()

    @property
    def is_substantial(self) -> bool:
        return self.unread >= max(MIN_LINES, MIN_SHARE * self.lines) and self.share >= MIN_SHARE

    @property
    def count(self) -> str:
        return f"{self.unread} of {self.lines} lines"


def script_of(letter: str) -> str:
    """By the letter's name in Unicode: `Cyrillic`, `Korean`, `Thai`."""
    first = unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "unknown").split()[0].title()
    return _NAMES.get(first, first)


def lines_in_other_scripts(lines: Iterable[str], known: frozenset[str] = frozenset({LATIN})) -> UnreadLines:
    """Lines most of whose letters are in a script that is not `known`. Signs and figures have no script."""
    unread, letters, total, foreign = 0, 0, 0, 0
    scripts: Counter[str] = Counter()
    for line in lines:
        of_line = Counter(script_of(char) for char in line if char.isalpha())
        other = of_line.total() - sum(of_line[script] for script in known)
        letters += of_line.total()
        total += bool(of_line)
        if 2 * other > of_line.total():
            unread += 1
            foreign += other
            scripts.update({script: count for script, count in of_line.items() if script not in known})
    return UnreadLines(unread, total, foreign / max(1, letters), tuple(name for name, _ in scripts.most_common()))


def unread_script(message: str, page: int) -> Issue:
    return Issue(UNREAD_SCRIPT, message, page=page)


def is_unread(issues: Iterable[Issue]) -> bool:
    """Whether one of them says so."""
    return any(issue.code == UNREAD_SCRIPT for issue in issues)
