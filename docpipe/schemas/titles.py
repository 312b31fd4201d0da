"""The kind for the title of a document: what an invoice, a credit note or one of their kin calls itself.

In: a printed title (`Facture d'avoir n° 12`) or a code of UNTDID 1001. Out: `Parsed` with the sort of document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from docpipe.schema_ports import Conventions, Parsed
from docpipe.schemas.choices import Choice, one_of
from docpipe.schemas.document_titles import EITHER_WORDS, PLAIN, SORT_OF_CODE, TITLES
from docpipe.schemas.printed_terms import FoundTerm, find_terms, text_between


@dataclass(frozen=True)
class InvoiceType(Choice):
    """What the document calls itself: an invoice, a credit note, a debit note, a corrected, prepayment, pro forma or
    self-billed invoice. The title alone decides, never the sign of an amount.

    What is more than a plain invoice wins over the word for one (`facture d'avoir`, `Kreditfaktura`). Two such sorts
    in one title, or a choice (`Invoice / Credit note`), are doubtful.
    """

    values: tuple[str, ...] = tuple(TITLES)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: TITLES, hash=False)

    name: ClassVar[str] = "invoice_type"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        if (sort := SORT_OF_CODE.get(text.strip())) in self.values:
            return Parsed(sort)
        found = find_terms(text, {value: (value, *self.words.get(value, ())) for value in self.values})
        if not found:
            return Parsed(None, "not_a_choice", f"{text!r} is none of {', '.join(self.values)}")
        special = [term for term in found if term.value != PLAIN]
        if not special or _leaves_open(text, found):
            return one_of(text, (special or found)[0].value, [term.value for term in found])
        return one_of(text, special[0].value, [term.value for term in special])


def _leaves_open(text: str, found: Sequence[FoundTerm]) -> bool:
    """Whether two sorts are offered and none is chosen: `Rechnung / Gutschrift`, `Facture ou avoir`."""
    return any(
        left.value != right.value and _offers_a_choice(text_between(text, left, right))
        for left, right in pairwise(found)
    )


def _offers_a_choice(joint: str) -> bool:
    """Whether nothing but a stroke or a word for `or` is between two titles."""
    marks = joint.strip().casefold()
    return bool(re.fullmatch(r"\s*[/|\\]\s*", joint)) or marks in EITHER_WORDS
