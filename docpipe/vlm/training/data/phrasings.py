"""How a field may be asked for, so that the network follows descriptions that it has never seen.

In: an example and one of its fields. Out: a `Question`: the schema's own wording when quiet, one of many when training.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from docpipe.paths import FieldPath
from docpipe.schema import load_schema
from docpipe.vlm.encode import Question
from docpipe.vlm.field_queries import document_question, questions, worded
from docpipe.vlm.training.data.examples import Example

SHIPPED = ("invoice", "receipt", "form")
OFFICIAL_SHARE = 0.4  # how often training asks exactly as the shipped schema does
UNSAID_SHARE = 0.7  # of names and identifiers of own schemas that are asked for as plain text

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


def document_asked(name: str, random: np.random.Generator) -> Question:
    """Whether a page is a document of this type, as a shipped schema asks or in other words."""
    if name in SHIPPED and random.random() < OFFICIAL_SHARE:
        return document_question(name, load_schema(name).description)
    wordings = DOCUMENTS[name]
    wording = wordings[int(random.integers(len(wordings)))]
    return document_question(name if random.random() < 0.5 else "", wording)


@cache
def official(schema: str) -> dict[str, Question]:
    return questions(load_schema(schema))


def question_for(example: Example, path: str, random: np.random.Generator | None) -> Question:
    known = official(example.schema).get(path) if example.schema in SHIPPED else None
    if known is None:
        wording, group = _own_wording(example, path, random), _group(example, path, random)
        return Question(wording, group, FieldPath.parse(path).is_cell)
    if random is None or random.random() < OFFICIAL_SHARE:
        return known
    wordings = [w for w in (*PHRASINGS.get(path, ()), example.prompts.get(path, "")) if w]
    if not wordings or random.random() < 0.15:
        return Question(worded(path, ""), known.group, known.repeated)
    wording = wordings[int(random.integers(len(wordings)))]
    return Question(worded(path, wording) if random.random() < 0.3 else wording, known.group, known.repeated)


def _own_wording(example: Example, path: str, random: np.random.Generator | None) -> str:
    prompt = example.prompts.get(path, "")
    if random is None:
        return worded(path, prompt)
    choice = random.random()
    if choice < 0.4 or not prompt:
        return worded(path, "")
    return prompt if choice < 0.7 else worded(path, prompt)


def _group(example: Example, path: str, random: np.random.Generator | None) -> str:
    """A user's JSON Schema says dates and numbers; whether a string is a name or an identifier it mostly does not."""
    group = example.kinds.get(path, "text")
    unsaid = random is None or random.random() < UNSAID_SHARE
    return "text" if unsaid and group in ("name", "address", "identifier") else group
