"""The sign of a printed number, and what else stands beside it.

In: a text and where a number stands in it. Out: whether it is negative, how far it reaches with its currency and its
sign, and what of the text is neither that nor known to be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from docpipe.schema_ports import Conventions
from docpipe.schemas.codes import SYMBOL_PATTERN, SYMBOLS
from docpipe.schemas.territories import has_no_cents
from docpipe.schemas.words import folded

DASHES = "-−–—‐‑‒―⁻˗﹘﹣－"
CLOSING_DASH_CURRENCIES = frozenset({"INR", "PKR", "LKR", "BDT", "NPR"})
"""Where `500/-` and `500-` close an amount without cents, though the currency has some."""
SCALE_WORDS = frozenset([
    *("k", "tsd", "thousand", "million", "millions", "mio", "mln", "mrd", "bn", "hundred", "dozen", "lakh", "lac"),
    *("lakhs", "crore", "crores", "cr", "mille", "mila", "mil", "tausend", "millionen"),
])  # fmt: skip
"""They make the value another one: `1.2 Mio.`, `12 k`."""
SCALE_LETTERS_BEFORE = frozenset(["t"])
"""`T€ 12` are thousands; behind an amount a `T` names its tax, behind a quantity tonnes."""
UNIT_WORDS = frozenset(["dozen", "hundred", "thousand", "mille", "mil", "cr"])
"""Of these, those that a quantity has as its unit."""
NEGATIONS = frozenset(["minus", "less", "abzuglich", "abzgl", "moins", "menos", "meno"])
SCALE_LETTERS_BEHIND = re.compile(r"(?<=\d)(?<!\d[.,]\d\d)\s?(?:[KkMmBL]\b|[cp](?![\w./]))|\bT\s?€|¢")
"""`$1.2M`, `12 k`, `12 T€`, and hundredths: `50¢`, `50p`. Behind two decimals a letter names the tax: `2,99 B`."""
HARMLESS_WORDS = frozenset([
    *("net", "netto", "nett", "gross", "brutto", "ttc", "ht", "hors", "incl", "inkl", "excl", "exkl", "inc", "only"),
    *("nur", "total", "vat", "mwst", "ust", "tva", "iva", "btw", "moms", "mva", "gst", "sst", "tax", "taxes", "plus"),
    *("dollar", "dollars", "euro", "euros", "cash", "due", "balance", "taxable", "ea", "month", "monthly", "mois"),
    *("stuck", "stk", "zzgl", "bez", "dph", "ringgit", "baht", "kroner", "kronor", "credit"),
    *("inclusive", "including", "excluding", "of", "von", "sur", "de", "auf", "per", "pro", "je", "por", "par", "each"),
])  # fmt: skip
"""Behind an amount they say what it is, not how much."""
MAX_TAX_CODE_LETTERS = 3
"""Letters behind a receipt's amount that name its tax: `10.60 S`, `5.00 SR`, `3.20 ZRL`."""

