"""A receipt from a till.

In: nothing. Out: `Receipt`; the descriptions are the prompts.
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
from docpipe.schemas.kinds import (
    Address,
    Captioned,
    ClockTime,
    Currency,
    Deduction,
    Expected,
    IsoDate,
    Money,
    Name,
    Phone,
    Quantity,
    Text,
)
from docpipe.schemas.objections import NotTheCash
from docpipe.schemas.rules import CASH_ROUNDING, RowProduct, Sum, Total


class Item(BaseModel):
    """One thing that was bought."""

    description: Annotated[str | None, Text()] = Field(None, description="name of the article or dish on this line")
    quantity: Annotated[Decimal | None, Quantity()] = Field(None, description="how many on this line, qty")
    unit_price: Annotated[Decimal | None, Money()] = Field(None, description="price of one piece on this line")
    amount: Annotated[Decimal | None, Money()] = Field(None, description="price of this line")


_ADJUSTED = Adjustments(plus=("deposit",), minus=("discount",))


class Receipt(BaseModel):
    """What a till printed for a purchase that was paid."""

    merchant_name: Annotated[str | None, Name(), Expected()] = Field(
        None, description="name of the shop, restaurant or company, at the top", examples=["Café Blue Lantern"]
    )
    merchant_address: Annotated[str | None, Address()] = Field(
        None, description="address of the shop: street, postcode, city"
    )
    merchant_phone: Annotated[str | None, Phone()] = Field(
        None, description="telephone number of the shop", examples=["+44 20 7946 0018"]
    )
    date: Annotated[dt.date | None, IsoDate(), Expected()] = Field(
        None, description="date of the purchase", examples=["17/08/2019", "17 Aug 2019"]
    )
    time: Annotated[dt.time | None, ClockTime()] = Field(
        None, description="time of the purchase", examples=["10:35", "4:05 PM"]
    )
    currency: Annotated[str | None, Currency()] = Field(
        None, description="currency of the amounts", examples=["RM", "$", "EUR"]
    )
    items: list[Item] = Field(default_factory=list, description="the things bought")
    subtotal: Annotated[Decimal | None, Money()] = Field(
        None, description="sum of the items before tax and tip, subtotal"
    )
    tax: Annotated[Decimal | None, Money()] = Field(None, description="total tax, GST, VAT, sales tax")
    tip: Annotated[Decimal | None, Money()] = Field(None, description="tip, gratuity")
    total: Annotated[Decimal | None, Money(), Expected()] = Field(
        None, description="total to pay, grand total with tax", examples=["47.30", "$47.30"]
    )
    payment_method: Annotated[str | None, Text()] = Field(
        None, description="how it was paid: cash, card, Visa, Mastercard", examples=["CASH", "VISA"]
    )
    discount: Annotated[Decimal | None, Deduction(), Captioned(captions.DISCOUNT)] = Field(
        None, description="discount on the whole purchase, Rabatt, remise, voucher"
    )
    deposit: Annotated[Decimal | None, Money(), Captioned(("deposit", *captions.DEPOSIT))] = Field(
        None, description="deposit on bottles and crates, negative where it is returned, Pfand, Leergut, consigne"
    )
    change: Annotated[Decimal | None, Deduction(), Captioned(captions.CHANGE)] = Field(
        None, description="change given back, Rückgeld, rendu"
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("items[].amount", ("subtotal", "total"), adjusted_by=_ADJUSTED),
        Total(
            "total",
            plus=("subtotal", "tax", "tip"),
            optional=("tip",),
            included=("tax",),
            adjusted_by=_ADJUSTED,
            tolerance=CASH_ROUNDING,
        ),
        NotTheCash("total", "subtotal", "change", ("tax", "tip")),
        RowProduct("items[].quantity", "items[].unit_price", "items[].amount"),
    )
