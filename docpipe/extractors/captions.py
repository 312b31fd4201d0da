"""Fields that stand behind a caption on the same line, read without a network: what it was not trained on.

In: pages, and a schema whose fields name captions (`Captioned`). Out: candidates of a modest score, with evidence. A
caption must be there word by word, and an amount must end its line; where two lines disagree neither counts.
The score alone accepts nothing; rules and the calibration do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby

from docpipe.data import Box, Candidate, Evidence, Page, Word
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions, group_of
from docpipe.text_normalisation import squeeze

CAPTION_SCORE = 0.6  # more likely there than not, and never sure: shared by the values that disagree
MAX_VALUE_WORDS = 5  # of a date in words: `5 de marzo de 2024`
AMOUNT_WORDS = 2  # at the end of a line of totals: `95,20 €`
MAX_LIST_ROWS = 20  # of a page
_AMOUNT = re.compile(r"\d[.,'’]\d{1,3}(?!\d)|\d[.,][-−–]")  # with cents: a whole number may count anything
_DIGIT = re.compile(r"\d")
_FILLERS = frozenset({"", "no", "nr", "n", "num", "number", "numero", "nummer", "numer", "c", "cislo", "szam", "nro",
                      "vom", "von", "of", "du", "del", "dal", "from", "ref", "dated", "to", "bis", "au", "al", "a",
                      "do", "od", "tot", "til", "till", "van", "de"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _PageLine:
    """A text line: its page, its words, and what is compared of each."""

    page: int
    words: tuple[Word, ...]
    keys: tuple[str, ...]

    def text(self, first: int, end: int) -> str:
        return " ".join(word.text for word in self.words[first:end])

    def quote(self, first: int, end: int) -> tuple[Evidence, ...]:
        box = self.words[first].box
        for word in self.words[first + 1 : end]:
            box = Box.union(box, word.box)
        return (Evidence(self.page, box, self.text(first, end)),)


@dataclass(frozen=True, slots=True)
class _Found:
    """A caption on a line, from word `first` to before word `end`."""

    line: _PageLine
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class _Run:
    """The words of a value on its line, from `first` to before `end`."""

    first: int
    end: int


_CaptionKeys = Mapping[str, Sequence[tuple[str, ...]]]
"""Captions as compared words, by their first one."""


def single_captioned(schema: Schema) -> tuple[str, ...]:
    """The paths of the single fields that are read by their captions alone."""
    return tuple(spec.path for spec in schema.fields if not spec.is_asked and spec.list_path is None)


def read_captions(pages: Sequence[Page], schema: Schema) -> tuple[Candidate, ...]:
    """Candidates for the captioned fields of a schema: at most one text for each single field and each cell."""
    specs = [spec for spec in schema.fields if spec.captioned is not None]
    if not specs:
        return ()
    lines = [line for page in pages for line in _lines(page)]
    conventions = schema.conventions(text for page in pages for text in page.lines)
    found = [
        candidate
        for spec in specs
        if spec.list_path is None
        for candidate in _single(spec, _captions(spec, lines, _others(spec, specs)), conventions)
    ]
    by_list: dict[str, list[FieldSpec]] = {}
    for spec in specs:
        if spec.list_path is not None:
            by_list.setdefault(spec.list_path, []).append(spec)
    rows = (candidate for listed in by_list.values() for candidate in _rows(listed, lines, conventions))
    return (*found, *rows)


def _lines(page: Page) -> Iterator[_PageLine]:
    for _, words in groupby(page.words, key=lambda word: word.line):
        of_line = tuple(words)
        yield _PageLine(page.number, of_line, tuple(squeeze(word.text) for word in of_line))


def _others(spec: FieldSpec, specs: Sequence[FieldSpec]) -> _CaptionKeys:
    """The captions of other fields with which those of a field that the network knows, too, may be confused."""
    if not spec.is_asked:
        return {}
    return _keys(tuple(text for other in specs if other.captioned is not None and other.captioned != spec.captioned
                       for text in other.captioned.captions))  # fmt: skip


def _single(spec: FieldSpec, captions: Iterable[_Found], conventions: Conventions) -> list[Candidate]:
    """One candidate for each different value, which share the score."""
    by_value: dict[object, Candidate] = {}
    for found in captions:
        run = _value_run(spec, found, conventions)
        if run is not None:
            text = found.line.text(run.first, run.end)
            value = spec.kind.parse(text, conventions).value
            by_value.setdefault(value, _candidate(spec.path, found.line, run))
    return [replace(candidate, score=CAPTION_SCORE / len(by_value)) for candidate in by_value.values()]


def _rows(specs: Sequence[FieldSpec], lines: Sequence[_PageLine], conventions: Conventions) -> Iterator[Candidate]:
    """A row for each line with a caption and one amount: the amount, and the caption in the other columns."""
    (amount,) = (spec for spec in specs if group_of(spec.kind) == "number")
    number = 0
    for found in _captions(amount, lines):
        run = _amount_run(amount, found, conventions, strict=True)
        if run is None or number == MAX_LIST_ROWS:
            continue
        for spec in specs:
            cell = run if spec is amount else _Run(found.first, max(found.end, run.first))
            yield _candidate(spec.path.replace("[]", f"[{number}]", 1), found.line, cell)
        number += 1


def _candidate(path: str, line: _PageLine, run: _Run) -> Candidate:
    evidence = line.quote(run.first, run.end)
    return Candidate(path, line.text(run.first, run.end), CAPTION_SCORE, evidence, {"caption": 1.0})


def _captions(spec: FieldSpec, lines: Sequence[_PageLine], others: _CaptionKeys | None = None) -> Iterator[_Found]:
    """The lines that have one of a field's captions, with the longest one there. None that meets one of `others`:
    `original invoice no.` is not `invoice no.`"""
    if spec.captioned is None:
        return
    captions, below = _keys(tuple(spec.captioned.captions)), _keys(tuple(spec.captioned.below))
    is_below = not below
    for line in lines:
        if is_below and (found := _longest(captions, line, others or {})):
            yield found
        elif not is_below and _AMOUNT.search(line.text(-AMOUNT_WORDS, len(line.words))):
            is_below = _longest(below, line) is not None


@lru_cache(maxsize=256)
def _keys(captions: tuple[str, ...]) -> _CaptionKeys:
    """Captions as compared words, by their first one; those of a schema are the same on each page."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for caption in captions:
        words = tuple(key for word in caption.split() if (key := squeeze(word)))
        by_first.setdefault(words[0], []).append(words)
    return by_first


