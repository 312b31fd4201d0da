"""Amounts with fewer decimals than their document's others: of `1200` among `12.00` the mark was lost in reading, of
`47.3` the last digit, or it is no amount at all.

In: decided fields, the schema, the document's words. Out: the fields; none of these amounts is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from docpipe.data import Field, Issue
from docpipe.document_index import DocumentIndex
from docpipe.schema import Schema

MONEY = "money"
CENTS = 2  # decimals of an amount in most currencies
MIN_AMOUNTS_WITH_CENTS = 2  # on the pages, for them to be the document's way to print amounts
_WITH_CENTS = re.compile(r"(?<![\d.,])\d[\d.,'’]*[.,]\d{2}(?![\d.,])")
_WHOLE = re.compile(r"[.,:]\s?[-−–—]|\d[.,'’\s]\d{3}(?!\d)")  # `12,-`, `8,000`: no cents, in so many words


def veto_missing_decimals(fields: Sequence[Field], schema: Schema, index: DocumentIndex) -> tuple[Field, ...]:
    texts = (word.text for page in index.pages.values() for word in page.words)
    if sum(_WITH_CENTS.search(text) is not None for text in texts) < MIN_AMOUNTS_WITH_CENTS:
        return tuple(fields)
    return tuple(_checked(field) if schema.spec(field.path).kind.name == MONEY else field for field in fields)


def _checked(field: Field) -> Field:
    decimals = -int(field.value.as_tuple().exponent) if isinstance(field.value, Decimal) else CENTS
    if not field.accepted or decimals >= CENTS or _WHOLE.search(field.raw or ""):
        return field
    message = f"{field.raw!r} has fewer decimals than the document's other amounts"
    return replace(field, accepted=False, issues=(*field.issues, Issue("decimals_missing", message, field=field.path)))
