"""Signs of the country that a document comes from: addresses, telephone numbers, tax words, company forms, names.

In: the text of a document. Out: for each country the kinds of sign that speak for it, and how often each was seen.
A kind of sign counts once however often it is printed: one address in a header of 40 pages is one sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from docpipe.schemas.territories import country_names, is_country

Signs = Mapping[str, Mapping[str, int]]
"""Country -> kind of sign -> times seen."""

_STATE = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]"
)
_STATE_NAME = (
    r"Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois"
    r"|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri"
    r"|Montana|Nebraska|Nevada|New\s?Hampshire|New\s?Jersey|New\s?Mexico|New\s?York|North\s?Carolina|North\s?Dakota"
    r"|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode\s?Island|South\s?Carolina|South\s?Dakota|Tennessee|Texas|Utah|Vermont"
    r"|Virginia|Washington|West\s?Virginia|Wisconsin|Wyoming"
)
_ALSO_WORDS = r"(?!ID\b|IN\b|OR\b|DE\b|CO\b|OK\b|ME\b|HI\b|PA\b)"
"""`Customer ID 12345` and `OR 12345` are no addresses: these states need a comma before them."""
_ZIP = r"[.,]?\s*\d{5}(?:-\d{4})?(?!\d)"
_COMPANY_NUMBER = r"\bCo(?:mpany|\.)?\s*(?:Reg(?:istration)?\.?)?\s*No\.?\s*:?\s*\(?\d{4,7}\s?-\s?[A-Z]\b"
_FREE = r"400|8(?:00|33|44|55|66|77|88)"
"""Free of charge in many countries."""
_BRITISH_VAT = r"\bVAT\W{0,3}(?:(?:Reg|No)\w*\W{0,3}){0,2}\d{3}\s(?:\d{4}\s\d\d|\d{3}\s\d{3})\b"

_PATTERNS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("US", "address", re.compile(rf"(?<![A-Za-z]){_ALSO_WORDS}(?:{_STATE}){_ZIP}")),
    ("US", "address", re.compile(rf",\s*(?i:{_STATE}){_ZIP}")),
    ("US", "address", re.compile(rf"(?<![a-z])(?:{_STATE_NAME}){_ZIP}", re.I)),
    ("US", "address", re.compile(rf"[A-Za-z]{{4}}(?:,\s?|\.\s{_ALSO_WORDS})(?:{_STATE})\.?$", re.M)),
    ("US", "name", re.compile(r"\bUnited States\b|\bU\.S\.|\bUSA\b")),
    ("US", "telephone", re.compile(r"\([2-9]\d\d\)\s?[2-9]\d\d\s?[-. ]\s?\d{4}(?!\d)")),
    ("US", "telephone", re.compile(rf"(?<![\d-])(?!{_FREE})[2-9]\d\d[-.][2-9]\d\d[-.]\d{{4}}(?![\d-])")),
    ("US", "tax", re.compile(r"\bsales\s?tax\b", re.I)),
    ("CA", "address", re.compile(r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?\d[A-Z]\d\b")),
    ("CA", "tax", re.compile(r"\bHST\b|\bTPS\b|\bTVQ\b|\bINTERAC\b")),
    ("MY", "company", re.compile(rf"\bSDN\.?\s*BHD|{_COMPANY_NUMBER}", re.I)),
    ("MY", "address", re.compile(r"\bJALAN\b|\bJLN\b|\bSELANGOR|\bKUALA LUMPUR|\bJOHOR", re.I)),
    ("MY", "tax", re.compile(r"\bGST\s*(?:ID|REG)|\bSST\s*(?:ID|NO|REG)", re.I)),
    ("DE", "company", re.compile(r"\bGmbH\b")),
    ("DE", "tax", re.compile(r"\bDE\s?\d{9}\b|\bUSt-?Id|\bMwSt|\bUSt\b", re.I)),
    ("FR", "company", re.compile(r"\bSIRET\b|\bSIREN\b|\bSARL\b")),
    ("FR", "tax", re.compile(r"\bTVA\b|\bFR\s?\d{11}\b")),
    ("GB", "tax", re.compile(rf"\bGB\s?\d{{9}}\b|{_BRITISH_VAT}", re.I)),
    ("GB", "address", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b")),
    ("IT", "tax", re.compile(r"\bP\.?\s?IVA\b")),
    ("IT", "company", re.compile(r"\bS\.r\.l\.", re.I)),
    ("ES", "tax", re.compile(r"\bN\.?I\.?F\b|\bC\.?I\.?F\b")),
    ("NL", "company", re.compile(r"\bKvK\b|\bB\.V\.")),
    ("NL", "tax", re.compile(r"\bBTW\b")),
    ("ID", "tax", re.compile(r"\bNPWP\b|\bPPN\b")),
    ("ID", "address", re.compile(r"\bJakarta\b", re.I)),
    ("AU", "tax", re.compile(r"\bA\.?B\.?N\b\W{0,4}\d\d", re.I)),
    ("AU", "address", re.compile(r"\b(?:NSW|VIC|QLD|TAS)\s+\d{4}\b")),
    ("IN", "tax", re.compile(r"\b\d{2}[A-Z]{5}\d{4}[A-Z]\w{1,2}Z\w\b|\bGSTIN\b|\b[CS]GST\b|\bF?SSAI\b")),
    ("IN", "tax", re.compile(r"\b[A-Z]{3}[PCHABGJLFT][A-Z]\d{4}[A-Z](?:[S5][DT]|\b)")),
    ("AE", "tax", re.compile(r"\bTRN\b\W{0,4}(?:No\W{0,3})?100\d{12}\b", re.I)),
    ("NO", "tax", re.compile(r"\bMVA\b")),
    ("PH", "tax", re.compile(r"\bTIN\W{0,3}\d{3}-\d{3}-\d{3}\b|\bVATable\b|\bVAT[- ]?EXEMPT SALES?\b", re.I)),
    ("PH", "tax", re.compile(r"\bVAT REG(?:\.|ISTERED)? TIN\b", re.I)),
    ("HK", "name", re.compile(r"\bHONG\s?KONG\b", re.I)),
    ("JO", "address", re.compile(r"\bAmman\b|,\s?Jordan\b", re.I)),
    ("TN", "address", re.compile(r"\b(?:\d{4},?\s)Tunis\b|\bTunis\s\d{4}\b|^Tunis\b|,\s?Tunis\b", re.I | re.M)),
    ("TN", "tax", re.compile(r"\b\d{7}\s?/?\s?[A-Z]\s?/\s?[ABDNP]\s?/\s?[CEMNP]\s?/\s?\d{3}\b")),
    ("BH", "address", re.compile(r"\bManama\b", re.I)),
    ("OM", "address", re.compile(r",\s?Muscat\b|\bMuscat,?\s\d{3}\b", re.I)),
)  # fmt: skip
"""What is printed in one country alone. In any case of letters where the words allow it: OCR and tills mix them."""

_DIAL_CODES = {
    "1": "US", "7": "RU", "20": "EG", "27": "ZA", "30": "GR", "31": "NL", "32": "BE", "33": "FR", "34": "ES",
    "36": "HU", "39": "IT", "40": "RO", "41": "CH", "43": "AT", "44": "GB", "45": "DK", "46": "SE", "47": "NO",
    "48": "PL", "49": "DE", "52": "MX", "54": "AR", "55": "BR", "56": "CL", "57": "CO", "60": "MY", "61": "AU",
    "62": "ID", "63": "PH", "64": "NZ", "65": "SG", "66": "TH", "81": "JP", "82": "KR", "84": "VN", "86": "CN",
    "90": "TR", "91": "IN", "92": "PK", "94": "LK", "234": "NG", "254": "KE", "351": "PT", "352": "LU", "353": "IE",
    "358": "FI", "420": "CZ", "421": "SK", "852": "HK", "886": "TW", "961": "LB", "965": "KW", "966": "SA",
    "216": "TN", "218": "LY", "962": "JO", "964": "IQ", "968": "OM", "971": "AE", "972": "IL", "973": "BH", "974": "QA",
}  # fmt: skip
"""Prefixes of telephone numbers (ITU E.164); CLDR does not have them."""
_DIALLED = re.compile(r"(?<![\d+])\+\s?\(?(\d{1,3})(?=[\d\s().-]{6,})")
_DOMAIN = re.compile(r"(?:(?:\bwww\.|@)[\w.-]*\w|\w\.(?:com?|org|net))\.([a-z]{2})(?![\w.-])", re.I)
_DOMAINS_ABROAD = frozenset({"co", "io", "me", "tv", "ai", "to", "cc", "ly", "fm", "am", "eu", "ws", "in", "is", "it"})
"""Endings that anyone buys, and those that a cut line makes of others; `uk` is GB."""
_PARTS = re.compile(r"[,;()]|\b\d{4,6}\b")
"""Between the parts of an address."""
MAX_NAME_WORDS = 3
"""Words of a country's name, mostly; longer ones are rarely printed in full."""

