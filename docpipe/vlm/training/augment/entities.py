"""Real layouts with other names on them: the network shall find a seller by where and how it is printed, not by heart.

In: words and labels of an example, and the words of the names of all examples. Out: the words, with the rarer words of
names exchanged and amounts rolled anew, the same wherever they stand on the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from docpipe.data import Word
from docpipe.vlm.training.data.examples import Example, Span

NAMING = ("name",)  # groups whose words are exchanged; addresses were tried too, and were then learnt more slowly
COMMON = 0.04  # share of documents from which a word is not a name but what names have in common ("Ltd", "Street")
SWAPPED = 0.4  # share of the examples that are changed
LENGTHS = 2  # letters by which the new word may be longer or shorter: its box stays
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_AMOUNT = re.compile(r"(?<![\d.,/:-])\d[\d.,]*[.,]\d\d(?![\d.,/:-])")  # no date, no time


class Names:
    """Words of names by their writing (upper, lower, title case) and length."""

    def __init__(self, examples: Iterable[Example]) -> None:
        counted: Counter[str] = Counter()
        documents = 0
        for example in examples:
            documents += 1
            counted.update(set(named(example.words, example.labels, example.kinds)))
        self.common = {text for text, count in counted.items() if count > max(3, COMMON * documents)}
        self._like: dict[tuple[str, int], list[str]] = {}
        for text in sorted(counted):
            if text not in self.common:
                for length in range(len(text) - LENGTHS, len(text) + LENGTHS + 1):
                    self._like.setdefault((_writing(text), length), []).append(text)

    def other(self, text: str, random: np.random.Generator) -> str:
        """Another word that looks like this one; a common one stays."""
        alike = [] if text in self.common else self._like.get((_writing(text), len(text)), [])
        return alike[int(random.integers(len(alike)))] if alike else text


def named(words: Sequence[Word], labels: Mapping[str, list[Span]], kinds: Mapping[str, str]) -> list[str]:
    """The runs of letters in the names on a document."""
    naming = {i for path, spans in labels.items() if kinds.get(path) in NAMING for span in spans for i in span}
    return [run for i in sorted(naming) for run in _LETTERS.findall(words[i].text)]


def swapped(example: Example, names: Names, random: np.random.Generator) -> tuple[Word, ...]:
    if random.random() > SWAPPED:
        return example.words
    other = {run: names.other(run, random) for run in sorted(set(named(example.words, example.labels, example.kinds)))}
    amounts = {run: rolled(run, random) for word in example.words for run in _AMOUNT.findall(word.text)}

    def text(word: Word) -> str:
        renamed = _LETTERS.sub(lambda run: other.get(run.group(), run.group()), word.text)
        return _AMOUNT.sub(lambda run: amounts[run.group()], renamed)

    return tuple(replace(word, text=text(word)) for word in example.words)


def rolled(text: str, random: np.random.Generator) -> str:
    """Other digits of the same kind: a nought stays one, so that `0.00` and `10.00` keep their meaning."""
    return "".join(str(random.integers(1, 10)) if letter in "123456789" else letter for letter in text)


def _writing(text: str) -> str:
    return "upper" if text.isupper() else "lower" if text.islower() else "title"