def _longest(captions: _CaptionKeys, line: _PageLine, others: _CaptionKeys | None = None) -> _Found | None:
    met = list(_places(others or {}, line))
    places = (found for found in _places(captions, line) if not any(_meets(found, other) for other in met))
    return max(places, key=lambda found: found.end - found.first, default=None)


def _places(captions: _CaptionKeys, line: _PageLine) -> Iterator[_Found]:
    for first, key in enumerate(line.keys):
        for words in captions.get(key, ()):
            if line.keys[first : first + len(words)] == words:
                yield _Found(line, first, first + len(words))


def _meets(found: _Found, other: _Found) -> bool:
    """Whether two captions share words, unless the other one is a part of this one."""
    is_part = (
        found.first <= other.first and other.end <= found.end and (found.first, found.end) != (other.first, other.end)
    )
    return not is_part and found.first < other.end and other.first < found.end


def _value_run(spec: FieldSpec, found: _Found, conventions: Conventions) -> _Run | None:
    group = group_of(spec.kind)
    if group == "number":
        return _amount_run(spec, found, conventions)
    if group == "date":
        dates = _date_runs(spec, found, conventions)
        number = 1 if spec.captioned is not None and spec.captioned.takes == "second" else 0
        return dates[number] if len(dates) > number else None
    return _identifier_run(found)


def _amount_run(spec: FieldSpec, found: _Found, conventions: Conventions, *, strict: bool = False) -> _Run | None:
    """The amount that ends the line. `strict`: it is the only number behind the caption, percentages aside; else the
    longest end of the line that is one amount."""
    line, last = found.line, len(found.line.words)
    for first in range(found.end, found.end + 1 if strict else last):
        text = line.text(first, last)
        if _AMOUNT.search(text) and not text.rstrip().endswith("%"):
            parsed = spec.kind.parse(text, conventions)
            if parsed.value is not None and parsed.issue in (None, "ocr_repaired"):
                return _shortest_amount(spec, line, _Run(first, last), conventions)
    return None


def _shortest_amount(spec: FieldSpec, line: _PageLine, run: _Run, conventions: Conventions) -> _Run:
    """Without what stands before the number: `15 % -90,00 €` -> `-90,00 €`."""
    value = spec.kind.parse(line.text(run.first, run.end), conventions).value
    ends = (_Run(first, run.end) for first in range(run.end - 1, run.first, -1))
    return next(
        (end for end in ends if spec.kind.parse(line.text(end.first, end.end), conventions).value == value), run
    )


def _date_runs(spec: FieldSpec, found: _Found, conventions: Conventions) -> list[_Run]:
    """The dates behind the caption, from left to right, up to a word that is no part of them: another caption."""
    line, runs, first = found.line, [], found.end
    while first < len(line.words):
        run = None if line.keys[first] in _FILLERS else _date_at(spec, line, first, conventions)
        if run is not None:
            runs.append(run)
        elif line.keys[first] not in _FILLERS and not _DIGIT.search(line.keys[first]):
            break
        first = first + 1 if run is None else run.end
    return runs


def _date_at(spec: FieldSpec, line: _PageLine, first: int, conventions: Conventions) -> _Run | None:
    """The shortest date that begins with this word."""

    def date_in(start: int, end: int) -> object:
        return spec.kind.parse(line.text(start, end), conventions).value

    ends = range(first + 1, min(first + MAX_VALUE_WORDS, len(line.words)) + 1)
    end = next((end for end in ends if _DIGIT.search(line.text(first, end)) and date_in(first, end)), None)
    if end is None or (end > first + 1 and date_in(first + 1, end) == date_in(first, end)):
        return None
    return _Run(first, end)


def _identifier_run(found: _Found) -> _Run | None:
    """The word behind the caption and words such as `No.`, if it has a digit and is neither an amount nor a date."""
    line = found.line
    for index in range(found.end, len(line.words)):
        if line.keys[index] in _FILLERS:
            continue
        text = line.words[index].text
        is_number = _DIGIT.search(text) and not re.fullmatch(r"\D?[\d.,:/]*[.,:/][\d.,:/]*\D?", text)
        return _Run(index, index + 1) if is_number else None
    return None
