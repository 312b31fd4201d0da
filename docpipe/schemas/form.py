"""A form: printed labels and what was filled in.

In: nothing. Out: `Form`; the descriptions are the prompts.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from docpipe.schemas.kinds import Text


class Pair(BaseModel):
    """One question of the form and its answer."""

    label: Annotated[str | None, Text()] = Field(
        None, description="printed label or question of a form field", examples=["Date:"]
    )
    value: Annotated[str | None, Text()] = Field(
        None, description="answer that was filled in for the label", examples=["4/11/88"]
    )


class Form(BaseModel):
    """A form of any kind, as pairs of label and value."""

    pairs: list[Pair] = Field(default_factory=list, description="the fields of the form that are filled in")
