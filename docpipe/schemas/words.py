"""Kinds for words: free text, names, addresses, identifiers, phone numbers, choices and yes/no.

In: a printed text. Out: `Parsed` with a string or a bool; text kinds never fail on a non-empty text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, Group, NamedInJsonSchema, Parsed

MIN_SIMILARITY = 0.9
"""Names and addresses are the same from this similarity of letters and digits on."""

MIN_PHONE_DIGITS = 5
MIN_LOCAL_PHONE_DIGITS = 7
"""Digits. Two phone numbers that agree in this many last digits differ only in their prefix."""

YES = frozenset(["yes", "y", "ja", "j", "oui", "o", "si", "sí", "s", "true", "x", "1", "✓", "✔", "☑", "☒"])
NO = frozenset(["no", "n", "nein", "non", "nee", "false", "0", "☐"])


def one_line(text: str) -> str:
    """The text in composed Unicode with single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """Letters and digits only, without case and accents: what is compared between prints."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum())


def similarity(left: str, right: str) -> float:
    """0-1 over letters and digits."""
    from rapidfuzz.distance import Indel  # heavy: a compiled module that only comparisons need

    return Indel.normalized_similarity(folded(left), folded(right))


@dataclass(frozen=True)
class Text(NamedInJsonSchema):
    """Free text, as printed."""

    name: ClassVar[str] = "text"
    column: ClassVar[ColumnType] = "text"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        return Parsed(one_line(text) or None)

    def same(self, left: object, right: object) -> bool:
        return similarity(str(left), str(right)) >= MIN_SIMILARITY


@dataclass(frozen=True)
class Name(Text):
    """The name of a person or a company."""

    name: ClassVar[str] = "name"
    group: ClassVar[Group] = "name"


@dataclass(frozen=True)
class Address(Text):
    """A postal address; its lines are joined by blanks."""

    name: ClassVar[str] = "address"
    group: ClassVar[Group] = "address"


@dataclass(frozen=True)
class Identifier(Text):
    """A number or code that names something. Compared without blanks and case."""

    name: ClassVar[str] = "identifier"
    group: ClassVar[Group] = "identifier"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        return Parsed(one_line(text).strip(" :;,#") or None)

    def same(self, left: object, right: object) -> bool:
        return _compact(left) == _compact(right)


@dataclass(frozen=True)
class Phone(Text):
    """A telephone number, as printed. Compared by its digits; a country prefix on one side alone does not matter."""

    name: ClassVar[str] = "phone"
    group: ClassVar[Group] = "identifier"
    max_length: ClassVar[int] = 50

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        number = re.search(r"[+(]?\d[\d\s()./–-]*\d", text)
        if number is None or len(_digits(number.group())) < MIN_PHONE_DIGITS:
            return Parsed(None, "not_a_phone", f"no telephone number in {text!r}")
        return Parsed(one_line(number.group()))

    def same(self, left: object, right: object) -> bool:
        shorter, longer = sorted((_digits(str(left)).lstrip("0"), _digits(str(right)).lstrip("0")), key=len)
        return shorter == longer or (len(shorter) >= MIN_LOCAL_PHONE_DIGITS and longer.endswith(shorter))


@dataclass(frozen=True)
class Choice(Text):
    """One of a few values. `words` maps a value to further words that are printed for it."""

    values: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    name: ClassVar[str] = "choice"
    group: ClassVar[Group] = "choice"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        printed = folded(text)
        terms = [(folded(term), value) for value in self.values for term in (value, *self.words.get(value, ()))]
        hits = [(term, value) for term, value in terms if term and term in printed]
        if not hits:
            return Parsed(None, "not_a_choice", f"{text!r} is none of {', '.join(self.values)}")
        longest = max(len(term) for term, _value in hits)
        best = {value for term, value in hits if len(term) == longest}
        if len(best) > 1:
            return Parsed(None, "not_a_choice", f"{text!r} may be {' or '.join(sorted(best))}")
        return Parsed(best.pop())

    def same(self, left: object, right: object) -> bool:
        return folded(str(left)) == folded(str(right))


@dataclass(frozen=True)
class Boolean(NamedInJsonSchema):
    """Yes or no, a cross or a tick."""

    name: ClassVar[str] = "boolean"
    column: ClassVar[ColumnType] = "boolean"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        word = text.strip(" .:[]()").casefold()
        if word in YES or word in NO:
            return Parsed(word in YES)
        return Parsed(None, "not_a_boolean", f"{text!r} is neither yes nor no")

    def same(self, left: object, right: object) -> bool:
        return left == right


def _compact(value: object) -> str:
    return "".join(str(value).split()).casefold()


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


INVOICE_WORDS = {
    "invoice": (
        "Rechnung", "facture", "factura", "fattura", "factuur", "tax invoice", "bill", "Faktura", "rekening",
        "note d'honoraires", "minuta de honorarios", "parcella", "nota", "380",
    ),
    "credit_note": (
        "credit memo", "Gutschrift", "Rechnungskorrektur", "Stornorechnung", "avoir", "note de crédit",
        "nota de crédito", "factura rectificativa", "abono", "nota di credito", "nota di accredito",
        "storno", "creditnota", "kredietnota", "creditfactuur", "credit invoice", "refund note", "381",
    ),
    "corrected_invoice": ("Korrekturrechnung", "facture rectificative", "corrective invoice", "384"),
    "prepayment_invoice": ("Anzahlungsrechnung", "Abschlagsrechnung", "facture d'acompte", "deposit invoice", "386"),
    "proforma": ("pro forma", "pro-forma invoice", "Proformarechnung", "facture proforma"),
}  # fmt: skip
"""Printed titles in en, de, fr, es, it, nl and the codes of UNTDID 1001 that EN 16931 uses."""


@dataclass(frozen=True)
class InvoiceType(Choice):
    """What the document calls itself: an invoice, a credit note, a corrected, prepayment or pro forma invoice."""

    values: tuple[str, ...] = tuple(INVOICE_WORDS)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: INVOICE_WORDS, hash=False)

    name: ClassVar[str] = "invoice_type"
