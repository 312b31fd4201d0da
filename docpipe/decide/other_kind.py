"""A print that is plainly of another kind than its field: a date for a choice or an amount, an amount for a date.

In: an option that its kind could not read, the kind. Out: whether nobody has to look at it, since the field is empty. A
print that could be a misread value of its kind is not meant, nor one in words (`eighty`, `on receipt`): that is for a
person.
"""

from __future__ import annotations

import re

from docpipe.decide.options import Option
from docpipe.schema_ports import Kind, group_of

AMOUNT = re.compile(r"[^\d.,]*\d{1,3}(?:[.,' ]?\d{3})*[.,]\d{2}[^\d.,]*")  # two decimals and nothing else
DATE = re.compile(r"\D*(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2})\D*")


def is_of_other_kind(option: Option, kind: Kind) -> bool:
    """Only of what could not be read: a value that was read is never taken away."""
    text = " ".join(option.raw.split())
    if option.value is not None or not text:
        return False
    group = group_of(kind)
    digits, letters = sum(map(str.isdigit, text)), sum(map(str.isalpha, text))
    if group == "choice":
        return digits > letters
    if group in ("date", "time"):
        return AMOUNT.fullmatch(text) is not None
    return group == "number" and DATE.fullmatch(text) is not None
