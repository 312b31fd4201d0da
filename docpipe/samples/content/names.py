"""Names without end, composed from syllables and word lists: brands, people, companies, towns, goods.

In: a random source, a country, a language. Out: a name.
"""

from __future__ import annotations

from datetime import date

from docpipe.samples.content.vocabulary import fill_placeholders, word_lists
from docpipe.samples.seeded_random import SeededRandom

_FIRST_SYLLABLES = (
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
_MIDDLE_SYLLABLES = (
    "a",
    "o",
    "i",
    "e",
    "ta",
    "ri",
    "lo",
    "ne",
    "mi",
    "va",
    "du",
    "ger",
    "ko",
    "sta",
    "xi",
    "pa",
    "bel",
    "u",
)
_LAST_SYLLABLES = (
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
_TOWN_ENDINGS = {
    "de": ("dorf", "hausen", "berg", "stadt", "heim", "bach", "feld"),
    "en": ("ton", "field", "ham", "bury", "ford", "ville", "port"),
    "fr": ("-sur-Mer", "ville", "ac", "-les-Bains", "court", "igny"),
    "es": ("ares", "eda", "illa", "osa", "edo"),
    "it": ("ano", "ate", "asco", "ello", "ola"),
    "nl": ("dam", "wijk", "drecht", "hoven", "veen", "lo"),
    "id": ("sari", "rejo", "karta"),
}


def coined_name(rng: SeededRandom) -> str:
    """A made-up brand: `Norivex`."""
    middle = "".join(rng.pick(_MIDDLE_SYLLABLES) for _ in range(rng.pick((0, 1, 1, 1, 2))))
    return rng.pick(_FIRST_SYLLABLES) + middle + rng.pick(_LAST_SYLLABLES)


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
    owner, form = last_name(rng, country), rng.random()
    trade, suffix = rng.pick(lists["trades"]), rng.pick(local["suffix"])
    if form < 0.2:
        name = f"{owner} {trade} {suffix}"
    elif form < 0.3:
        name = f"{owner} & {last_name(rng, country)} {suffix}"
    elif form < 0.5:
        brand = coined_name(rng)
        middle = rng.pick((trade, "", "", rng.pick(("International", "Group", "Europe"))))
        name = f"{brand} {middle} {suffix}"
    elif form < 0.6:
        name = f"{town_name(rng, country, language)} {trade} {suffix}"
    elif form < 0.7:
        name = f"{rng.pick(lists['adjectives'])} {rng.pick(lists['nouns'])} {rng.pick((trade, suffix, ''))}"
    elif form < 0.8:
        name = f"{rng.from_pattern('???')} {trade} {suffix}"
    elif form < 0.88:
        name = f"{person_name(rng, country)} {rng.pick((trade, '', trade))}"
    else:
        name = f"{rng.pick(lists['nouns'])} {trade} {suffix}"
    name = " ".join(name.split())
    return name.upper() if rng.chance(0.15) else name


def town_name(rng: SeededRandom, country: str, language: str) -> str:
    if country == "SG" or rng.chance(0.7):
        return rng.pick(word_lists(country)["city"])
    name = (rng.pick(_FIRST_SYLLABLES) + rng.pick(_MIDDLE_SYLLABLES) + rng.pick(_TOWN_ENDINGS[language])).capitalize()
    return name.upper() if country == "MY" else name


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