_SHARED: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("VAT", "GB IE AE SA BH OM ZA KE NG", re.compile(r"\bV\.?A\.?T\b(?![- ]?EXEMPT| REG\w*\.? TIN)", re.I)),
    ("Tax Invoice", "AU NZ MY SG AE SA IN ZA TH", re.compile(r"\btax\s?inv\wice", re.I)),
    ("GST No", "MY SG AU NZ IN", re.compile(r"\bGST\s*(?:No|Reg|Incl)", re.I)),
    ("IVA", "ES IT PT MX CL AR CO", re.compile(r"\bI\.?V\.?A\b\.?")),
    ("Moms", "SE DK NO", re.compile(r"\bmoms\b\W{0,6}\d", re.I)),
    ("Org. nr", "NO SE", re.compile(r"\borg\.?\s?nr\b", re.I)),
    ("DPH", "CZ SK", re.compile(r"\bDPH\b")),
    ("ALV, PTU, ÁFA, KDV, PDV", "FI PL TR HR", re.compile(r"\bALV\b|\bPTU\b|\bKDV\b|\bPDV\b")),
)
"""Words that several countries print, all of which write dates in one order."""


def signs(text: str) -> dict[str, dict[str, int]]:
    """The signs of a text, by country and kind of sign."""
    by_country: dict[str, dict[str, int]] = {}
    for country, kind in _signs_in(text):
        kinds = by_country.setdefault(country, {})
        kinds[kind] = kinds.get(kind, 0) + 1
    return by_country


