"""Amounts with fewer decimals than their document's others: of `1200` among `12.00` the mark was lost in reading, of
`47.3` the last digit, or it is no amount at all.

In: decided fields, the schema, the document's words. Out: the fields; none of these amounts is accepted, nor one that
may be a thousand times less (`15.000` where no amount has cents, and no currency or country is known).
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
_ONE_GROUP = re.compile(r"\D*[1-9]\d{0,2}[.,]\d{3}\D*")
_TWO_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+(?![\d.,])")  # its mark can only group


def veto_missing_decimals(fields: Sequence[Field], schema: Schema, index: DocumentIndex) -> tuple[Field, ...]:
    texts = [word.text for page in index.pages.values() for word in page.words]
    with_cents = sum(_WITH_CENTS.search(text) is not None for text in texts)
    if not with_cents and not any(map(_TWO_GROUPS.search, texts)):
        return _veto_open_thousands(fields, schema, index)
    if with_cents < MIN_AMOUNTS_WITH_CENTS:
        return tuple(fields)
    return tuple(_checked(field) if schema.spec(field.path).kind.name == MONEY else field for field in fields)


def _checked(field: Field) -> Field:
    decimals = -int(field.value.as_tuple().exponent) if isinstance(field.value, Decimal) else CENTS
    if not field.accepted or decimals >= CENTS or _WHOLE.search(field.raw or ""):
        return field
    message = f"{field.raw!r} has fewer decimals than the document's other amounts"
    return replace(field, accepted=False, issues=(*field.issues, Issue("decimals_missing", message, field=field.path)))


def _veto_open_thousands(fields: Sequence[Field], schema: Schema, index: DocumentIndex) -> tuple[Field, ...]:
    """`15.000` is fifteen in a currency with three decimals: which it is says the currency, or the country."""
    conventions = schema.conventions(index.lines)
    if conventions.currency or conventions.country:
        return tuple(fields)
    return tuple(_with_known_mark(field) if schema.spec(field.path).kind.name == MONEY else field for field in fields)


def _with_known_mark(field: Field) -> Field:
    is_open = _ONE_GROUP.fullmatch(field.raw or "") is not None
    if not field.accepted or not is_open or not isinstance(field.value, Decimal):
        return field
    message = f"{field.raw!r} is {field.value} or {field.value / 1000}; the document does not say"
    issue = Issue("decimal_mark_unknown", message, field=field.path)
    return replace(field, accepted=False, issues=(*field.issues, issue))