_CURRENCY = rf"(?:{SYMBOL_PATTERN}|\b[A-Z]{{2,3}}\b|\bFr\b)\.?"
_CURRENCY_BEFORE = re.compile(rf"{_CURRENCY}\s*$")
_CURRENCY_BEHIND = re.compile(rf"\s*{_CURRENCY}")
_CREDIT = re.compile(rf"\s*[{DASHES}(]?\s?(?:C[Rr]|cr)\.?\)?(?![\w.])")
_CREDIT_BEFORE = re.compile(r"(?<!\w)C[Rr]\.?\s*$")
_DEBIT = re.compile(r"\s*\(?(?:D[Rr]|dr)\.?\)?(?![\w.])")
_BOOKING = re.compile(r"\s*([HS])(?![\w.,])")
_TRIANGLE = re.compile(r"[△▲]\s?$")
_CLOSING = re.compile(rf"\s?(?:[.,]|/)\s?[{DASHES}=]+")
_MINUS_TOUCHING = re.compile(rf"(?P<blank>)[{DASHES}](?!\w)(?!\s*\d)")
_MINUS_BEHIND = re.compile(rf"(?P<blank>\s?)[{DASHES}](?!\w)(?!\s*\w)")
_SMALL = re.compile(r"\d{1,3}[.,]\d+")
_TWO_DECIMALS = re.compile(r"[.,]\d{2,3}$")
_OPENED, _CLOSED = re.compile(r"\(\s*$"), re.compile(r"\s*\)")
_FRACTION_OR_SIGN = re.compile(r"[\d½¼¾⅓⅔⅛⅜⅝⅞±~≈<>]")
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_MARK = re.compile(rf"(?=.)\(?[{DASHES}△▲]?(?:{_CURRENCY})?[{DASHES}]?\)?|[CD][Rr]\.?|H")
_MISREAD_DIGITS = re.compile(r"[OoQDlISBZ]{1,3}[.,][OoQDlISBZ]{1,2}(?!\w)")
"""Behind digits: of `£14S.SS` only 14 would be left."""
_DASH_BEFORE_WORD = re.compile(rf"[{DASHES}][^\W\d_]")
"""Behind digits: in `12.50-EUR` the dash may be a minus."""
_UNIT_OF_PRICE = re.compile(r"\s*/\s?[^\W\d_]+\.?²?³?")


@dataclass(frozen=True, slots=True)
class Sign:
    """Whether a number is negative, and from where to where it reaches with its currency and its sign. `doubt`: why
    that is not sure; empty where it is."""

    is_negative: bool
    start: int
    end: int
    doubt: str = ""


def sign_of(text: str, start: int, end: int, conventions: Conventions) -> Sign:
    """Of the number whose digits are `text[start:end]`: a minus before it or its currency, or behind them; parentheses
    around them; `CR` (on an invoice a credit is what the buyer gets back)."""
    before = _CURRENCY_BEFORE.search(text[:start])
    outer_start = before.start() if before else start
    closing = _CLOSING.match(text, end)
    inner_end = closing.end() if closing else end
    outer_end = behind.end() if (behind := _CURRENCY_BEHIND.match(text, inner_end)) else inner_end
    minus_start = _minus_before(text[:start])
    if minus_start is None and before:
        minus_start = _minus_before(text[:outer_start])
    if minus_start is not None:
        return Sign(True, min(minus_start, outer_start), outer_end)
    opened = _OPENED.search(text[:outer_start])
    if opened and (closed := _CLOSED.match(text, outer_end)):
        return Sign(True, opened.start(), closed.end())
    if credit := _credit(text, start, end, conventions):
        return replace(credit, start=min(credit.start, outer_start), end=max(credit.end, outer_end))
    minus = None if closing else _MINUS_TOUCHING.match(text, end) or _MINUS_BEHIND.match(text, outer_end)
    if minus is None:
        return Sign(False, outer_start, outer_end)
    outer_end = behind.end() if (behind := _CURRENCY_BEHIND.match(text, minus.end())) else max(minus.end(), outer_end)
    currency = before.group().strip(" .") if before else ""
    dash = _sign_of_dash_behind(text[start:end], currency, conventions)
    return replace(dash, start=outer_start, end=outer_end)


def _credit(text: str, start: int, end: int, conventions: Conventions) -> Sign | None:
    """`CR` before a number or behind it and its currency, or `DR`, which changes nothing; None where neither is. In
    German bookkeeping they are `H` and `S`."""
    if credit := _CREDIT_BEFORE.search(text[:start]):
        return Sign(True, credit.start(), end)
    outer_end = behind.end() if (behind := _CURRENCY_BEHIND.match(text, end)) else end
    for place in (end, outer_end):
        if credit := _CREDIT.match(text, place):
            return Sign(True, start, credit.end(), _doubt_of_credit(text[start:end], text, conventions))
        if debit := _DEBIT.match(text, place):
            return Sign(False, start, debit.end())
        if letter := _BOOKING.match(text, place) if conventions.has_booking_letters else None:
            return Sign(letter[1] == "H", start, letter.end())
    return None


