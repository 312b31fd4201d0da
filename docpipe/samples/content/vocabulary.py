"""Names without end: companies, people, addresses, goods, composed from the word lists.

In: dice, a country, a language. Out: a `Party` with all that a letterhead may print, and texts for items.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from docpipe.samples.content import registered_numbers
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

_STARTS = (
    "Al",
    "Ber",
    "Cor",
    "Dan",
    "El",
    "Fen",
    "Gar",
    "Hel",
    "In",
    "Jo",
    "Kal",
    "Lum",
    "Mar",
    "Nor",
    "Or",
    "Pro",
    "Quan",
    "Ro",
    "Sol",
    "Tra",
    "Ul",
    "Ver",
    "Win",
    "Xen",
    "Ya",
    "Zen",
    "Bio",
    "Eco",
    "Med",
    "Tec",
    "Vi",
    "Sy",
    "Ast",
    "Pla",
    "Cri",
    "Du",
)
_MIDDLES = ("a", "o", "i", "e", "ta", "ri", "lo", "ne", "mi", "va", "du", "ger", "ko", "sta", "xi", "pa", "bel", "u")
_ENDS = (
    "tec",
    "ra",
    "nex",
    "lia",
    "don",
    "vex",
    "mont",
    "tis",
    "co",
    "dur",
    "plan",
    "soft",
    "gen",
    "ma",
    "lux",
    "pharm",
    "net",
    "ber",
    "ova",
    "line",
    "data",
    "stra",
    "com",
    "ton",
    "ck",
    "ix",
    "form",
    "san",
    "via",
    "rent",
)
_TOWN_ENDS = {
    "de": ("dorf", "hausen", "berg", "stadt", "heim", "bach", "feld"),
    "en": ("ton", "field", "ham", "bury", "ford", "ville", "port"),
    "fr": ("-sur-Mer", "ville", "ac", "-les-Bains", "court", "igny"),
    "es": ("ares", "eda", "illa", "osa", "edo"),
    "it": ("ano", "ate", "asco", "ello", "ola"),
    "nl": ("dam", "wijk", "drecht", "hoven", "veen", "lo"),
    "id": ("sari", "rejo", "karta"),
}


@dataclass(frozen=True)
class Party:
    """A seller, buyer or shop."""

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


def coined_name(rng: SeededRandom) -> str:
    """A made-up brand: `Norivex`."""
    middle = "".join(rng.pick(_MIDDLES) for _ in range(rng.pick((0, 1, 1, 1, 2))))
    return rng.pick(_STARTS) + middle + rng.pick(_ENDS)


def person_name(rng: SeededRandom, country: str) -> str:
    lists = word_lists(country)
    name = f"{rng.pick(lists['first'])} {last_name(rng, country)}"
    if rng.chance(0.08):
        return f"{name[0]}. {name.split(' ', 1)[1]}"
    return name


def last_name(rng: SeededRandom, country: str) -> str:
    return rng.pick(word_lists(country)["last"]) if rng.chance(0.75) else coined_name(rng)


def company_name(rng: SeededRandom, country: str, language: str) -> str:
    lists, local = word_lists(language), word_lists(country)
    name, kind = last_name(rng, country), rng.random()
    trade, suffix = rng.pick(lists["trades"]), rng.pick(local["suffix"])
    if kind < 0.2:
        name = f"{name} {trade} {suffix}"
    elif kind < 0.3:
        name = f"{name} & {last_name(rng, country)} {suffix}"
    elif kind < 0.5:
        name = (
            f"{coined_name(rng)} {rng.pick((trade, '', '', rng.pick(('International', 'Group', 'Europe'))))} {suffix}"
        )
    elif kind < 0.6:
        name = f"{town_name(rng, country, language)} {trade} {suffix}"
    elif kind < 0.7:
        name = f"{rng.pick(lists['adjectives'])} {rng.pick(lists['nouns'])} {rng.pick((trade, suffix, ''))}"
    elif kind < 0.8:
        name = f"{rng.from_pattern('???')} {trade} {suffix}"
    elif kind < 0.88:
        name = f"{person_name(rng, country)} {rng.pick((trade, '', trade))}"
    else:
        name = f"{rng.pick(lists['nouns'])} {trade} {suffix}"
    name = " ".join(name.split())
    return name.upper() if rng.chance(0.15) else name


def town_name(rng: SeededRandom, country: str, language: str) -> str:
    if country == "SG" or rng.chance(0.7):
        return rng.pick(word_lists(country)["city"])
    made = (rng.pick(_STARTS) + rng.pick(_MIDDLES) + rng.pick(_TOWN_ENDS[language])).capitalize()
    return made.upper() if country == "MY" else made


def street_name(rng: SeededRandom, country: str, language: str) -> str:
    text = rng.pick(word_lists(country)["street"])
    if country in ("DE", "AT", "CH") and rng.chance(0.35):
        ends = ("straße", "weg", "gasse", "allee", "ring") if country != "CH" else ("strasse", "weg", "gasse")
        return last_name(rng, country).replace(" ", "-").capitalize() + rng.pick(ends)
    if language == "en" and country in ("GB", "US", "AU", "IE") and rng.chance(0.4):
        kind = rng.pick(("Street", "Road", "Lane", "Ave", "Drive", "Way", "Close", "St.", "Court"))
        return f"{last_name(rng, country)} {kind}"
    if country in ("FR", "ES", "IT", "NL", "BE") and rng.chance(0.3):
        stem = text.split()[0] if country != "NL" else ""
        return f"{stem} {coined_name(rng)}{rng.pick(('straat', 'weg', 'laan')) if country == 'NL' else ''}".strip()
    return text


def address(rng: SeededRandom, country: str, language: str, city: str) -> tuple[str, ...]:
    """Lines of a postal address as that country writes it. `/` parts the lines in the word list."""
    template = rng.pick(word_lists(country)["address"])
    lines = (_address_line(rng, country, language, line, city) for line in template.split("/"))
    upper = country == "MY" and rng.chance(0.6)
    return tuple(line.upper() if upper else line for line in lines if line)


def _address_line(rng: SeededRandom, country: str, language: str, line: str, city: str) -> str:
    local = word_lists(country)
    line = line.replace("{area}", rng.pick(local.get("area", ("",)))).replace(
        "{street}", street_name(rng, country, language)
    )
    name2 = local.get("name2")
    while "{name2}" in line:
        line = line.replace("{name2}", rng.pick(name2) if name2 and rng.chance(0.7) else coined_name(rng), 1)
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


def make_party(rng: SeededRandom, country: str, language: str, *, private: bool = False) -> Party:
    city = town_name(rng, country, language)
    name = person_name(rng, country) if private else company_name(rng, country, language)
    local = word_lists(country)
    domain = "".join(sign for sign in name.lower().split()[0] if sign.isascii() and sign.isalnum()) or "post"
    domain += rng.pick(("", "-" + coined_name(rng).lower(), "online")) + "." + rng.pick(local["tld"])
    box = rng.pick(("info", "office", "billing", "mail", "accounts", "contact"))
    return Party(
        country,
        name,
        address(rng, country, language, city),
        city,
        vat_id=None if private else registered_numbers.vat_id(rng, country),
        tax_number=rng.from_pattern(
            rng.pick(("######-?", "%#######", "HRB %####", "(%#####-?)", "##/###/#####", "20%#%#####?"))
        ),
        phone=rng.from_pattern(rng.pick(local["phone"])),
        fax=rng.from_pattern(rng.pick(local["phone"])),
        email=f"{box}@{domain}",
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


def fill_placeholders(rng: SeededRandom, text: str, language: str, day: date, **known: str) -> str:
    """Fills what word lists leave open: `{code}`, `{digits}`, `{monthname}`, `{year}`, `{week}`, `{days}` …"""
    if "{" not in text:
        return text
    filled = {
        "code": rng.from_pattern(rng.pick(("??-###", "?####", "###.###", "?? ##", "##-?###", "???#"))),
        "digits": rng.from_pattern("%#####"),
        "monthname": word_lists(language)["month"][int(rng.random() * 12)],
        "year": str(day.year),
        "week": str(1 + int(rng.random() * 52)),
        "country": "EU",
        "city": "",
        "person": "",
        "phone": "",
        "days": rng.pick(("7", "10", "14", "15", "20", "21", "30", "30", "30", "45", "60", "90")),
        "date": "",
        "n": "1",
        "m": "1",
    }
    return text.format(**{**filled, **known})


def goods_description(rng: SeededRandom, language: str, day: date) -> str:
    """What was sold: `Steel bracket galvanised, model KD-204`."""
    lists = word_lists(language)
    text = rng.pick(lists["services" if rng.chance(0.35) else "goods"])
    if rng.chance(0.12):
        text = f"{coined_name(rng)} {text}"
    for _ in range(rng.pick((0, 0, 1, 1, 1, 2, 3))):
        text += rng.pick((" ", " ", ", ", " - ")) + rng.pick(lists["qualifiers"])
    text = fill_placeholders(rng, text, language, day)
    return text.upper() if rng.chance(0.1) else text
