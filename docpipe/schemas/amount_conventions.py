"""How a document marks its amounts: letters of bookkeeping behind them, colons before the cents.

In: the document's text, its language and country. Out: whether `108,43 H` is a credit, and whether `12:50` is money.
"""

from __future__ import annotations

import re

from docpipe.schemas.codes import SYMBOL_PATTERN

_GERMAN_COUNTRIES = frozenset({"DE", "AT", "CH", "LI"})
_LETTER_BEHIND = re.compile(r"\d[.,]\d{2}[ \u00a0]?([A-Z])(?![\w.,])")
_BOOKKEEPING = re.compile(r"\b(?:haben|soll|guthaben)\b", re.IGNORECASE)
_CREDIT, _DEBIT = "H", "S"
_COLON_AMOUNT = re.compile(
    r"(?<![\d:.,])(?:"
    r"\d{1,3}(?:[ \u00a0\u202f.]\d{3})+|\d{3,}|2[4-9]|[3-9]\d"  # no hour of the day
    r"):\d{2}(?![\d:])"
    r"|(?<![\d:.,])\d+:[6-9]\d(?![\d:])"  # no minute
    rf"|(?:{SYMBOL_PATTERN}|\b(?:kr|SEK|NOK|DKK)\b)\.?\s?-?\d+:\d{{2}}(?![\d:])"
    rf"|(?<![\d:.,])\d+:\d{{2}}\s?(?:{SYMBOL_PATTERN}|\b(?:kr|SEK|NOK|DKK)\b)"
)
_TIME_OF_DAY = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d")


def has_booking_letters(text: str, language: str | None, country: str | None) -> bool:
    """Whether `H` and `S` behind amounts are Haben and Soll. A till's letters name taxes (`2,99 A`): so all of them
    must be these two, and both or a word of bookkeeping must be there."""
    letters = set(_LETTER_BEHIND.findall(text)) if language == "de" or country in _GERMAN_COUNTRIES else set()
    return _CREDIT in letters and letters <= {_CREDIT, _DEBIT} and (len(letters) > 1 or bool(_BOOKKEEPING.search(text)))


def has_colon_amounts(text: str) -> bool:
    """Whether some number with a colon can only be an amount: `2 714:00`, `kr 12:50`, `4:75`."""
    return _COLON_AMOUNT.search(text) is not None


def is_time_of_day(number: str) -> bool:
    """Whether a number with a colon may be a time: hours below 24, minutes below 60."""
    return _TIME_OF_DAY.fullmatch(number) is not None
