"""The seller and the buyer of a document: names, postal addresses, numbers, accounts.

In: a random source, a country, a language. Out: a `Party` with all that a letterhead may print.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.content import registered_numbers
from docpipe.samples.content.names import coined_name, company_name, last_name, person_name, town_name
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.seeded_random import SeededRandom

TAX_NUMBER_PATTERNS = ("######-?", "%#######", "HRB %####", "(%#####-?)", "##/###/#####", "20%#%#####?")


@dataclass(frozen=True)
class Party:
    """A seller or a buyer."""

    country: str
    name: str
    address_lines: tuple[str, ...]
    city: str
    vat_id: str | None
    tax_number: str
    phone: str
    fax: str
    email: str
    website: str
    contact_person: str
    bank: str
    iban: str
    bic: str


def make_party(rng: SeededRandom, country: str, language: str, *, private: bool = False) -> Party:
    """A company, or a private person."""
    city = town_name(rng, country, language)
    name = person_name(rng, country) if private else company_name(rng, country, language)
    local = word_lists(country)
    domain = "".join(letter for letter in name.lower().split()[0] if letter.isascii() and letter.isalnum()) or "post"
    domain += rng.pick(("", "-" + coined_name(rng).lower(), "online")) + "." + rng.pick(local["tld"])
    mailbox = rng.pick(("info", "office", "billing", "mail", "accounts", "contact"))
    return Party(
        country,
        name,
        postal_address(rng, country, language, city),
        city,
        vat_id=None if private else registered_numbers.vat_id(rng, country),
        tax_number=rng.from_pattern(rng.pick(TAX_NUMBER_PATTERNS)),
        phone=rng.from_pattern(rng.pick(local["phone"])),
        fax=rng.from_pattern(rng.pick(local["phone"])),
        email=f"{mailbox}@{domain}",
        website=rng.pick(("www.", "https://", "http://www.")) + domain,
        contact_person=person_name(rng, country),
        bank=rng.pick(
            (
                f"{coined_name(rng)} Bank",
                f"{city} Bank",
                "Sparkasse " + city,
                "Volksbank",
                f"Banque {coined_name(rng)}",
                f"Banco {coined_name(rng)}",
            )
        ),
        iban=registered_numbers.iban(rng, country),
        bic=registered_numbers.bic(rng, country),
    )


def street_name(rng: SeededRandom, country: str, language: str) -> str:
    street = rng.pick(word_lists(country)["street"])
    if country in ("DE", "AT", "CH") and rng.chance(0.35):
        endings = ("straße", "weg", "gasse", "allee", "ring") if country != "CH" else ("strasse", "weg", "gasse")
        return last_name(rng, country).replace(" ", "-").capitalize() + rng.pick(endings)
    if language == "en" and country in ("GB", "US", "AU", "IE") and rng.chance(0.4):
        ending = rng.pick(("Street", "Road", "Lane", "Ave", "Drive", "Way", "Close", "St.", "Court"))
        return f"{last_name(rng, country)} {ending}"
    if country in ("FR", "ES", "IT", "NL", "BE") and rng.chance(0.3):
        stem = street.split()[0] if country != "NL" else ""
        name = coined_name(rng)
        ending = rng.pick(("straat", "weg", "laan")) if country == "NL" else ""
        return f"{stem} {name}{ending}".strip()
    return street


def postal_address(rng: SeededRandom, country: str, language: str, city: str) -> tuple[str, ...]:
    """Lines of a postal address as that country writes it. `/` parts the lines in the word list."""
    template = rng.pick(word_lists(country)["address"])
    lines = (_address_line(rng, country, language, line, city) for line in template.split("/"))
    upper = country == "MY" and rng.chance(0.6)
    return tuple(line.upper() if upper else line for line in lines if line)


def _address_line(rng: SeededRandom, country: str, language: str, line: str, city: str) -> str:
    local = word_lists(country)
    line = line.replace("{area}", rng.pick(local.get("area", ("",))))
    line = line.replace("{street}", street_name(rng, country, language))
    place_names = local.get("name2")
    while "{name2}" in line:
        line = line.replace(
            "{name2}", rng.pick(place_names) if place_names and rng.chance(0.7) else coined_name(rng), 1
        )
    while "{nr}" in line:
        line = line.replace("{nr}", str(1 + int(150 * rng.random() ** 2)) + rng.pick(("", "", "", "", "a", "-3")), 1)
    while "{box}" in line:
        line = line.replace("{box}", rng.from_pattern(rng.pick(("%", "%#", "%##"))), 1)
    line = line.format(
        postcode=rng.from_pattern(rng.pick(local["postcode"])),
        city=city,
        country=rng.pick(local["name"]),
        region=rng.pick(local.get("region", ("",))),
        state=rng.pick(local.get("state", ("",))),
        province=rng.pick(local.get("province", ("",))),
        one=rng.from_pattern("%"),
        two=rng.from_pattern("##"),
    )
    return line.strip()
