"""How a document writes dates and numbers, read from its own lines.

In: the lines of a document. Out: `Conventions`: order of day and month, decimal mark, language, country, currency,
each with the reason in `why`. What the lines do not say stays None; nothing is assumed.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

from docpipe.protocols import Conventions, Texts
from schemas.codes import SHARED, currency_marks
from schemas.dates import read_dates
from schemas.numbers import Mark

MOST_LINES = 600
"""Lines. The first pages say how a document writes; a 1,000-page print is not read through."""
LEAST_STOP_WORDS = 3
"""Stop words. Fewer decide no language."""

STOP_WORDS = {
    "en": "the of and to for is on at by from with this your you our tel fax invoice total date amount cash change"
    " thank please tax",
    "de": "der die das und für von mit ist bis zum zur den dem im rechnung datum betrag gesamt summe mwst ust netto"
    " brutto euro bitte",
    "fr": "le la les des du et à de pour par sur facture date montant tva ttc ht merci votre nous une client échéance",
    "es": "el los las del y para por con factura fecha importe iva total gracias su una cliente vencimiento cantidad",
    "it": "il lo gli della dei e di per con fattura data importo iva totale grazie scadenza quantità prezzo imponibile",
    "nl": "het een van en voor met op factuur datum bedrag btw totaal bedankt aantal prijs uw wij vervaldatum",
}
"""Short words that only running text of the language has, and the words every bill has."""


def _languages_by_word() -> dict[str, list[str]]:
    words: dict[str, list[str]] = {}
    for language, listed in STOP_WORDS.items():
        for word in listed.split():
            words.setdefault(word, []).append(language)
    return words


_LANGUAGES = _languages_by_word()

COUNTRY_BY_CURRENCY = {
    "MYR": "MY", "GBP": "GB", "IDR": "ID", "CHF": "CH", "PLN": "PL", "CZK": "CZ", "SEK": "SE", "NOK": "NO",
    "DKK": "DK", "HUF": "HU", "INR": "IN", "SGD": "SG", "AUD": "AU", "NZD": "NZ", "JPY": "JP", "THB": "TH",
}  # fmt: skip
MONTH_FIRST_COUNTRIES = frozenset({"US", "PH"})
YEAR_FIRST_COUNTRIES = frozenset({"JP", "CN", "KR", "TW", "HU", "CA"})
"""No order of day and month follows from these: Canada writes all three."""
DAY_FIRST_LANGUAGES = frozenset({"de", "fr", "es", "it", "nl"})

_US_STATE = re.compile(
    r"\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ALN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY])[.,]?\s*\d{5}(?:-\d{4})?\b"
)
_COUNTRY_SIGNS = (
    (
        "MY",
        re.compile(
            r"\bSDN\.?\s*BHD|\bMALAYSIA|\bJALAN\b|\bJLN\b|\bGST\s*(?:ID|REG)|\bSELANGOR|\bKUALA LUMPUR|\bJOHOR", re.I
        ),
    ),
    ("DE", re.compile(r"\bGmbH\b|\bDE\s?\d{9}\b|\bUSt-?Id|\bDeutschland\b|\bMwSt", re.I)),
    ("FR", re.compile(r"\bSIRET\b|\bSIREN\b|\bTVA\b|\bFrance\b|\bFR\s?\d{11}\b")),
    ("GB", re.compile(r"\bUnited Kingdom\b|\bGB\s?\d{9}\b|\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b")),
    ("IT", re.compile(r"\bP\.?\s?IVA\b|\bItalia\b|\bS\.r\.l\.")),
    ("ES", re.compile(r"\bN\.?I\.?F\b|\bC\.?I\.?F\b|\bEspaña\b")),
    ("NL", re.compile(r"\bKvK\b|\bNederland\b|\bB\.V\.")),
    ("US", re.compile(r"\bUnited States\b|\bU\.S\.|\bUSA\b|\(\d{3}\)\s?\d{3}-\d{4}")),
    ("ID", re.compile(r"\bNPWP\b|\bIndonesia\b|\bPPN\b|\bJakarta\b")),
    ("CA", re.compile(r"\bCanada\b|\b[A-Z]\d[A-Z]\s\d[A-Z]\d\b")),
)
_POINT_DECIMAL = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)\.\d{2}(?![\d.,]*\d)")
_COMMA_DECIMAL = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:[. ]\d{3})+|\d+),\d{2}(?![\d.,]*\d)")
_SURE_POINT = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+\.\d")
_SURE_COMMA = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3})+,\d")
_LETTERS = re.compile(r"[^\W\d_]+")
_DATE_LIKE = re.compile(r"\d[\s./-]{1,3}\d{1,2}[\s./-]{1,3}'?\d{2}")


def conventions(texts: Texts) -> Conventions:
    """How the document with these lines writes dates and numbers."""
    lines = list(islice(texts, MOST_LINES))
    text = "\n".join(lines)
    why: dict[str, str] = {}
    language = _language(text, why)
    country = _country(text, why)
    currency = _currency(text, country, language, why)
    if country is None and currency in COUNTRY_BY_CURRENCY:
        country = COUNTRY_BY_CURRENCY[currency]
        why["country"] = f"the currency is {currency}"
    day_first, reason = _order_of_dates(lines)
    if day_first is None:
        day_first, reason = _order_of_place(language, country, currency)
    if day_first is not None:
        why["day_first"] = reason
    mark = _decimal_mark(text, why)
    return Conventions(day_first, mark, language, country, currency, why)


def _language(text: str, why: dict[str, str]) -> str | None:
    counts: Counter[str] = Counter()
    for word in _LETTERS.findall(text.lower()):
        counts.update(_LANGUAGES.get(word, ()))
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < LEAST_STOP_WORDS or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    why["language"] = f"{ranked[0][1]} words of {ranked[0][0]}"
    return ranked[0][0]


def _country(text: str, why: dict[str, str]) -> str | None:
    counts = Counter({country: len(sign.findall(text)) for country, sign in _COUNTRY_SIGNS})
    counts["US"] += len(_US_STATE.findall(text))
    ranked = [pair for pair in counts.most_common(2) if pair[1]]
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    why["country"] = f"{ranked[0][1]} signs of {ranked[0][0]} (addresses, company forms, tax numbers)"
    return ranked[0][0]


def _currency(text: str, country: str | None, language: str | None, why: dict[str, str]) -> str | None:
    counts: Counter[str] = Counter(currency_marks(text))
    for mark, codes in SHARED.items():
        times = counts.pop(mark, 0)
        named = next((code for code in codes.values() if code in counts), None)
        code = named or codes.get(country or "", codes.get(language or ""))
        if times and code:
            counts[code] += times
    ranked = counts.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    why["currency"] = f"{ranked[0][0]} is marked {ranked[0][1]} times"
    return ranked[0][0]


def _order_of_dates(lines: list[str]) -> tuple[bool | None, str]:
    """The order that the printed dates have, when all that can be read only one way agree."""
    seen: dict[bool, str] = {}
    for line in lines:
        if _DATE_LIKE.search(line):
            for reading in read_dates(line):
                if reading.day_first is not None:
                    seen.setdefault(reading.day_first, reading.text)
    if len(seen) != 1:
        return None, ""
    ((order, example),) = seen.items()
    return order, f"{example.strip()} can be read only one way"


def _order_of_place(language: str | None, country: str | None, currency: str | None) -> tuple[bool | None, str]:
    """The order that is usual where the document comes from; None when the signs contradict each other."""
    if country in MONTH_FIRST_COUNTRIES:
        agrees = currency in {None, "USD", "PHP"}
        return (False, f"the country is {country}") if agrees else (None, "")
    if language in DAY_FIRST_LANGUAGES:
        return True, f"the language is {language}"
    if country in YEAR_FIRST_COUNTRIES or currency == "USD":
        return None, ""
    if country is not None:
        return True, f"the country is {country}"
    return (True, "the currency is EUR") if currency == "EUR" else (None, "")


def _decimal_mark(text: str, why: dict[str, str]) -> Mark | None:
    sure = (len(_SURE_POINT.findall(text)), len(_SURE_COMMA.findall(text)))
    points, commas = sure if sum(sure) else (len(_POINT_DECIMAL.findall(text)), len(_COMMA_DECIMAL.findall(text)))
    if points == commas or min(points, commas) * 3 > max(points, commas):
        return None
    why["decimal_mark"] = f"{max(points, commas)} amounts have it"
    return "." if points > commas else ","
