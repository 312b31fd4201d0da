"""The kind that says whether an amount on the whole document is taken off or added, by the word that is printed for it.

In: a caption (`Rabatt 5 %`, `Versandkosten`). Out: `Parsed` with `allowance` or `charge` (EN 16931 BG-20, BG-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from docpipe.schemas import captions
from docpipe.schemas.adjustments import ALLOWANCE
from docpipe.schemas.choices import Choice

CHARGE = "charge"
CHARGE_CAPTIONS = (*captions.CHARGE, *captions.DEPOSIT)
_WORDS: Mapping[str, tuple[str, ...]] = {ALLOWANCE: captions.DISCOUNT, CHARGE: CHARGE_CAPTIONS}


@dataclass(frozen=True)
class ChargeSign(Choice):
    """`allowance` or `charge`."""

    values: tuple[str, ...] = (ALLOWANCE, CHARGE)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _WORDS, hash=False)

    name: ClassVar[str] = "charge_sign"
