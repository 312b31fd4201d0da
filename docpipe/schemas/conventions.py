"""How a document writes dates and numbers, read from its own lines.

In: the lines of a document. Out: `Conventions`: order of day and month, decimal mark, language, country, currency,
each with the reason in `reasons`. What the lines do not say stays None; nothing is assumed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from docpipe.schema_ports import Conventions
from docpipe.schemas.amount_conventions import has_booking_letters, has_colon_amounts
from docpipe.schemas.codes import SHARED, currency_marks
from docpipe.schemas.country_signs import Signs, shared_signs, signs
from docpipe.schemas.dates import PrintedDate, read_dates
from docpipe.schemas.numbers import DecimalMark
from docpipe.schemas.territories import (
    country_of_currency,
    currency_in,
    day_first_in,
    day_first_in_language,
    day_first_of_currency,
    has_three_decimals,
    weekday_names,
)

MAX_LINES = 600
"""Lines. The first pages say how a document writes; a 1,000-page print is not read through."""
MIN_STOP_WORDS = 3
"""Stop words. Fewer decide no language."""
MIN_WHOLE_AMOUNTS = 3
"""Distinct amounts without cents. Fewer do not show what their mark means."""
MIN_DOUBLY_GROUPED = 2
"""Distinct numbers with the same mark twice (`6.025.000`): it groups, whatever the prices are."""

STOP_WORDS = {
    "en": "the of and to for is on at by from with this your you our tel fax invoice total date amount cash change"
    " thank please tax",
    "de": "der die das und für von mit ist bis zum zur den dem im rechnung datum betrag gesamt summe mwst ust netto"
    " brutto euro bitte",
    "fr": "le la les des du et à de pour par sur facture date montant tva ttc ht merci votre nous une client échéance",
    "es": "el los las del y para por con factura fecha importe iva total gracias su una cliente vencimiento cantidad",
    "it": "il lo gli della dei e di per con fattura data importo iva totale grazie scadenza quantità prezzo imponibile",
    "nl": "het een van en voor met op factuur datum bedrag btw totaal bedankt aantal prijs uw wij vervaldatum",
    "pt": "o os as das dos do da e para por com em fatura data valor iva total obrigado sua uma cliente vencimento",
    "sv": "och att det en för med av på till kvitto summa moms tack datum belopp faktura köp kontant kassa totalt",
    "da": "og at det en for med af på til kvittering moms tak dato beløb faktura køb kontant kasse total",
    "nb": "og at det en for med av på til kvittering regning bord kelner mva takk dato beløp faktura kjøp kontant",
    "ms": "dan yang di ke untuk dengan terima kasih jumlah tunai baki jalan resit tarikh invois cukai harga",
    "id": "dan yang di ke untuk dengan terima kasih jumlah tunai kembali kembalian jalan total harga struk tanggal",
}
"""Short words that only running text of the language has, and the words every bill has."""


def _languages_by_word() -> dict[str, list[str]]:
    words: dict[str, list[str]] = {}
    for language, listed in STOP_WORDS.items():
        for word in listed.split():
            words.setdefault(word, []).append(language)
    return words


_LANGUAGES = _languages_by_word()

LANGUAGE_VOTES = 2
"""A language is the writer's own; an address or a tax number may be the customer's."""
VOTE_MAJORITY = 2
"""An order that this many times as many signs speak for as against it is decided."""

_POINT_DECIMAL = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)\.\d{2}(?![\d.,]*\d)")
_COMMA_DECIMAL = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:[. ]\d{3})+|\d+),\d{2}(?![\d.,]*\d)")
_SURE_POINT = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+\.\d")
_SURE_COMMA = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3})+,\d")
_GROUPED = {mark: re.compile(rf"(?<![\d.,])[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+(?![\d.,]*\d)") for mark in ".,"}
_LEADING_ZERO = {mark: re.compile(rf"(?<![\d.,])0{re.escape(mark)}\d{{3}}(?![\d.,]*\d)") for mark in ".,"}
"""`0.750`: no mark groups behind a zero."""
_MONTH_DAY = re.compile(r"(?<![^\W_])[^\W\d_]{3,9}\.?\s?\d{1,2},\s?\d{4}(?!\d)")
_DAY_MONTH = re.compile(r"(?<!\d)\d{1,2}\.?\s[^\W\d_]{3,9}\.?,?\s\d{4}(?!\d)")
_LETTERS = re.compile(r"[^\W\d_]+")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DATE_LIKE = re.compile(r"\d[\s./-]{1,3}\d{1,2}[\s./-]{1,3}'?\d{2}")


def conventions(texts: Iterable[str]) -> Conventions:
    """How the document with these lines writes dates and numbers."""
    lines = list(islice(texts, MAX_LINES))
    text = "\n".join(lines)
    reasons: dict[str, str] = {}
    language = _language(text, reasons)
    country_signs = signs(text)
    country = _country(country_signs, reasons)
    currency = _currency(text, country, language, reasons)
    currency_country = country_of_currency(currency) if currency else None
    if country is None and currency_country is not None:
        country, reasons["country"] = currency_country, f"the currency is {currency}"
    day_first, reason = _order_of_dates(lines)
    if day_first is None:
        day_first, reason = _order_of_place(_votes(text, country_signs, language, currency), lines)
    if day_first is not None:
        reasons["day_first"] = reason
    mark = _decimal_mark(text, currency or (currency_in(country) if country else None), reasons)
    return Conventions(
        day_first,
        mark,
        language,
        country,
        currency,
        reasons,
        _years(lines),
        has_booking_letters(text, language, country),
        has_colon_amounts(text),
    )


def _language(text: str, reasons: dict[str, str]) -> str | None:
    counts: Counter[str] = Counter()
    for word in _LETTERS.findall(text.lower()):
        counts.update(_LANGUAGES.get(word, ()))
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < MIN_STOP_WORDS or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    reasons["language"] = f"{ranked[0][1]} words of {ranked[0][0]}"
    return ranked[0][0]


def _country(country_signs: Signs, reasons: dict[str, str]) -> str | None:
    """The country with the most kinds of sign; of two with as many the one whose signs are seen more often."""
    ranked = sorted(
        ((len(kinds), sum(kinds.values()), country) for country, kinds in country_signs.items()), reverse=True
    )
    if not ranked or (len(ranked) > 1 and ranked[0][:2] == ranked[1][:2]):
        return None
    _kinds, times, country = ranked[0]
    reasons["country"] = f"{times} signs of {country} ({', '.join(country_signs[country])})"
    return country


def _currency(text: str, country: str | None, language: str | None, reasons: dict[str, str]) -> str | None:
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
    reasons["currency"] = f"{ranked[0][0]} is marked {ranked[0][1]} times"
    return ranked[0][0]


def _order_of_dates(lines: list[str]) -> tuple[bool | None, str]:
    """The order that the printed dates have, when all that can be read only one way agree.

    A date beside the name of its weekday can be read one way when only one of its two readings falls on that day.
    """
    examples: dict[bool, str] = {}
    for line in lines:
        if _DATE_LIKE.search(line):
            for printed in read_dates(line):
                is_open = len(printed.dates) == 2 and not printed.languages
                order = _order_by_weekday(printed, line) if is_open else printed.day_first
                if order is not None:
                    examples.setdefault(order, printed.text)
    if len(examples) != 1:
        return None, ""
    ((order, example),) = examples.items()
    return order, f"{example.strip()} can be read only one way"


def _years(lines: list[str]) -> frozenset[int]:
    """The years of the dates whose year has four digits."""
    dates = (printed for line in lines if _YEAR.search(line) for printed in read_dates(line))
    return frozenset(date.year for printed in dates for date in printed.dates if str(date.year) in printed.text)


def _order_by_weekday(printed: PrintedDate, line: str) -> bool | None:
    """`Mon 03/07/2017` is the 3rd of July: the 7th of March was a Tuesday."""
    before, _date, after = line.partition(printed.text)
    beside = [*_LETTERS.findall(before.casefold())[-1:], *_LETTERS.findall(after.casefold())[:1]]
    days = {day for word in beside for day in weekday_names().get(word, ())}
    fits = [date.weekday() in days for date in printed.dates]
    return fits[0] if sum(fits) == 1 else None


Votes = dict[bool | None, dict[str, int]]
"""For an order (None: the country writes both): its signs and what each counts."""


def _votes(text: str, country_signs: Signs, language: str | None, currency: str | None) -> Votes:
    """What each sign says of the order that is usual where the document comes from.

    Every kind of sign of a country is one vote; so are the currency and a word that several countries print.
    """
    votes: Votes = {True: {}, False: {}, None: {}}
    for country, kinds in country_signs.items():
        votes[day_first_in(country)] |= {f"{country} {kind}": 1 for kind in kinds}
    for words, countries in shared_signs(text):
        if not any("tax" in country_signs.get(country, ()) for country in countries):
            votes[day_first_in(countries[0])][words] = 1
    if language is not None and (order := day_first_in_language(language)) is not None:
        votes[order][f"language {language}"] = LANGUAGE_VOTES
    if currency is not None:
        order = day_first_of_currency(currency)
        if order is not None or country_of_currency(currency):
            votes[order][f"currency {currency}"] = 1
    return votes


def _order_of_place(votes: Votes, lines: list[str]) -> tuple[bool | None, str]:
    """The order that clearly more signs speak for: at least VOTE_MAJORITY times as many as against it.

    Signs of a country that writes both orders (Canada) speak against either. Without any decision the order is None:
    there is no default.
    """
    for line in lines:
        if (order := _order_of_words(line)) is not None:
            votes[order]["dates in words"] = 1
    counts = {order: sum(signs_for.values()) for order, signs_for in votes.items()}
    for order in (True, False):
        against = sum(counts.values()) - counts[order]
        if counts[order] and counts[order] >= VOTE_MAJORITY * against:
            return order, f"signs of the place: {', '.join(votes[order])}"
    return None, ""


def _order_of_words(line: str) -> bool | None:
    """`November 13, 2010` stands in the American order, `13 November 2010` in the other."""
    if _MONTH_DAY.search(line) and _has_certain_date(line):
        return False
    if _DAY_MONTH.search(line) and _has_certain_date(line):
        return True
    return None


def _has_certain_date(line: str) -> bool:
    return any(len(printed.dates) == 1 and not printed.languages for printed in read_dates(line))


def _decimal_mark(text: str, currency: str | None, reasons: dict[str, str]) -> DecimalMark | None:
    sure = (len(_SURE_POINT.findall(text)), len(_SURE_COMMA.findall(text)))
    points, commas = sure if sum(sure) else (len(_POINT_DECIMAL.findall(text)), len(_COMMA_DECIMAL.findall(text)))
    if not points and not commas:
        return _mark_of_leading_zero(text, reasons) or _mark_of_whole_amounts(text, currency, reasons)
    if points == commas or min(points, commas) * 3 > max(points, commas):
        return None
    mark: DecimalMark = "." if points > commas else ","
    if not sum(sure) and len(set(_GROUPED[mark].findall(text))) > max(points, commas):
        return _mark_of_whole_amounts(text, currency, reasons)  # `6.500` and `12.000` speak against one `3.50`
    reasons["decimal_mark"] = f"{max(points, commas)} amounts have it"
    return mark


def _mark_of_leading_zero(text: str, reasons: dict[str, str]) -> DecimalMark | None:
    """Where no amount has two decimals, `0.750` shows which mark separates them (a currency with three decimals)."""
    examples = {mark: _LEADING_ZERO[mark].search(text) for mark in (".", ",")}
    point, comma = examples["."], examples[","]
    if (point is None) == (comma is None):
        return None
    example = point or comma
    assert example is not None  # noqa: S101 - one of them is there
    reasons["decimal_mark"] = f"{example.group()} can be read only one way"
    return "." if point else ","


def _mark_of_whole_amounts(text: str, currency: str | None, reasons: dict[str, str]) -> DecimalMark | None:
    """Where nothing has cents and round prices in groups of three abound (`6.500`, `12.000`), or some have two groups
    (`6.025.000`), the mark groups."""
    if currency is not None and has_three_decimals(currency):
        return None  # `6.500` may be six and a half
    grouped = {mark: set(_GROUPED[mark].findall(text)) for mark in (".", ",")}
    points, commas = grouped["."], grouped[","]
    amounts = points or commas
    round_amounts = [amount for amount in amounts if amount.endswith("00")]
    millions = [amount for amount in amounts if len(re.findall(r"[.,]", amount)) > 1]
    is_grouping = len(round_amounts) * 2 > len(amounts) or len(millions) >= MIN_DOUBLY_GROUPED
    if (points and commas) or len(amounts) < MIN_WHOLE_AMOUNTS or not is_grouping:
        return None
    reasons["decimal_mark"] = f"{len(amounts)} amounts such as {min(millions or round_amounts)} and none with cents"
    return "," if points else "."
