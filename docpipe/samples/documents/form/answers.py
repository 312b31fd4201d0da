"""What is printed beside the blanks of a form, and what somebody writes into them.

In: a drawing context and a kind of answer. Out: a label that fits the kind, an answer, sentences.
"""

from __future__ import annotations

from collections.abc import Callable

from docpipe.samples.content.names import coined_name, company_name, person_name, town_name
from docpipe.samples.content.parties import postal_address
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.common.drawing_context import DrawingContext

ANSWER_KINDS = (
    *("date", "date", "person", "person", "company", "phone", "number", "number", "amount", "text", "text", "text"),
    *("place", "measure", "prose"),
)
ARCHIVE_YEARS = (1968, 1999)  # of most dates on forms: many that are asked about come from archives
ODD_DATE_PATTERNS = ("Week %", "%/8#", "19##", "1#:3# AM", "%:15 P.M.")
SIZE_PATTERNS = ("%#", "%#.#", "%##", "0.##", "%", "%.##", "%# - %#", "%# x %#")
NUMBER_PATTERNS = (
    *("%", "%#", "%##", "%####", "%#-###", "??-####", "%#,###", "###-##-####", "?-%##", "%##,###", "#.##", "%#/%#"),
)


def make_label(context: DrawingContext, kind: str) -> str:
    """A label that fits the kind; composed in English, from the lists in other languages."""
    rng, language = context.rng, context.locale.language
    if language != "en" or rng.chance(0.2):
        lists = word_lists(language)
        label = rng.pick(lists.get(f"label_{kind}", lists["label_text"])).rstrip(":")
        return f"{label} / {rng.pick(lists['label_text'])}" if language != "en" and rng.chance(0.15) else label
    lists = word_lists("forms")
    label = rng.pick(lists["noun_text" if kind == "prose" else f"noun_{kind}"])
    if rng.chance(0.35):
        label = f"{rng.pick(lists['qualifier'])} {label}"
    if rng.chance(0.05):
        label = f"{coined_name(rng)} {label}"
    if rng.chance(0.1):
        label = f"{label} {rng.pick(lists['of'])}"
    if rng.chance(0.07):
        label = f"{label} / {rng.pick(lists['noun_text'])}"
    return f"{label} {rng.pick(lists['tail'])}" if rng.chance(0.1) else label


def make_answer(context: DrawingContext, kind: str) -> str:
    return _ANSWER_MAKERS[kind](context)


def make_prose(context: DrawingContext, sentence_count: int) -> str:
    """Full sentences, as in remarks and descriptions; in other languages phrases of the lists."""
    rng = context.rng
    if context.locale.language != "en":
        return ". ".join(context.phrase("phrases").capitalize() for _ in range(sentence_count)) + "."
    lists = word_lists("forms")
    sentences = []
    for _ in range(sentence_count):
        if rng.chance(0.3):
            sentences.append(rng.pick(lists["doubt"]))
            continue
        second_object = f" and {rng.pick(lists['object'])}" if rng.chance(0.25) else ""
        verb, first_object, reason = rng.pick(lists["verb"]), rng.pick(lists["object"]), rng.pick(lists["why"])
        sentences.append(f"{verb} {first_object}{second_object} {reason}.")
    return " ".join(sentences)


def _date(context: DrawingContext) -> str:
    rng = context.rng
    day = rng.random_date()
    if rng.chance(0.6):
        first, last = ARCHIVE_YEARS
        day = day.replace(year=first + int((last - first + 1) * rng.random()), day=min(day.day, 28))
    if rng.chance(0.1):
        return rng.from_pattern(rng.pick(ODD_DATE_PATTERNS))
    return context.locale.format_date(day)


def _person(context: DrawingContext) -> str:
    """A name, now and then with initials, with a second name, or with a job."""
    rng = context.rng
    name = person_name(rng, context.locale.country)
    form = rng.random()
    if form < 0.2:
        first, _, last = name.partition(" ")
        return f"{first[:1]}. {rng.from_pattern('?.')} {last}"
    if form < 0.3:
        return f"{name}, {person_name(rng, context.locale.country)}"
    return f"{name}, {rng.pick(context.words('jobs'))}" if form < 0.36 else name


def _company(context: DrawingContext) -> str:
    return company_name(context.rng, context.locale.country, context.locale.language)


def _phone(context: DrawingContext) -> str:
    return context.rng.from_pattern(context.rng.pick(word_lists(context.locale.country)["phone"]))


def _number(context: DrawingContext) -> str:
    return context.rng.from_pattern(context.rng.pick(NUMBER_PATTERNS))


def _amount(context: DrawingContext) -> str:
    rng, symbol = context.rng, context.locale.currency_symbol
    before = rng.pick(("", "", symbol, symbol + " "))
    return before + context.locale.format_number(rng.amount(5, 2000000), rng.pick((0, 2, 2)))


def _text(context: DrawingContext) -> str:
    rng, forms = context.rng, word_lists("forms")
    options = [context.phrase("phrases"), context.phrase("phrases"), coined_name(rng), rng.pick(context.words("jobs"))]
    options.append(rng.pick(context.words("goods")))
    if context.locale.language == "en":
        options += [rng.pick(forms["option"]), rng.pick(forms["object"]), "None", "N/A"]
    return rng.pick(options)


def _measure(context: DrawingContext) -> str:
    rng = context.rng
    size = rng.from_pattern(rng.pick(SIZE_PATTERNS))
    return f"{size} {rng.pick(word_lists('forms')['unit'])}" if rng.chance(0.8) else size


def _place(context: DrawingContext) -> str:
    rng, country, language = context.rng, context.locale.country, context.locale.language
    return ", ".join(postal_address(rng, country, language, town_name(rng, country, language)))


def _prose(context: DrawingContext) -> str:
    return make_prose(context, context.rng.pick((1, 1, 2, 3)))


def _mark(context: DrawingContext) -> str:
    return context.rng.pick(word_lists("forms")["mark"])


_ANSWER_MAKERS: dict[str, Callable[[DrawingContext], str]] = {
    "date": _date,
    "person": _person,
    "company": _company,
    "phone": _phone,
    "number": _number,
    "amount": _amount,
    "text": _text,
    "measure": _measure,
    "place": _place,
    "prose": _prose,
    "mark": _mark,
}
