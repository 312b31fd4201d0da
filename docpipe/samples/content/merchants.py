"""The merchants of receipts: brand and company, address, numbers.

In: a random source, a country, a language. Out: a `Merchant`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.content.names import coined_name, company_name, last_name, town_name
from docpipe.samples.content.parties import postal_address
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.seeded_random import SeededRandom

FLOOR_SHARE = 0.3  # of the addresses begin with a floor, a unit or a building
CAPITALS_SHARE = 0.55  # of the names are printed in capitals
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
    """`brand` is the large print; `legal_name` the company below or above it, which is the merchant's name then."""

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
    names_company = country in ("MY", "SG")
    company = _registered_name(rng, country, language) if rng.chance(0.5 if names_company else 0.2) else ""
    brand = company or " ".join(_brand_name(rng, country, language, city).split())
    legal_name = (
        _registered_name(rng, country, language) if not company and rng.chance(0.35 if names_company else 0.2) else None
    )
    if rng.chance(CAPITALS_SHARE):
        brand, legal_name = brand.upper(), legal_name.upper() if legal_name else None
    return Merchant(
        brand,
        legal_name,
        address=_merchant_address(rng, country, language, city),
        phone=rng.from_pattern(rng.pick(local["phone"])),
        registration_number=rng.from_pattern(rng.pick(local.get("r_register", REGISTRATION_PATTERNS))),
        tax_label=rng.pick(local.get("r_tax_id", ("Tax ID",))),
        tax_number=rng.from_pattern(TAX_NUMBER_PATTERNS.get(country, "%##########")),
        website=f"www.{coined_name(rng).lower()}.{rng.pick(local['tld'])}",
    )


def _brand_name(rng: SeededRandom, country: str, language: str, city: str) -> str:
    """The name on the shop's sign."""
    lists, form = word_lists(language), rng.random()
    noun, adjective, trade = rng.pick(lists["nouns"]), rng.pick(lists["adjectives"]), rng.pick(lists["shops"])
    owner = last_name(rng, country) if rng.chance(0.5) else coined_name(rng)
    if form < 0.25:
        return f"{trade} {noun}" if language in ("fr", "es", "it", "id") else f"{noun} {trade}"
    if form < 0.45:
        return f"{owner}'s {trade}" if language == "en" else f"{trade} {owner}"
    if form < 0.6:
        return f"{adjective} {noun}" + rng.pick(("", f" {trade}"))
    if form < 0.72:
        return coined_name(rng) + rng.pick(("", f" {trade}", f" {city}"))
    if form < 0.8:
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
    trade = rng.pick((*local["r_line"], *lists["trades"])) if rng.chance(0.75) else ""
    legal_form = rng.pick(local["r_form"])
    prefix = (
        "PT " if country == "ID" and rng.chance(0.8) else "SYARIKAT " if country == "MY" and rng.chance(0.06) else ""
    )
    return " ".join(f"{prefix}{stem} {trade} {legal_form}".split())


def legal_form_start(name: str, country: str) -> int:
    """Where the legal form at the end of a name begins, 0 if it has none."""
    forms = [form for form in word_lists(country)["r_form"] if name.casefold().endswith(" " + form.casefold())]
    return len(name) - len(max(forms, key=len)) if forms else 0


def _merchant_address(rng: SeededRandom, country: str, language: str, city: str) -> tuple[str, ...]:
    """A postal address, often with the floor or the building in front, in a varying number of lines."""
    lines = list(postal_address(rng, country, language, city))
    local = word_lists(country)
    capitals = "".join(lines).isupper()
    before = []
    if rng.chance(FLOOR_SHARE):
        floor = rng.pick(local["r_floor"])
        while "{n}" in floor:
            floor = floor.replace("{n}", rng.from_pattern("%"), 1)
        before.append(floor)
    if rng.chance(FLOOR_SHARE * 0.7):
        name = rng.pick(local.get("name2", (coined_name(rng),)))
        before.append(rng.pick(local["r_place"]).replace("{name}", name))
    before = [text.upper() if capitals else text for text in before]
    if len(before) == 2 and rng.chance(0.5):
        before = [", ".join(before)]
    if before and rng.chance(0.5):
        lines[0] = f"{before.pop()}, {lines[0]}"
    lines = [text if text.endswith(",") or rng.chance(0.5) else text + "," for text in before] + lines
    return tuple(lines)
