"""Which of a few terms a printed text has: by words, not by letters that happen to follow each other.

In: a printed text, and values with the terms that are printed for them. Out: `FoundTerm`s from left to right, each with
its value; a term within a longer one (`invoice` in `credit invoice`, `faktura` in `Kreditfaktura`) is not there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from docpipe.schemas.words import folded

MIN_COMPOUND_LETTERS = 5
"""Letters. A term of this length is also found within a word (`Sammelrechnung`, `myyntilasku`); a shorter one (`bill`,
`nota`) would be in many that have nothing to do with it."""
FIRST_OF_SCRIPTS_WITHOUT_BLANKS = "\u2e80"
"""From here on (Chinese, Japanese, Korean) words are not set apart: their terms are found anywhere."""
NEVER_IN_COMPOUNDS = frozenset({"avoir", "abono"})
"""They are in `savoir` and `abonos`, and no language that prints them makes compounds."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """A term of a value; `start` and `end` (exclusive) count the text's letters and digits."""

    value: str
    start: int
    end: int

    def has_within(self, other: FoundTerm) -> bool:
        return self.start <= other.start and other.end <= self.end and self.end - self.start > other.end - other.start


def find_terms(text: str, terms: Mapping[str, Iterable[str]]) -> list[FoundTerm]:
    """The terms of the text, without those that lie within longer ones."""
    words = [fold_term(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))]
    found = [hit for value, listed in terms.items() for term in listed for hit in _occurrences(words, value, term)]
    outermost = {hit for hit in found if not any(other.has_within(hit) for other in found)}
    return sorted(outermost, key=lambda hit: (hit.start, hit.end, hit.value))


def text_between(text: str, left: FoundTerm, right: FoundTerm) -> str:
    """What is printed between two terms, of which the left one ends first."""
    places = [place for place, char in enumerate(text) for _ in fold_term(char)]
    return text[places[left.end - 1] + 1 : places[right.start]] if right.start >= left.end else ""


def fold_term(text: str) -> str:
    """Letters and digits without case and accents; the Turkish dotless i counts as an i, as in capitals."""
    return folded(text).replace("ı", "i")


def _occurrences(words: list[str], value: str, term: str) -> Iterator[FoundTerm]:
    """Where a term stands as whole words (`pro-forma`, `P R O F O R M A` and `Proforma` are one), or within one."""
    letters, sought = "".join(words), fold_term(term)
    bounds = [0, *accumulate(map(len, words))]
    start = letters.find(sought) if sought else -1
    while start >= 0:
        end = start + len(sought)
        is_whole = start in bounds and end in bounds
        is_in_one_word = not any(start < bound < end for bound in bounds)
        if is_whole or (is_in_one_word and _may_be_in_compounds(sought)):
            yield FoundTerm(value, start, end)
        start = letters.find(sought, start + 1)


def _may_be_in_compounds(term: str) -> bool:
    if term[0] >= FIRST_OF_SCRIPTS_WITHOUT_BLANKS:
        return True
    return len(term) >= MIN_COMPOUND_LETTERS and not term.isdigit() and term not in NEVER_IN_COMPOUNDS
