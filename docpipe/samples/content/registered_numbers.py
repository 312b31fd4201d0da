"""Registered numbers that pass their check: VAT ids, IBAN, bank codes.

In: a random source and a country code. Out: numbers in the grouping in which they are printed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from stdnum import iban as iban_number
from stdnum import luhn
from stdnum.be import iban as belgian_iban
from stdnum.es import ccc

from docpipe.samples.seeded_random import SeededRandom

_VAT_CHECKS = {
    "DE": ("de.vat", "%########"),
    "IT": ("it.iva", "0##########"),
    "NL": ("nl.btw", "%########B01"),
    "GB": ("gb.vat", "%########"),
    "ES": ("es.cif", "B########"),
    "AT": ("at.uid", "U########"),
    "IE": ("ie.vat", "%######?"),
}
_ACCOUNT_PATTERNS = {
    "DE": "########%%########",
    "AT": "################",
    "CH": "#################",
    "NL": "INGB##########",
    "GB": "BARC##############",
    "IE": "AIBK##############",
    "IT": "X0%####0####%#######%%##",
}
_BANK_CODES = ("INGB", "RABO", "ABNA", "BARC", "HBUK", "LOYD", "NWBK", "AIBK", "BOFI")
_CIN_WEIGHTS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)  # of the digits 0-9 at odd places of an Italian account number
MAX_TRIES = 2000  # one number in 97 passes the strictest of the checks


def vat_id(rng: SeededRandom, country: str) -> str | None:
    """A VAT number with a right check digit, without blanks; None where the country has none."""
    if country == "FR":
        siren = rng.from_pattern("########")
        siren += luhn.calc_check_digit(siren)
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if country == "BE":
        stem = "0" + rng.from_pattern("%######")
        return f"BE{stem}{97 - int(stem) % 97:02d}"
    if country == "CH":
        return _swiss_vat_id(rng)
    if country not in _VAT_CHECKS:
        return None
    module, pattern = _VAT_CHECKS[country]
    valid: Callable[[str], bool] = importlib.import_module(f"stdnum.{module}").is_valid
    return country + _first_valid(rng, pattern, valid)


def format_vat_id(rng: SeededRandom, number: str) -> str:
    """Blanks and points as letterheads print them."""
    if number.startswith("CHE"):
        return f"CHE-{number[3:6]}.{number[6:9]}.{number[9:12]}" + rng.pick((" MWST", "", " MWST"))
    style = rng.random()
    if style < 0.7:
        return number
    if style < 0.85:
        return f"{number[:2]} {number[2:]}"
    return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def iban(rng: SeededRandom, country: str) -> str:
    """An IBAN of that country (German where it has none) with right check digits, without blanks."""
    if country == "FR":
        bank, branch, account = rng.from_pattern("#####"), rng.from_pattern("#####"), rng.from_pattern("###########")
        key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
        body = f"{bank}{branch}{account}{key:02d}"
    elif country == "ES":
        bank, account = rng.from_pattern("########"), rng.from_pattern("##########")
        body = bank + ccc.calc_check_digits(bank + "00" + account) + account
    elif country == "BE":
        stem = rng.from_pattern("%#########")
        body = stem + f"{int(stem) % 97 or 97:02d}"
        if not belgian_iban.is_valid(_with_check_digits("BE", body)):  # the bank code is not given out: a known one
            stem = "001" + rng.from_pattern("#######")
            body = stem + f"{int(stem) % 97 or 97:02d}"
    elif country == "IT":
        digits = rng.from_pattern("0%####0####%###########"[:22])
        total = sum(_CIN_WEIGHTS[int(digit)] if place % 2 == 0 else int(digit) for place, digit in enumerate(digits))
        body = chr(ord("A") + total % 26) + digits
    else:
        country = country if country in _ACCOUNT_PATTERNS else "DE"
        body = rng.from_pattern(_ACCOUNT_PATTERNS[country])
    return _with_check_digits(country, body)


def format_iban(rng: SeededRandom, number: str) -> str:
    """In groups of four, or without blanks."""
    if rng.chance(0.2):
        return number
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def bic(rng: SeededRandom, country: str) -> str:
    stem = rng.from_pattern("????") if rng.chance(0.6) else rng.pick(_BANK_CODES)
    return f"{stem}{country}{rng.from_pattern('??')}{rng.pick(('', 'XXX', rng.from_pattern('###')))}"


def _with_check_digits(country: str, body: str) -> str:
    return country + iban_number.calc_check_digits(f"{country}00{body}") + body


def _swiss_vat_id(rng: SeededRandom) -> str:
    module = importlib.import_module("stdnum.ch.uid")
    while True:
        stem = rng.from_pattern("%#######")
        check = module.calc_check_digit(stem)
        if len(check) == 1:
            return f"CHE{stem}{check}"


def _first_valid(rng: SeededRandom, pattern: str, valid: Callable[[str], bool]) -> str:
    for _ in range(MAX_TRIES):
        number = rng.from_pattern(pattern)
        if valid(number):
            return number
    raise ValueError(f"no number like {pattern} passes its check")
