"""Repairs of what OCR commonly misreads in numbers and dates: an explicit step of its own.

In: a printed text. Out: the text with misreadings repaired; the same text when there are none, or where it could be
something else.
The repaired text is used for the value alone: `raw` stays as printed, and the value carries the issue `ocr_repaired`.
"""

from __future__ import annotations

import re

LETTER_TO_DIGIT = str.maketrans(
    {"O": "0", "o": "0", "Q": "0", "D": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8", "Z": "2"}
)
"""Letters that OCR writes for digits, seen on thermal receipts."""

_TOKEN = re.compile(r"(?<![\w.,'’])[OolI|]?[\d.,'’OoQDlI|SBZ]*\d[\d.,'’OoQDlI|SBZ]*(?!\w)")
_MISREAD_LETTER = re.compile(r"[OoQDlI|SBZ]")
_ZEROS = re.compile(r"(?<![\w.,'’])\d[\dOo]*(?:[.,'’][\dOo]{3})*[.,][\dOo]{2}(?!\w)")
"""However many of them are letters: a digit before and two places behind the mark make it an amount (`9O.OO`)."""
_PLAIN_AMOUNT = re.compile(r"(\d{1,3}([.,'’]\d{3})*|\d+)([.,]\d{2})?")
_DATE_TOKEN = re.compile(
    r"(?<![^\W\d_])[\dOolI|][\dOolI|]?\s?[-./]\s?[\dOolI|]{1,2}\s?[-./]\s?[\dOolI|]{2,4}(?![^\W\d_])"
)

_COLON_BEFORE_CENTS = re.compile(r"((?:\b(?:RM|MYR|SGD|USD|EUR|GBP|CHF)|[$€£])\s?\d{1,4}):(\d{2})(?![\d:])")
"""After a currency it is no time."""
_BLANK_BEFORE_CENTS = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,'’]\d{3})*|\d+)(?:([.,])\s+|\s+([.,]))(\d{2})(?![\d.,]*\d)")
_BLANK_IN_GROUP = re.compile(r"(?<![\d.,])(\d{1,3}),\s(\d{3}\.\d{2})(?!\d)")
_POINT_FOR_COMMA = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+)\.(\d{2})(?![\d.,]*\d)")
_COMMA_FOR_POINT = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+),(\d{2})(?![\d.,]*\d)")


def repair_number(text: str) -> str:
    """`8O.9O` -> `80.90`, `l2.50` -> `12.50`, `29. 16` -> `29.16`, `1.234.50` -> `1234.50`, `RM5:00` -> `RM5.00`.

    A letter at the end of a whole number or of two decimals stays: `5l` are litres, in `10.60S` the S is a tax code.
    """
    text = _ZEROS.sub(lambda match: match.group().translate(LETTER_TO_DIGIT), text)
    text = _TOKEN.sub(lambda match: _digits_for_letters(match.group()), text)
    text = _COLON_BEFORE_CENTS.sub(r"\1.\2", text)
    text = _BLANK_BEFORE_CENTS.sub(lambda match: f"{match[1]}{match[2] or match[3]}{match[4]}", text)
    text = _BLANK_IN_GROUP.sub(r"\1,\2", text)
    text = _POINT_FOR_COMMA.sub(lambda match: f"{match[1].replace('.', '')}.{match[2]}", text)
    return _COMMA_FOR_POINT.sub(lambda match: f"{match[1].replace(',', '')}.{match[2]}", text)


def repair_date(text: str) -> str:
    """`O2/l1/2O18` -> `02/11/2018`."""
    return _DATE_TOKEN.sub(lambda match: match.group().translate(LETTER_TO_DIGIT), text)


def _digits_for_letters(token: str) -> str:
    if not _MISREAD_LETTER.search(token) or sum(map(str.isdigit, token)) * 2 < len(token.strip(".,'’")) - 1:
        return token
    if token[-1] in "lI|" and not re.search(r"[.,]\w$", token):
        return token
    if token[0] in "QDSBZ" or token[-1] in "DSBZ":
        return token
    repaired = token.translate(LETTER_TO_DIGIT)
    return repaired if _PLAIN_AMOUNT.fullmatch(repaired) else token
