"""An invoice in the business terms of EN 16931.

In: nothing. Out: `Invoice`; the descriptions are the prompts.
Every field may be absent; `Expected` ones make it complete.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from docpipe.schema_ports import Rule
from docpipe.schemas import captions
from docpipe.schemas.adjustments import Adjustments
from docpipe.schemas.charge_signs import CHARGE_CAPTIONS
from docpipe.schemas.kinds import (
    Address,
    Captioned,
    ChargeSign,
    Currency,
    Deduction,
    Expected,
    Iban,
    Identifier,
    InvoiceType,
    IsoDate,
    Money,
    Name,
    Quantity,
    Rate,
    Text,
    Unit,
    VatId,
)
from docpipe.schemas.objections import NetWithoutTax, NotAbove, NoTaxOfOtherSign, NotTheSame, TaxBelowGross
from docpipe.schemas.rules import DatesInOrder, RateTimesBase, RowProduct, Sum, Total


class LineItem(BaseModel):
    """One line of the invoice."""

    description: Annotated[str | None, Text()] = Field(None, description="what was sold on this line: goods or service")
    quantity: Annotated[Decimal | None, Quantity()] = Field(
        None, description="how many on this line, quantity, Menge, quantité"
    )
    unit: Annotated[str | None, Unit()] = Field(None, description="unit of the quantity: pieces, hours, kg, Stück")
    unit_price: Annotated[Decimal | None, Money()] = Field(
        None, description="net price of one unit, unit price, Einzelpreis, prix unitaire"
    )
    tax_rate: Annotated[Decimal | None, Rate()] = Field(None, description="VAT percent of this line")
    amount: Annotated[Decimal | None, Money()] = Field(
        None, description="amount of this line, line total, Gesamtpreis, montant"
    )


class TaxRow(BaseModel):
    """One rate of the tax table."""

    rate: Annotated[Decimal | None, Rate()] = Field(None, description="VAT percent of this row of the tax table")
    net: Annotated[Decimal | None, Money()] = Field(None, description="net amount taxed at this rate, tax base, HT")
    tax: Annotated[Decimal | None, Money()] = Field(None, description="tax amount at this rate")


_INVOICE_NUMBER = Captioned(captions.INVOICE_NUMBER, beside_network=True)
_ISSUE_DATE = Captioned(captions.ISSUE_DATE, beside_network=True)
_DUE_DATE = Captioned(captions.DUE_DATE, beside_network=True)
_ADJUSTMENT = Captioned((*captions.DISCOUNT, *CHARGE_CAPTIONS), below=captions.SUBTOTAL)
_ADJUSTMENT_CAPTION = Captioned(_ADJUSTMENT.captions, "caption", _ADJUSTMENT.below)


class AllowanceOrCharge(BaseModel):
    """What is taken off the whole invoice, or added to it: a discount, shipping, a deposit on bottles."""

    reason: Annotated[str | None, Text(), _ADJUSTMENT_CAPTION] = Field(
        None, description="reason of this discount or charge on the whole invoice: Rabatt, remise, shipping, Versand"
    )
    sign: Annotated[str | None, ChargeSign(), _ADJUSTMENT_CAPTION] = Field(
        None, description="allowance if this row is taken off (discount), charge if it is added (shipping)"
    )
    amount: Annotated[Decimal | None, Money(), _ADJUSTMENT] = Field(
        None, description="amount of this discount or charge, as printed"
    )


_ADJUSTED = Adjustments("allowances_and_charges[].amount", "allowances_and_charges[].sign")


class Invoice(BaseModel):
    """A bill from a seller to a buyer."""

    invoice_number: Annotated[str | None, Identifier(), Expected(), _INVOICE_NUMBER] = Field(
        None, description="invoice number, Rechnungsnummer, numéro de facture", examples=["2021-00417", "INV/3381"]
    )
    invoice_type: Annotated[str | None, InvoiceType()] = Field(
        None,
        description="title of the document: invoice or credit note, Rechnung, facture, avoir",
        examples=["Rechnung"],
    )
    issue_date: Annotated[dt.date | None, IsoDate(), Expected(), _ISSUE_DATE] = Field(
        None, description="date of the invoice, Rechnungsdatum, date de facture", examples=["07.06.2021"]
    )
    due_date: Annotated[dt.date | None, IsoDate(), _DUE_DATE] = Field(
        None, description="date until which to pay, due date, fällig am, échéance", examples=["07.07.2021"]
    )
    currency: Annotated[str | None, Currency()] = Field(
        None, description="currency of the amounts", examples=["EUR", "€", "$"]
    )
    purchase_order: Annotated[str | None, Identifier()] = Field(
        None, description="buyer's purchase order number, PO, Bestellnummer, bon de commande", examples=["PO-77120"]
    )
    buyer_reference: Annotated[str | None, Identifier()] = Field(
        None,
        description="buyer's reference, your reference, Leitweg-ID, customer reference",
        examples=["991-33333TEST-33"],
    )
    seller_name: Annotated[str | None, Name(), Expected()] = Field(
        None,
        description="company that sends the invoice: seller, supplier, vendor",
        examples=["Nordlicht Werkzeuge GmbH"],
    )
    seller_address: Annotated[str | None, Address()] = Field(None, description="postal address of the seller")
    seller_vat_id: Annotated[str | None, VatId()] = Field(
        None, description="VAT number of the seller, USt-IdNr., N° TVA", examples=["DE811907980"]
    )
    buyer_name: Annotated[str | None, Name()] = Field(
        None, description="customer who receives the invoice: bill to, buyer, client", examples=["Atelier Rivage SARL"]
    )
    buyer_address: Annotated[str | None, Address()] = Field(None, description="postal address of the buyer, bill to")
    buyer_vat_id: Annotated[str | None, VatId()] = Field(
        None, description="VAT number of the buyer, customer's USt-IdNr., TVA du client", examples=["FR40303265045"]
    )
    iban: Annotated[str | None, Iban()] = Field(
        None, description="IBAN of the bank account to pay to", examples=["DE89 3704 0044 0532 0130 00"]
    )
    payment_terms: Annotated[str | None, Text()] = Field(
        None, description="payment terms, Zahlungsbedingungen, conditions de paiement", examples=["30 days net"]
    )
    line_items: list[LineItem] = Field(default_factory=list, description="the lines of the invoice")
    tax_breakdown: list[TaxRow] = Field(default_factory=list, description="the tax table, one row for each rate")
    net_total: Annotated[Decimal | None, Money()] = Field(
        None, description="total without tax, net amount, subtotal, Nettobetrag, total HT", examples=["1.234,50"]
    )
    tax_total: Annotated[Decimal | None, Money()] = Field(
        None, description="total tax, VAT, MwSt., USt., montant TVA", examples=["19,00 €"]
    )
    gross_total: Annotated[Decimal | None, Money(), Expected()] = Field(
        None, description="total with tax, invoice total, Gesamtbetrag, total TTC", examples=["1.253,50 €"]
    )
    prepaid_amount: Annotated[Decimal | None, Deduction()] = Field(
        None, description="amount already paid, prepaid, deposit, Anzahlung, acompte"
    )
    amount_due: Annotated[Decimal | None, Money()] = Field(
        None, description="amount still to pay, balance due, Zahlbetrag, net à payer"
    )
    preceding_invoice_number: Annotated[str | None, Identifier(), Captioned(captions.PRECEDING_INVOICE)] = Field(
        None,
        description="number of the earlier invoice that this one corrects or credits, zu Rechnung, original invoice",
    )
    preceding_invoice_date: Annotated[dt.date | None, IsoDate(), Captioned(captions.PRECEDING_INVOICE)] = Field(
        None, description="date of the earlier invoice that this one corrects or credits"
    )
    delivery_date: Annotated[dt.date | None, IsoDate(), Captioned(captions.DELIVERY_DATE)] = Field(
        None, description="date of delivery or service, Lieferdatum, date de livraison"
    )
    period_start: Annotated[dt.date | None, IsoDate(), Captioned(captions.DELIVERY_PERIOD)] = Field(
        None, description="first day of the period that is billed, Leistungszeitraum, billing period"
    )
    period_end: Annotated[dt.date | None, IsoDate(), Captioned(captions.DELIVERY_PERIOD, "second")] = Field(
        None, description="last day of the period that is billed, Leistungszeitraum, billing period"
    )
    allowances_and_charges: list[AllowanceOrCharge] = Field(
        default_factory=list, description="discounts and charges on the whole invoice"
    )
    withholding_amount: Annotated[Decimal | None, Deduction(), Captioned(captions.WITHHOLDING)] = Field(
        None, description="tax that the buyer withholds, retención IRPF, ritenuta d'acconto, withholding tax"
    )
    rounding_amount: Annotated[Decimal | None, Money(), Captioned(captions.ROUNDING)] = Field(
        None, description="amount by which the total was rounded, rounding, Rundung, arrondi"
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("line_items[].amount", ("net_total", "gross_total"), adjusted_by=_ADJUSTED),
        Total(
            "gross_total",
            plus=("net_total", "tax_total", "rounding_amount"),
            optional=("rounding_amount",),
            included=("rounding_amount",),
            adjusted_by=_ADJUSTED,
        ),
        Total(
            "amount_due",
            plus=("gross_total", "rounding_amount"),
            minus=("prepaid_amount", "withholding_amount"),
            optional=("prepaid_amount", "withholding_amount", "rounding_amount"),
            included=("rounding_amount",),
        ),
        NotAbove("net_total", "gross_total", "tax_total", _ADJUSTED),
        NetWithoutTax("net_total", "gross_total", "tax_breakdown[].tax", _ADJUSTED),
        TaxBelowGross("tax_total", "gross_total"),
        NoTaxOfOtherSign("tax_breakdown[].rate", "tax_breakdown[].net", "tax_breakdown[].tax", "net_total"),
        NotTheSame("invoice_number", "preceding_invoice_number"),
        Sum("tax_breakdown[].net", ("net_total",)),
        Sum("tax_breakdown[].tax", ("tax_total",)),
        RateTimesBase("tax_breakdown[].rate", "tax_breakdown[].net", "tax_breakdown[].tax"),
        RowProduct("line_items[].quantity", "line_items[].unit_price", "line_items[].amount"),
        DatesInOrder("issue_date", "due_date"),
        DatesInOrder("period_start", "period_end"),
    )
