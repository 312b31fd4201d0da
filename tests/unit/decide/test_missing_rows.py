"""Rows and cells that no model proposed, but that the lines of print and the sums show."""

from __future__ import annotations

from decimal import Decimal

from docpipe.data import Candidate
from docpipe.extractors.captions import read_captions
from docpipe.schema import load_schema
from tests.support.decisions import decided_fields
from tests.support.pages import page_of

INVOICE = load_schema("invoice")


def test_a_row_that_captions_alone_found_is_decided_and_not_accepted() -> None:
    page = page_of(["Teppich 120,00", "Zwischensumme 120,00", "Rabatt 10 % -12,00", "Gesamt 108,00"])
    proposed = [Candidate("line_items[0].amount", "120,00", 0.95), Candidate("net_total", "108,00", 0.95)]
    fields = decided_fields(INVOICE, [page], [*proposed, *read_captions([page], INVOICE)], threshold=0.5)
    discount = fields["allowances_and_charges[0].amount"]
    assert (discount.value, discount.accepted) == (Decimal("-12.00"), False)
