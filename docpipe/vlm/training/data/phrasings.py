"""How a field may be asked for, so that the network follows descriptions that it has never seen.

In: an example and one of its fields. Out: a `FieldQuery`: the schema's own wording, or one of many when training.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from docpipe.paths import FieldPath
from docpipe.schema import load_schema
from docpipe.vlm.field_queries import FieldQuery, document_query, field_prompt, field_queries
from docpipe.vlm.training.data.examples import Example

SHIPPED = ("invoice", "receipt", "form")
SHIPPED_PROMPT_SHARE = 0.4  # how often training asks exactly as the shipped schema does
NAME_ONLY_SHARE = 0.15  # how often it asks by the field's name alone
WITH_NAME_SHARE = 0.3  # of the other wordings that stand behind the field's name
OWN_NAME_SHARE, OWN_PROMPT_SHARE = 0.4, 0.3  # of a schema of one's own: the name alone, the prompt alone; else both
UNGROUPED_SHARE = 0.7  # of names and identifiers of own schemas that are asked for as plain text

PHRASINGS: dict[str, tuple[str, ...]] = {
    "merchant_name": ("company", "store name", "name of the shop", "Who issued this receipt?", "vendor", "seller name",
                      "The business that sold the goods", "supplier", "business name at the top"),
    "merchant_address": ("address", "store address", "address of the shop", "Where is the shop?", "company address",
                         "street, postcode and city of the seller", "location of the store"),
    "merchant_phone": ("telephone", "phone", "tel. number of the shop", "contact number"),
    "date": ("date", "purchase date", "When was it bought?", "date of the receipt", "transaction date", "day printed"),
    "time": ("time", "time of purchase", "hour and minute printed", "At what time?"),
    "total": ("total", "grand total", "amount to pay", "What is the total amount?", "sum including tax",
              "total amount paid", "final amount", "total due"),
    "subtotal": ("subtotal", "sum before tax", "total of the items", "What do the items cost together?"),
    "tax": ("tax", "GST amount", "VAT", "How much tax is contained?", "sales tax"),
    "tip": ("tip", "gratuity", "service tip"),
    "payment_method": ("payment method", "How was it paid?", "card or cash", "paid by"),
    "invoice_number": ("invoice number", "number", "document number", "What is the number of this invoice?",
                       "Rechnungsnummer", "numéro de facture", "invoice no", "bill number"),
    "invoice_type": ("document title", "type of document", "Is it an invoice or a credit note?", "kind of invoice"),
    "issue_date": ("invoice date", "date of issue", "When was it issued?", "Rechnungsdatum", "date"),
    "due_date": ("due date", "payment due", "When must it be paid?", "pay by", "Fälligkeitsdatum"),
    "currency": ("currency", "currency code or symbol", "In which currency are the amounts?", "money unit"),
    "purchase_order": ("order number", "purchase order", "PO number", "What is the customer's order number?"),
    "buyer_reference": ("buyer reference", "your reference", "customer's reference", "reference of the buyer"),
    "seller_name": ("seller", "supplier name", "vendor", "company", "Who sends the invoice?", "issuer", "creditor"),
    "seller_address": ("seller address", "address of the supplier", "Where is the seller?", "vendor address"),
    "seller_vat_id": ("VAT number of the seller", "supplier VAT ID", "tax number of the vendor", "USt-IdNr."),
    "buyer_name": ("buyer", "customer name", "bill to", "Who has to pay?", "recipient", "client"),
    "buyer_address": ("buyer address", "billing address", "address of the customer", "Where is the customer?"),
    "buyer_vat_id": ("VAT number of the buyer", "customer's VAT ID", "tax number of the customer"),
    "iban": ("IBAN", "bank account", "account to pay to", "To which account is it paid?"),
    "payment_terms": ("payment terms", "terms of payment", "conditions for paying", "How and when must be paid?"),
    "net_total": ("net amount", "total without tax", "amount excluding VAT", "What is the net sum?", "Nettobetrag",
                  "total HT"),
    "tax_total": ("tax amount", "total VAT", "How much tax is charged?", "VAT sum", "Mehrwertsteuer"),
    "gross_total": ("total", "gross amount", "total with tax", "What is the total amount?", "Gesamtbetrag", "total TTC",
                    "grand total"),
    "prepaid_amount": ("already paid", "prepaid amount", "deposit", "How much was paid in advance?"),
    "amount_due": ("amount due", "balance due", "left to pay", "What is still to be paid?", "Zahlbetrag"),
}  # fmt: skip


DOCUMENTS: dict[str, tuple[str, ...]] = {
    "invoice": (
        "invoice",
        "invoice or credit note",
        "Is this an invoice?",
        "a bill for goods or services to a customer",
    ),
    "receipt": ("receipt", "till receipt", "Is this a receipt from a shop?", "proof of a purchase that was paid"),
    "form": ("form", "filled-in form", "Is this a form?", "a page with labels and blanks to fill in"),
    "ad_order": ("ad order", "order for advertising time", "television or radio contract", "broadcast order"),
    "order": ("order", "purchase order", "Is this an order?", "an order that a customer gives"),
    "statement": ("statement", "account statement", "Is this a statement?", "list of open invoices of a customer"),
    "delivery_note": ("delivery note", "Is this a delivery note?", "list of goods that were delivered"),
    "registration": (
        "registration",
        "registration statement",
        "Is this a registration?",
        "registration with an office",
    ),
}


def phrased_document_query(name: str, random: np.random.Generator) -> FieldQuery:
    """Whether a page is a document of this type, as a shipped schema asks or in other words."""
    if name in SHIPPED and random.random() < SHIPPED_PROMPT_SHARE:
        return document_query(name, load_schema(name).description)
    phrasings = DOCUMENTS[name]
    phrasing = phrasings[int(random.integers(len(phrasings)))]
    return document_query(name if random.random() < 0.5 else "", phrasing)


@cache
def shipped_queries(schema: str) -> dict[str, FieldQuery]:
    return field_queries(load_schema(schema))


def phrased_query(example: Example, path: str, random: np.random.Generator | None) -> FieldQuery:
    """`random` None: in the schema's own words."""
    shipped = shipped_queries(example.schema).get(path) if example.schema in SHIPPED else None
    if shipped is None:
        prompt, group = _own_prompt(example, path, random), _group(example, path, random)
        return FieldQuery(prompt, group, FieldPath.parse(path).is_cell)
    if random is None or random.random() < SHIPPED_PROMPT_SHARE:
        return shipped
    phrasings = [p for p in (*PHRASINGS.get(path, ()), example.prompts.get(path, "")) if p]
    if not phrasings or random.random() < NAME_ONLY_SHARE:
        return replace(shipped, prompt=field_prompt(path, ""))
    phrasing = phrasings[int(random.integers(len(phrasings)))]
    return replace(shipped, prompt=field_prompt(path, phrasing) if random.random() < WITH_NAME_SHARE else phrasing)


def _own_prompt(example: Example, path: str, random: np.random.Generator | None) -> str:
    prompt = example.prompts.get(path, "")
    if random is None:
        return field_prompt(path, prompt)
    draw = random.random()
    if draw < OWN_NAME_SHARE or not prompt:
        return field_prompt(path, "")
    return prompt if draw < OWN_NAME_SHARE + OWN_PROMPT_SHARE else field_prompt(path, prompt)


def _group(example: Example, path: str, random: np.random.Generator | None) -> str:
    """A user's JSON Schema says dates and numbers; whether a string is a name or an identifier it mostly does not."""
    group = example.kinds.get(path, "text")
    is_ungrouped = random is None or random.random() < UNGROUPED_SHARE
    return "text" if is_ungrouped and group in ("name", "address", "identifier") else group
