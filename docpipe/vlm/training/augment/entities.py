"""Real layouts with other entities on them: the network learns to find a seller by where and how it is printed, and
does not memorise names.

In: an example, and the words of the names of all examples. Out: its words, with the rarer words of names exchanged and
other digits in its amounts, the same wherever they stand on the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from docpipe.data import Word
from docpipe.vlm.training.data.examples import Example

NAME_GROUPS = ("name",)  # whose words are exchanged; addresses were tried too, and were then learnt more slowly
COMMON_SHARE = (
    0.04  # of the documents: a word on more of them is no name but what names have in common ("Ltd", "Street")
)
MIN_COMMON = 3  # documents at least
CHANGED_SHARE = 0.4  # of the examples
MAX_LENGTH_CHANGE = 2  # letters by which the new word may be longer or shorter: its box stays
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_AMOUNT = re.compile(r"(?<![\d.,/:-])\d[\d.,]*[.,]\d\d(?![\d.,/:-])")  # no date, no time


class NameLexicon:
    """Words of names by their letter case and length."""

    def __init__(self, examples: Iterable[Example]) -> None:
        counted: Counter[str] = Counter()
        documents = 0
        for example in examples:
            documents += 1
            counted.update(set(name_words(example)))
        self.common = {text for text, count in counted.items() if count > max(MIN_COMMON, COMMON_SHARE * documents)}
        self._similar_words: dict[tuple[str, int], list[str]] = {}
        for text in sorted(counted):
            if text not in self.common:
                for length in range(len(text) - MAX_LENGTH_CHANGE, len(text) + MAX_LENGTH_CHANGE + 1):
                    self._similar_words.setdefault((_letter_case(text), length), []).append(text)

    def replacement(self, text: str, random: np.random.Generator) -> str:
        """Another word that looks like this one; a common one stays."""
        candidates = [] if text in self.common else self._similar_words.get((_letter_case(text), len(text)), [])
        return candidates[int(random.integers(len(candidates)))] if candidates else text


def name_words(example: Example) -> list[str]:
    """The runs of letters in the names on a document."""
    indexes = {
        index
        for path, spans in example.labels.items()
        if example.kinds.get(path) in NAME_GROUPS
        for span in spans
        for index in span
    }
    return [run for index in sorted(indexes) for run in _LETTERS.findall(example.words[index].text)]


def with_other_entities(example: Example, lexicon: NameLexicon, random: np.random.Generator) -> tuple[Word, ...]:
    """Of a share of the examples."""
    if random.random() > CHANGED_SHARE:
        return example.words
    names = {run: lexicon.replacement(run, random) for run in sorted(set(name_words(example)))}
    amounts = {run: other_digits(run, random) for word in example.words for run in _AMOUNT.findall(word.text)}

    def changed_text(word: Word) -> str:
        renamed = _LETTERS.sub(lambda run: names.get(run.group(), run.group()), word.text)
        return _AMOUNT.sub(lambda run: amounts[run.group()], renamed)

    return tuple(replace(word, text=changed_text(word)) for word in example.words)


def other_digits(text: str, random: np.random.Generator) -> str:
    """A nought stays one, so that `0.00` and `10.00` keep their meaning."""
    return "".join(str(random.integers(1, 10)) if letter in "123456789" else letter for letter in text)


def _letter_case(text: str) -> str:
    return "upper" if text.isupper() else "lower" if text.islower() else "title"
