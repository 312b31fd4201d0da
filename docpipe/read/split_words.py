"""Words that were printed or read without the blank between them.

In: words in reading order. Out: the same, but a word such as `Date:25/12/2018` or `04/21/20-04/27/20` is several, so
that each value is a word of its own. Boxes are divided in proportion to the letters' widths; line, confidence and
source stay.

A word is split after a label's colon or its `n°`; between letters and a full date; around the dash or `to` between two
dates; between a date and a time; after the currency of a price by the unit (`EUR/kg`). All else stays whole, above all
what may be a number or a name that has such signs inside: invoice and phone numbers, amounts with their currency,
units, times, ratios, paths, e-mail addresses, URLs, URNs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from docpipe.data import Box, Word

MIN_LENGTH, MAX_LENGTH = 3, 100  # characters of a word that may be split; longer ones are codes or an attack
_LETTER = r"[^\W\d_]"
_COLON = "[:\uff1a]"  # OCR gives the full-width one, too
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_LONG_YEAR = r"(?:19|20)\d\d"
_YEAR = rf"(?:{_LONG_YEAR}|\d\d)"
_TIME = rf"(?:[01]?\d|2[0-3]){_COLON}[0-5]\d(?:{_COLON}[0-5]\d)?(?:[AaPp]\.?[Mm]\.?|h|Uhr)?"
_CURRENCY = "[€$£¥]|EUR|USD|GBP|CHF|JPY|MYR|RM|SGD|AUD|IDR|Rp|HUF|Ft|ISK|KRW|kr"
_END = r"[)\].,;]*"


def _date(separators: str, year: str = _YEAR) -> str:
    """A numeric date, in any order with the year at one end. Each use in a pattern stands in a group of its own."""
    kinds = (
        f"(?:{first}{sign}{second}{sign}{year}|{_LONG_YEAR}{sign}{first}{sign}{second})"
        for sign in map(re.escape, separators)
        for first, second in ((_DAY, _MONTH), (_MONTH, _DAY))
    )
    return f"(?:{'|'.join(kinds)})"


_ANY_DATE = _date("/.-")
_DATE_WITHOUT_DASH = _date("/.")  # a dash in such a date would look like the one between two dates
_SPLITS = (
    # 04/21/20-04/27/20; a dash that lost one of its dates is split from the other
    rf"([(\[]?{_DATE_WITHOUT_DASH})([-–—−~]|to|bis)({_DATE_WITHOUT_DASH}{_END})",
    rf"([-–—−])({_DATE_WITHOUT_DASH}{_END})",
    rf"([(\[]?{_DATE_WITHOUT_DASH})([-–—−])",
    # 16/02/201812:04, 16/02/2018-12:04, 4/10/2015,1:22PM
    rf"([(\[]?{_ANY_DATE}[,;]?)({_TIME}{_END})",
    rf"([(\[]?{_ANY_DATE})([-–—/|@·])({_TIME}{_END})",
    # EUR/kg, €/Std., ¥/m²
    rf"((?:{_CURRENCY})/)(?!(?:{_CURRENCY})$)({_LETTER}{{1,12}}[.²³]?)",
    # n°FA-2025-6608, Nr.4711
    r"((?:[nN][°º]|N[or]\.)[:.]?)((?=.*\d)[\w][\w/.-]*)",
)
_SPLIT_PATTERNS = [re.compile(pattern) for pattern in _SPLITS]
# A label, or the colon alone where the label stands apart; `:30` is half a minute.
_LABEL = re.compile(
    rf"([(\[*#]*{_LETTER}(?:{_LETTER}|[-.'’/&()#*°]){{1,40}}{_COLON}+|{_COLON}(?!\d\d(?![\d.,/-])))(.+)", re.DOTALL
)
_VALUE = re.compile(rf"[(\[]?[-+−#€$£¥]?\d|[€$£¥#]|{_LETTER}")  # how a value begins
_SCHEMES = frozenset(("http", "https", "ftp", "sftp", "file", "mailto", "urn", "sip", "data", "ws", "wss", "tel"))
_ADDRESS = re.compile(r"https?://|www\.|[^\s@:]+@[^\s@:]+$", re.IGNORECASE)
_DATE_OR_TIME_FIRST = re.compile(rf"(?:{_ANY_DATE}|{_TIME}{_END}$)")
# Fälligkeitsdatum16.09.2026, vom16.09.2026, DATE16/02/2018, but not INV16.09.2026 or Version1.2.13
_WORD_THEN_DATE = re.compile(
    rf"((?:{_LETTER}|[-.()]){{0,40}}(?:[a-zß-ÿ]{{2}}|{_LETTER}{{4}})[.)]?)({_date('/.', _LONG_YEAR)}(?!\d\d?[/.]).*)"
)
_WORD_THEN_ISO_DATE = re.compile(rf"({_LETTER}{{0,40}}[a-zß-ÿ]{{3}}[.)]?)({_date('-', _LONG_YEAR)}(?![\d/-]).*)")
# 25/12/2018Time:12:04
_DATE_THEN_WORD = re.compile(rf"({_date('/.', _LONG_YEAR)})({_LETTER}{{3,40}}(?:\.?{_COLON}.*)?)")

_NARROW, _WIDE = frozenset(".,:;'’|!()[]ijlftrI/-1"), frozenset("mwMW@%—€")
_NARROW_WIDTH, _WIDE_WIDTH = 0.55, 1.5  # of a usual letter's or digit's width, in the fonts of print


def split_words(words: Iterable[Word]) -> tuple[Word, ...]:
    """Words of one line stay neighbours. Words that run up or down the page stay whole."""
    return tuple(part for word in words for part in _split_word(word))


def _split_word(word: Word) -> Iterator[Word]:
    texts = split_text(word.text)
    if len(texts) == 1 or word.box.bottom - word.box.top > word.box.right - word.box.left:
        yield word
        return
    for text, box in zip(texts, _divided_boxes(word.box, texts), strict=True):
        yield replace(word, text=text, box=box)


def split_text(text: str) -> tuple[str, ...]:
    """The words in a word: one if there is nothing to split."""
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        return (text,)
    parts = _first_split(text)
    return (text,) if parts is None else (*parts[:-1], *split_text(parts[-1]))


def _first_split(text: str) -> tuple[str, ...] | None:
    """The parts before and after the first split; the sign between two dates is a part of its own."""
    for pattern in _SPLIT_PATTERNS:
        if match := pattern.fullmatch(text):
            return tuple(match.groups())
    if (label := _LABEL.fullmatch(text)) and _is_value(label[1], label[2]):
        return label[1], label[2]
    word_and_date = _WORD_THEN_DATE.fullmatch(text) or _WORD_THEN_ISO_DATE.fullmatch(text)
    if word_and_date and _is_date_or_splits(word_and_date[2]):
        return word_and_date[1], word_and_date[2]
    if date_and_word := _DATE_THEN_WORD.fullmatch(text):
        return date_and_word[1], date_and_word[2]
    return None


def _is_value(label: str, value: str) -> bool:
    """Whether a label with its colon says what follows it: not a scheme, not a part of a number with colons."""
    if label.strip("([*#:\uff1a") in _SCHEMES:
        return False
    if _ADDRESS.match(value):
        return True
    if any(sign in value for sign in ":\uff1a") and not _DATE_OR_TIME_FIRST.match(value):
        return False
    return _VALUE.match(value) is not None and not value[0].islower()  # `Kund:innen` is one word


def _is_date_or_splits(value: str) -> bool:
    """Whether a value that begins with a date is nothing but that, or can be split from it."""
    return re.fullmatch(_ANY_DATE + _END, value) is not None or len(split_text(value)) > 1


def _divided_boxes(box: Box, texts: Sequence[str]) -> Iterator[Box]:
    widths = [sum(map(_width, text)) for text in texts]
    left, total = box.left, sum(widths)
    for number, width in enumerate(widths, start=1):
        right = box.right if number == len(widths) else left + (box.right - box.left) * width / total
        yield replace(box, left=left, right=right)
        left = right


def _width(letter: str) -> float:
    if letter in _NARROW:
        return _NARROW_WIDTH
    return _WIDE_WIDTH if letter in _WIDE else 1.0