def _sign_of_dash_behind(printed: str, currency: str, conventions: Conventions) -> Sign:
    """`12,50-` is negative; in `¥137,500-` the dash closes an amount that has no cents. `500-` may be either."""
    code = SYMBOLS.get(currency, currency)
    if code not in CLOSING_DASH_CURRENCIES and conventions.currency and code in {"$", "kr", ""}:
        code = conventions.currency
    if re.search(r"[.,]\d{1,2}$", printed):
        return Sign(True, 0, 0)
    if code in CLOSING_DASH_CURRENCIES or (len(code) == 3 and has_no_cents(code)):
        return Sign(False, 0, 0)
    return Sign(True, 0, 0, f"the dash behind {printed} may be a minus, or close an amount without cents")


def _doubt_of_credit(printed: str, text: str, conventions: Conventions) -> str:
    """`108.43 CR` is a credit; `2.5 Cr` may be crores, which are ten millions, and so may `₹ 2.50 Cr`."""
    symbols = {SYMBOLS[symbol] for symbol in re.findall(SYMBOL_PATTERN, text)}
    counts_crores = not CLOSING_DASH_CURRENCIES.isdisjoint({*symbols, conventions.currency})
    is_amount = _TWO_DECIMALS.search(printed) and not (counts_crores and _SMALL.fullmatch(printed))
    return "" if is_amount else f"CR behind {printed} may be a credit, or ten millions"


def _minus_before(head: str) -> int | None:
    """Where a minus at the end of the text before a number, or before its currency, begins. A dash that joins words
    (`INV-12`) or stands between two (`Total - 12`) is none."""
    if triangle := _TRIANGLE.search(head):  # Japanese bookkeeping
        return triangle.start()
    stripped = head.rstrip()
    if not stripped or stripped[-1] not in DASHES:
        return None
    lead, touches = stripped[:-1], len(stripped) == len(head)
    is_alone = not lead.strip()
    is_apart = bool(lead) and lead[-1].isspace() and touches
    is_behind_mark = bool(lead) and not lead[-1].isalnum() and not lead[-1].isspace()
    return len(lead) if is_alone or is_apart or is_behind_mark else None


def is_sign_mark(word: str) -> bool:
    """Whether a word of its own may be a part of the sign of the number beside it: `-`, `€`, `-kr`, `CR`, `(`."""
    return _SIGN_MARK.fullmatch(word) is not None


def ignored_text(text: str, reaches: Iterable[tuple[int, int]], *, words_are_units: bool) -> str:
    """What of a text is no part of its numbers (each from `start` to `end`), and may make the value another one:
    digits, fractions, signs, words that scale or negate, and words behind an amount that are not known. Empty: nothing.
    """
    spans = sorted(reaches)
    pieces, position = [], 0
    for start, end in spans:
        pieces.append(text[position:start])
        position = max(position, end)
    behind = text[position:]
    for piece in (*pieces, behind):
        if _FRACTION_OR_SIGN.search(piece):
            return piece.strip()
    if misread := _MISREAD_DIGITS.match(behind):
        return misread.group()
    if not words_are_units and _DASH_BEFORE_WORD.match(behind):
        return behind.strip()
    if not words_are_units and ((pieces and pieces[0].rstrip().endswith("(")) or behind.lstrip().startswith(")")):
        return "( or ) alone"
    scale = None if words_are_units or not spans else SCALE_LETTERS_BEHIND.search(text, spans[-1][0])
    if scale:
        return scale.group().strip()
    words_before = [folded(word) for piece in pieces for word in _WORD.findall(piece)[-1:]]
    words_behind = _WORD.findall(_UNIT_OF_PRICE.sub("", behind, count=1))
    words = SCALE_WORDS | NEGATIONS
    changing = [word for word in words_before if word in words | SCALE_LETTERS_BEFORE]
    changing += [
        word for word in map(folded, words_behind) if word in words - (UNIT_WORDS if words_are_units else set())
    ]
    unknown = [] if words_are_units else [word for word in words_behind if not _is_harmless(word)]
    return " ".join(changing or unknown)


def _is_harmless(word: str) -> bool:
    return folded(word) in HARMLESS_WORDS or (len(word) <= MAX_TAX_CODE_LETTERS and word.isupper()) or len(word) == 1
