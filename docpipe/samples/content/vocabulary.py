"""Names without end: companies, people, addresses, goods, composed from the word lists.

In: dice, a country, a language. Out: a `Party` with all that a letterhead may print, and texts for items.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from docpipe.samples.content import registered_numbers
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice

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
    address: tuple[str, ...]
    city: str
    vat_id: str | None
    register: str
    phone: str
    fax: str
    email: str
    web: str
    person: str
    bank: str
    iban: str
    bic: str


def coined(dice: Dice) -> str:
    """A made-up brand: `Norivex`."""
    middle = "".join(dice.pick(_MIDDLES) for _ in range(dice.pick((0, 1, 1, 1, 2))))
    return dice.pick(_STARTS) + middle + dice.pick(_ENDS)


def person(dice: Dice, country: str) -> str:
    lists = words(country)
    name = f"{dice.pick(lists['first'])} {last_name(dice, country)}"
    if dice.chance(0.08):
        return f"{name[0]}. {name.split(' ', 1)[1]}"
    return name


def last_name(dice: Dice, country: str) -> str:
    return dice.pick(words(country)["last"]) if dice.chance(0.75) else coined(dice)


def company(dice: Dice, country: str, language: str) -> str:
    lists, local = words(language), words(country)
    name, kind = last_name(dice, country), dice.random()
    trade, suffix = dice.pick(lists["trades"]), dice.pick(local["suffix"])
    if kind < 0.2:
        name = f"{name} {trade} {suffix}"
    elif kind < 0.3:
        name = f"{name} & {last_name(dice, country)} {suffix}"
    elif kind < 0.5:
        name = f"{coined(dice)} {dice.pick((trade, '', '', dice.pick(('International', 'Group', 'Europe'))))} {suffix}"
    elif kind < 0.6:
        name = f"{town(dice, country, language)} {trade} {suffix}"
    elif kind < 0.7:
        name = f"{dice.pick(lists['adjectives'])} {dice.pick(lists['nouns'])} {dice.pick((trade, suffix, ''))}"
    elif kind < 0.8:
        name = f"{dice.pattern('???')} {trade} {suffix}"
    elif kind < 0.88:
        name = f"{person(dice, country)} {dice.pick((trade, '', trade))}"
    else:
        name = f"{dice.pick(lists['nouns'])} {trade} {suffix}"
    name = " ".join(name.split())
    return name.upper() if dice.chance(0.15) else name


def town(dice: Dice, country: str, language: str) -> str:
    if country == "SG" or dice.chance(0.7):
        return dice.pick(words(country)["city"])
    made = (dice.pick(_STARTS) + dice.pick(_MIDDLES) + dice.pick(_TOWN_ENDS[language])).capitalize()
    return made.upper() if country == "MY" else made


def street(dice: Dice, country: str, language: str) -> str:
    text = dice.pick(words(country)["street"])
    if country in ("DE", "AT", "CH") and dice.chance(0.35):
        ends = ("straße", "weg", "gasse", "allee", "ring") if country != "CH" else ("strasse", "weg", "gasse")
        return last_name(dice, country).replace(" ", "-").capitalize() + dice.pick(ends)
    if language == "en" and country in ("GB", "US", "AU", "IE") and dice.chance(0.4):
        kind = dice.pick(("Street", "Road", "Lane", "Ave", "Drive", "Way", "Close", "St.", "Court"))
        return f"{last_name(dice, country)} {kind}"
    if country in ("FR", "ES", "IT", "NL", "BE") and dice.chance(0.3):
        stem = text.split()[0] if country != "NL" else ""
        return f"{stem} {coined(dice)}{dice.pick(('straat', 'weg', 'laan')) if country == 'NL' else ''}".strip()
    return text


def address(dice: Dice, country: str, language: str, city: str) -> tuple[str, ...]:
    """Lines of a postal address as that country writes it. `/` parts the lines in the word list."""
    template = dice.pick(words(country)["address"])
    lines = (_address_line(dice, country, language, line, city) for line in template.split("/"))
    upper = country == "MY" and dice.chance(0.6)
    return tuple(line.upper() if upper else line for line in lines if line)


def _address_line(dice: Dice, country: str, language: str, line: str, city: str) -> str:
    local = words(country)
    line = line.replace("{area}", dice.pick(local.get("area", ("",)))).replace(
        "{street}", street(dice, country, language)
    )
    name2 = local.get("name2")
    while "{name2}" in line:
        line = line.replace("{name2}", dice.pick(name2) if name2 and dice.chance(0.7) else coined(dice), 1)
    while "{nr}" in line:
        line = line.replace("{nr}", str(1 + int(150 * dice.random() ** 2)) + dice.pick(("", "", "", "", "a", "-3")), 1)
    while "{box}" in line:
        line = line.replace("{box}", dice.pattern(dice.pick(("%", "%#", "%##"))), 1)
    line = line.format(
        postcode=dice.pattern(dice.pick(local["postcode"])),
        city=city,
        country=dice.pick(local["name"]),
        region=dice.pick(local.get("region", ("",))),
        state=dice.pick(local.get("state", ("",))),
        province=dice.pick(local.get("province", ("",))),
        one=dice.pattern("%"),
        two=dice.pattern("##"),
    )
    return line.strip()


def party(dice: Dice, country: str, language: str, *, private: bool = False) -> Party:
    city = town(dice, country, language)
    name = person(dice, country) if private else company(dice, country, language)
    local = words(country)
    domain = "".join(sign for sign in name.lower().split()[0] if sign.isascii() and sign.isalnum()) or "post"
    domain += dice.pick(("", "-" + coined(dice).lower(), "online")) + "." + dice.pick(local["tld"])
    box = dice.pick(("info", "office", "billing", "mail", "accounts", "contact"))
    return Party(
        country,
        name,
        address(dice, country, language, city),
        city,
        vat_id=None if private else registered_numbers.vat_id(dice, country),
        register=dice.pattern(
            dice.pick(("######-?", "%#######", "HRB %####", "(%#####-?)", "##/###/#####", "20%#%#####?"))
        ),
        phone=dice.pattern(dice.pick(local["phone"])),
        fax=dice.pattern(dice.pick(local["phone"])),
        email=f"{box}@{domain}",
        web=dice.pick(("www.", "https://", "http://www.")) + domain,
        person=person(dice, country),
        bank=dice.pick(
            (
                f"{coined(dice)} Bank",
                f"{city} Bank",
                "Sparkasse " + city,
                "Volksbank",
                f"Banque {coined(dice)}",
                f"Banco {coined(dice)}",
            )
        ),
        iban=registered_numbers.iban(dice, country),
        bic=registered_numbers.bic(dice, country),
    )


def fill(dice: Dice, text: str, language: str, day: date, **known: str) -> str:
    """Fills what word lists leave open: `{code}`, `{digits}`, `{monthname}`, `{year}`, `{week}`, `{days}` …"""
    if "{" not in text:
        return text
    filled = {
        "code": dice.pattern(dice.pick(("??-###", "?####", "###.###", "?? ##", "##-?###", "???#"))),
        "digits": dice.pattern("%#####"),
        "monthname": words(language)["month"][int(dice.random() * 12)],
        "year": str(day.year),
        "week": str(1 + int(dice.random() * 52)),
        "country": "EU",
        "city": "",
        "person": "",
        "phone": "",
        "days": dice.pick(("7", "10", "14", "15", "20", "21", "30", "30", "30", "45", "60", "90")),
        "date": "",
        "n": "1",
        "m": "1",
    }
    return text.format(**{**filled, **known})


def goods(dice: Dice, language: str, day: date) -> str:
    """What was sold: `Steel bracket galvanised, model KD-204`."""
    lists = words(language)
    text = dice.pick(lists["services" if dice.chance(0.35) else "goods"])
    if dice.chance(0.12):
        text = f"{coined(dice)} {text}"
    for _ in range(dice.pick((0, 0, 1, 1, 1, 2, 3))):
        text += dice.pick((" ", " ", ", ", " - ")) + dice.pick(lists["qualifiers"])
    text = fill(dice, text, language, day)
    return text.upper() if dice.chance(0.1) else text
