"""The shops behind receipts: brand and company, address, numbers.

In: dice, a country, a language. Out: a `Shop`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.content.vocabulary import address, coined_name, company_name, last_name, town_name
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

FLOOR_SHARE = 0.3  # of the addresses begin with a floor, a unit or a building
UPPER_SHARE = 0.55
TAX_NUMBER_PATTERNS = {
    "MY": "00##########",
    "SG": "20%######?",
    "GB": "%## #### ##",
    "DE": "##/###/#####",
    "US": "##-#######",
}
REGISTRATION_PATTERNS = ("%#####-?", "(%######-?)", "%########?", "20%#%#####?")


@dataclass(frozen=True)
class Merchant:
    """`brand` is the large print; `legal` the company below or above it, which is the merchant's name then."""

    brand: str
    legal_name: str | None
    address: tuple[str, ...]
    phone: str
    registration_number: str
    tax_label: str
    tax_number: str
    website: str

    @property
    def name(self) -> str:
        return self.legal_name or self.brand


def make_merchant(rng: SeededRandom, country: str, language: str) -> Merchant:
    local, city = word_lists(country), town_name(rng, country, language)
    asian = country in ("MY", "SG")
    name = _registered_name(rng, country, language) if rng.chance(0.5 if asian else 0.2) else ""
    brand = name or " ".join(_brand_name(rng, country, language, city).split())
    legal = _registered_name(rng, country, language) if not name and rng.chance(0.35 if asian else 0.2) else None
    if rng.chance(UPPER_SHARE):
        brand, legal = brand.upper(), legal.upper() if legal else None
    return Merchant(
        brand,
        legal,
        _address(rng, country, language, city),
        rng.from_pattern(rng.pick(local["phone"])),
        rng.from_pattern(rng.pick(local.get("r_register", REGISTRATION_PATTERNS))),
        rng.pick(local.get("r_tax_id", ("Tax ID",))),
        rng.from_pattern(TAX_NUMBER_PATTERNS.get(country, "%##########")),
        f"www.{coined_name(rng).lower()}.{rng.pick(local['tld'])}",
    )


def _brand_name(rng: SeededRandom, country: str, language: str, city: str) -> str:
    """What stands over the door."""
    lists, kind = word_lists(language), rng.random()
    noun, adjective, trade = rng.pick(lists["nouns"]), rng.pick(lists["adjectives"]), rng.pick(lists["shops"])
    owner = last_name(rng, country) if rng.chance(0.5) else coined_name(rng)
    if kind < 0.25:
        return f"{trade} {noun}" if language in ("fr", "es", "it", "id") else f"{noun} {trade}"
    if kind < 0.45:
        return f"{owner}'s {trade}" if language == "en" else f"{trade} {owner}"
    if kind < 0.6:
        return f"{adjective} {noun}" + rng.pick(("", f" {trade}"))
    if kind < 0.72:
        return coined_name(rng) + rng.pick(("", f" {trade}", f" {city}"))
    if kind < 0.8:
        return f"{rng.from_pattern(rng.pick(('?&?', '? ? ?', '??', '%#')))} {trade}"
    return company_name(rng, country, language)


def _registered_name(rng: SeededRandom, country: str, language: str) -> str:
    """A company's name with its legal form: `SENG HUAT STATIONERY & PRINTING SDN BHD`."""
    lists, local = word_lists(language), word_lists(country)
    owner = last_name(rng, country) if rng.chance(0.4) else coined_name(rng)
    stem = rng.pick(
        (
            owner,
            f"{owner} {coined_name(rng)}",
            f"{rng.pick(lists['nouns'])} {owner}",
            f"{rng.pick(lists['adjectives'])} {rng.pick(lists['nouns'])}",
            rng.from_pattern(rng.pick(("???", "?&?", "?.?.?."))),
        )
    )
    line = rng.pick((*local["r_line"], *lists["trades"])) if rng.chance(0.75) else ""
    form = rng.pick(local["r_form"])
    before = (
        "PT " if country == "ID" and rng.chance(0.8) else "SYARIKAT " if country == "MY" and rng.chance(0.06) else ""
    )
    return " ".join(f"{before}{stem} {line} {form}".split())


def legal_form_start(name: str, country: str) -> int:
    """Where the legal form at the end of a name begins, 0 if it has none."""
    forms = [form for form in word_lists(country)["r_form"] if name.casefold().endswith(" " + form.casefold())]
    return len(name) - len(max(forms, key=len)) if forms else 0


def _address(rng: SeededRandom, country: str, language: str, city: str) -> tuple[str, ...]:
    """A postal address, often with the floor or the building in front, in as many lines as it pleases."""
    lines = list(address(rng, country, language, city))
    local = word_lists(country)
    upper = "".join(lines).isupper()
    first = []
    if rng.chance(FLOOR_SHARE):
        floor = rng.pick(local["r_floor"])
        while "{n}" in floor:
            floor = floor.replace("{n}", rng.from_pattern("%"), 1)
        first.append(floor)
    if rng.chance(FLOOR_SHARE * 0.7):
        name = rng.pick(local.get("name2", (coined_name(rng),)))
        first.append(rng.pick(local["r_place"]).replace("{name}", name))
    first = [text.upper() if upper else text for text in first]
    if len(first) == 2 and rng.chance(0.5):
        first = [", ".join(first)]
    if first and rng.chance(0.5):
        lines[0] = f"{first.pop()}, {lines[0]}"
    lines = [text if text.endswith(",") or rng.chance(0.5) else text + "," for text in first] + lines
    return tuple(lines)
