"""A schema of one's own: `docpipe run orders/ --schema schemas/examples/ad_buy.py:AdBuy`."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from docpipe.schemas.kinds import Expected, Identifier, IsoDate, Money, Name
from docpipe.schemas.rules import DatesInOrder, Sum


class Spot(BaseModel):
    station: Annotated[str | None, Name()] = Field(None, description="station that sends the spot")
    amount: Annotated[Decimal | None, Money()] = Field(None, description="price of this spot")


class AdBuy(BaseModel):
    """An order for advertising time."""

    contract_number: Annotated[str | None, Identifier(), Expected()] = Field(
        None, description="contract or order number", examples=["77120"]
    )
    flight_from: Annotated[dt.date | None, IsoDate()] = Field(None, description="first day of the flight")
    flight_to: Annotated[dt.date | None, IsoDate()] = Field(None, description="last day of the flight")
    spots: list[Spot] = Field(default_factory=list)
    gross_amount: Annotated[Decimal | None, Money(), Expected()] = Field(None, description="gross total of the order")

    rules: ClassVar = (
        DatesInOrder("flight_from", "flight_to"),
        Sum("spots[].amount", ("gross_amount",)),
    )