def _signs_in(text: str) -> Iterator[tuple[str, str]]:
    for country, kind, pattern in _PATTERNS:
        for _match in pattern.finditer(text):
            yield country, kind
    for country in _country_names_in(text):
        yield country, "name"
    for match in _DIALLED.finditer(text):
        code = next((match[1][:size] for size in (3, 2, 1) if match[1][:size] in _DIAL_CODES), None)
        if code is not None:
            yield _DIAL_CODES[code], "telephone"
    for match in _DOMAIN.finditer(text):
        ending = match[1].casefold()
        country = "GB" if ending == "uk" else ending.upper()
        if ending not in _DOMAINS_ABROAD and is_country(country):
            yield country, "web"


def _country_names_in(text: str) -> Iterator[str]:
    """Names of countries that end a line or a part of an address: in `Singapore noodles 8.50` it is a dish.

    `Made in Italy`, `Bank of India` and `New Mexico` name no country of the document.
    """
    names = country_names()
    for line in text.casefold().split("\n"):
        for part in _PARTS.split(line):
            words = part.strip(" .:-").split()[-MAX_NAME_WORDS - 1 :]
            for size in range(1, min(MAX_NAME_WORDS, len(words)) + 1):
                country = names.get(" ".join(words[-size:]))
                if country is not None and words[-size - 1 : -size] not in (["in"], ["of"], ["new"]):
                    yield country


def shared_signs(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The words of a text that several countries print, with these countries."""
    return [(words, tuple(countries.split())) for words, countries, pattern in _SHARED if pattern.search(text)]
