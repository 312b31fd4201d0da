"""Letters that mark a currency at home and are other words elsewhere: `KD 3.300`, `S/ 12.50`, `12,50 lei`.

In: a text. Out: the currencies of the amounts beside which such letters stand. Only an amount with as many decimals
as the currency has shows what the letters are: `RO 4.50` are no rials.
"""

from __future__ import annotations

import re

LOCAL_SIGNS = {
    "KD": "KWD", "K.D": "KWD", "BD": "BHD", "B.D": "BHD", "JD": "JOD", "J.D": "JOD", "RO": "OMR", "R.O": "OMR",
    "DT": "TND", "LD": "LYD", "L.D": "LYD", "S/": "PEN", "S/.": "PEN",
    "TL": "TRY", "lei": "RON", "Lei": "RON", "LEI": "RON", "KM": "BAM", "Fr": "CHF",
}  # fmt: skip
"""Without the point at the end. Dinars and rials have three decimals, the others two (ISO 4217)."""

_TWO_DECIMALS = frozenset({"PEN", "TRY", "RON", "BAM", "CHF"})


def _beside_amounts(signs: list[str], decimals: int) -> re.Pattern[str]:
    amount = rf"(?:(?:\d{{1,3}}(?:,\d{{3}})+|\d+)\.\d{{{decimals}}}|(?:\d{{1,3}}(?:[. ]\d{{3}})+|\d+),\d{{{decimals}}})"
    either = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
    before = rf"(?<![\w./])({either})\.?\s?[-−–]?{amount}(?![.,]?\d)"
    return re.compile(rf"{before}|(?<![\d.,]){amount}\s?({either})(?!\w)")


_PATTERNS = tuple(
    _beside_amounts(
        [sign for sign, code in LOCAL_SIGNS.items() if (code in _TWO_DECIMALS) == (decimals == 2)], decimals
    )
    for decimals in (2, 3)
)


def local_currencies(text: str) -> list[str]:
    """The currency of each amount that stands beside such letters."""
    found = (match for pattern in _PATTERNS for match in pattern.finditer(text))
    return [LOCAL_SIGNS[match[1] or match[2]] for match in found]
