"""The shops behind receipts: brand and company, address, numbers.

In: dice, a country, a language. Out: a `Shop`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.content.vocabulary import address, coined, company, last_name, town
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice

FLOOR_SHARE = 0.3  # of the addresses begin with a floor, a unit or a building
UPPER_SHARE = 0.55
TAX_NUMBERS = {
    "MY": "00##########",
    "SG": "20%######?",
    "GB": "%## #### ##",
    "DE": "##/###/#####",
    "US": "##-#######",
}
REGISTERS = ("%#####-?", "(%######-?)", "%########?", "20%#%#####?")


@dataclass(frozen=True)
class Shop:
    """`brand` is the large print; `legal` the company below or above it, which is the merchant's name then."""

    brand: str
    legal: str | None
    address: tuple[str, ...]
    phone: str
    register: str
    tax_label: str
    tax_number: str
    web: str

    @property
    def name(self) -> str:
        return self.legal or self.brand


def make_shop(dice: Dice, country: str, language: str) -> Shop:
    local, city = words(country), town(dice, country, language)
    asian = country in ("MY", "SG")
    name = _registered(dice, country, language) if dice.chance(0.5 if asian else 0.2) else ""
    brand = name or " ".join(_brand(dice, country, language, city).split())
    legal = _registered(dice, country, language) if not name and dice.chance(0.35 if asian else 0.2) else None
    if dice.chance(UPPER_SHARE):
        brand, legal = brand.upper(), legal.upper() if legal else None
    return Shop(
        brand,
        legal,
        _address(dice, country, language, city),
        dice.pattern(dice.pick(local["phone"])),
        dice.pattern(dice.pick(local.get("r_register", REGISTERS))),
        dice.pick(local.get("r_tax_id", ("Tax ID",))),
        dice.pattern(TAX_NUMBERS.get(country, "%##########")),
        f"www.{coined(dice).lower()}.{dice.pick(local['tld'])}",
    )


def _brand(dice: Dice, country: str, language: str, city: str) -> str:
    """What stands over the door."""
    lists, kind = words(language), dice.random()
    noun, adjective, trade = dice.pick(lists["nouns"]), dice.pick(lists["adjectives"]), dice.pick(lists["shops"])
    owner = last_name(dice, country) if dice.chance(0.5) else coined(dice)
    if kind < 0.25:
        return f"{trade} {noun}" if language in ("fr", "es", "it", "id") else f"{noun} {trade}"
    if kind < 0.45:
        return f"{owner}'s {trade}" if language == "en" else f"{trade} {owner}"
    if kind < 0.6:
        return f"{adjective} {noun}" + dice.pick(("", f" {trade}"))
    if kind < 0.72:
        return coined(dice) + dice.pick(("", f" {trade}", f" {city}"))
    if kind < 0.8:
        return f"{dice.pattern(dice.pick(('?&?', '? ? ?', '??', '%#')))} {trade}"
    return company(dice, country, language)


def _registered(dice: Dice, country: str, language: str) -> str:
    """A company's name with its legal form: `SENG HUAT STATIONERY & PRINTING SDN BHD`."""
    lists, local = words(language), words(country)
    owner = last_name(dice, country) if dice.chance(0.4) else coined(dice)
    stem = dice.pick(
        (
            owner,
            f"{owner} {coined(dice)}",
            f"{dice.pick(lists['nouns'])} {owner}",
            f"{dice.pick(lists['adjectives'])} {dice.pick(lists['nouns'])}",
            dice.pattern(dice.pick(("???", "?&?", "?.?.?."))),
        )
    )
    line = dice.pick((*local["r_line"], *lists["trades"])) if dice.chance(0.75) else ""
    form = dice.pick(local["r_form"])
    before = (
        "PT " if country == "ID" and dice.chance(0.8) else "SYARIKAT " if country == "MY" and dice.chance(0.06) else ""
    )
    return " ".join(f"{before}{stem} {line} {form}".split())


def legal_form(name: str, country: str) -> int:
    """Where the legal form at the end of a name begins, 0 if it has none."""
    forms = [form for form in words(country)["r_form"] if name.casefold().endswith(" " + form.casefold())]
    return len(name) - len(max(forms, key=len)) if forms else 0


def _address(dice: Dice, country: str, language: str, city: str) -> tuple[str, ...]:
    """A postal address, often with the floor or the building in front, in as many lines as it pleases."""
    lines = list(address(dice, country, language, city))
    local = words(country)
    upper = "".join(lines).isupper()
    first = []
    if dice.chance(FLOOR_SHARE):
        floor = dice.pick(local["r_floor"])
        while "{n}" in floor:
            floor = floor.replace("{n}", dice.pattern("%"), 1)
        first.append(floor)
    if dice.chance(FLOOR_SHARE * 0.7):
        name = dice.pick(local.get("name2", (coined(dice),)))
        first.append(dice.pick(local["r_place"]).replace("{name}", name))
    first = [text.upper() if upper else text for text in first]
    if len(first) == 2 and dice.chance(0.5):
        first = [", ".join(first)]
    if first and dice.chance(0.5):
        lines[0] = f"{first.pop()}, {lines[0]}"
    lines = [text if text.endswith(",") or dice.chance(0.5) else text + "," for text in first] + lines
    return tuple(lines)
