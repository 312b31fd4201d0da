"""Names of months, as CLDR (by way of babel) has them, and as documents abbreviate them.

In: a printed word (`marca`, `févr.`, `III`). Out: the months that it may be, each with the languages in which it is.
A few names are different months in neighbouring languages: `listopad` is November in Polish and October in Croatian.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from docpipe.schema_ports import Conventions
from docpipe.schemas.printed_terms import fold_term

LANGUAGES = (
    "en", "de", "fr", "es", "it", "nl", "pt", "ms", "id",
    "pl", "cs", "sk", "da", "sv", "nb", "fi", "hu", "ro", "tr", "hr", "el",
)  # fmt: skip
MIN_MONTH_LETTERS = 3
"""Letters. Shorter abbreviations (es `my`?) would meet too many other words."""
FURTHER_MONTHS = {
    "sept": 9,
    "maerz": 3,
    "mrz": 3,
    "okt": 10,
    "mac": 3,
    "fev": 2,
    "avr": 4,
    "juil": 7,
    "aou": 8,
    "dic": 12,
    "dis": 12,
    "set": 9,
}
WORDS_OF_OTHER_LANGUAGES = frozenset({"pro", "led", "dub", "sie", "tra", "uno", "tem", "elo", "ara", "lis"})
"""Abbreviated months of one language that are words elsewhere: `zahlen Sie 12 24`, `LED 12/24`. They are months only on
a document of their language."""
ROMAN_MONTHS = {
    roman: number
    for number, roman in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"), 1)
}

Months = Mapping[int, frozenset[str]]
"""Months (1-12) that a name may be, each with its languages; those of FURTHER_MONTHS have none."""


@lru_cache(maxsize=1)
def month_names() -> Mapping[str, Months]:
    """Names and abbreviations of LANGUAGES, folded (`février` -> `fevrier`): nominative and the form beside a day."""
    from babel import Locale  # heavy: locale data of twenty languages

    names: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, number in FURTHER_MONTHS.items():
        names[name][number] = set()
    for language in LANGUAGES:
        months = Locale(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[form][width].items():
                    names[fold_term(name)][number].add(language)
    return {
        name: {number: frozenset(languages) for number, languages in numbers.items()}
        for name, numbers in names.items()
        if len(name) >= MIN_MONTH_LETTERS
    }


def months_named(word: str) -> Months:
    """The months that a printed word may be; empty when it is none."""
    return month_names().get(fold_term(word), {})


def needs_language(word: str) -> bool:
    """Whether it takes the document's language to know which month the word is, or whether it is one."""
    return len(months_named(word)) > 1 or is_also_a_word(word)


def is_also_a_word(word: str) -> bool:
    """Whether an abbreviated month is a word of another language: then only a whole year makes a date of it."""
    return fold_term(word) in WORDS_OF_OTHER_LANGUAGES


def languages_of(conventions: Conventions) -> frozenset[str]:
    """The language that a document is known to be in, and those of the country that it comes from."""
    spoken = frozenset({conventions.language} if conventions.language else ())
    return spoken | _languages_in(conventions.country) if conventions.country else spoken


@lru_cache(maxsize=512)
def _languages_in(country: str) -> frozenset[str]:
    from babel.languages import get_official_languages  # heavy: locale data

    return frozenset(get_official_languages(country, regional=True, de_facto=True))


def language_name(language: str) -> str:
    """`pl` -> Polish."""
    from babel import Locale  # heavy: locale data

    return str(Locale("en").languages.get(language, language))
