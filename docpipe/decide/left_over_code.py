"""A code with right check digits that no field has, where one of two fields of its kind is empty: a VAT number.

In: the options of each field, the words of the pages. Out: the options again; the code is an option of the empty field
when it is the only one left, the other field has its own, and it stands by the name or the address of the same party.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from docpipe.data import Evidence
from docpipe.decide.options import KindParser, ScoredOption
from docpipe.decide.witness import filled, likeliest, witness_option
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema_ports import CheckDigits, group_of

MAX_CODE_WORDS = 6  # `CHE 116 281 710 MWST`
MIN_DIGITS = 5  # shorter texts are no codes: they are not looked at
MAX_WORDS = 20_000  # of a document: its parties stand on the first pages
NEAR = 10.0  # heights of a line: a telephone number and a web site may stand between an address and the code
PARTY_GROUPS = ("name", "address")


@dataclass(frozen=True, slots=True)
class _Code:
    value: str
    evidence: tuple[Evidence, ...]


def with_left_over_code(
    table: Mapping[str, list[ScoredOption]], parser: KindParser, document: DocumentIndex
) -> dict[str, list[ScoredOption]]:
    paths = [path for path in table if not FieldPath.parse(path).is_cell and isinstance(parser.kind(path), CheckDigits)]
    empty = [path for path in paths if (best := likeliest(table[path])) is None or best.value is None]
    settled = [path for path in paths if path not in empty and _is_checked(path, table, parser)]
    if len(paths) != 2 or len(empty) != 1 or len(settled) != 1:
        return dict(table)
    path, other = empty[0], settled[0]
    codes = {code.value: code for code in _left_over(path, table, parser, document)}
    if len(codes) != 1:
        return dict(table)
    (code,) = codes.values()
    own, others = _distance(code, path, table, parser, document), _distance(code, other, table, parser, document)
    if own > NEAR or own >= others:
        return dict(table)
    return {**table, path: filled(table[path], witness_option(code.value, code.evidence, table[path]))}


def _is_checked(path: str, table: Mapping[str, list[ScoredOption]], parser: KindParser) -> bool:
    kind, best = parser.kind(path), likeliest(table[path])
    return isinstance(kind, CheckDigits) and best is not None and kind.checked(best.raw) == best.value


def _left_over(
    path: str, table: Mapping[str, list[ScoredOption]], parser: KindParser, document: DocumentIndex
) -> Iterator[_Code]:
    """The codes whose words no other field has, and whose value none has, in reading order."""
    kind = parser.kind(path)
    chosen = [best for other in table if other != path and (best := likeliest(table[other])) is not None]
    values = {option.value for option in chosen if isinstance(option.value, str)}
    used = {
        (quote.page, word)
        for option in chosen
        for quote in option.evidence
        if quote.page in document.pages
        for word in document.pages[quote.page].words_in(quote.box)
    }
    places = ((number, first) for number, page in sorted(document.pages.items()) for first in range(len(page.words)))
    for number, first in islice(places, MAX_WORDS):
        page = document.pages[number]
        for last in range(first, min(first + MAX_CODE_WORDS, len(page.words))):
            if (number, last) in used or page.words[last].line != page.words[first].line:
                break
            text = page.text(first, last)
            value = kind.checked(text) if isinstance(kind, CheckDigits) and _may_be_code(text) else None
            if value is not None:
                following = page.text(last, min(last + 1, len(page.words) - 1)).removeprefix(page.words[last].text)
                goes_on = re.fullmatch(r"\s[\d.-]+", following) is not None
                if value not in values and not goes_on:
                    yield _Code(value, page.quote(first, last))
                break


def _may_be_code(text: str) -> bool:
    """It begins with a letter, so that it is the shortest text with the code, and has enough digits."""
    return text[0].isalpha() and sum(map(str.isdigit, text)) >= MIN_DIGITS


def _distance(
    code: _Code, path: str, table: Mapping[str, list[ScoredOption]], parser: KindParser, document: DocumentIndex
) -> float:
    """From the code to the nearest print of a field's party, in heights of the code's line: of the names and addresses
    whose paths begin with the same word (`seller_vat_id`, `seller_name`), and of the party's own code."""
    party = re.split(r"[._]", path)[0]
    near = [
        quote
        for other in table
        if re.split(r"[._]", other)[0] == party
        and not FieldPath.parse(other).is_cell
        and (other == path or group_of(parser.kind(other)) in PARTY_GROUPS)
        and (best := likeliest(table[other])) is not None
        for quote in best.evidence
    ]
    place = code.evidence[0]
    page = document.pages[place.page].page
    height = max(place.box.bottom - place.box.top, 1e-6) * page.height
    return min(
        (
            math.hypot(
                max(0.0, place.box.left - quote.box.right, quote.box.left - place.box.right) * page.width,
                max(0.0, place.box.top - quote.box.bottom, quote.box.top - place.box.bottom) * page.height,
            )
            / height
            for quote in near
            if quote.page == place.page
        ),
        default=math.inf,
    )
