"""The blanks of a form: what is printed beside them and what somebody filled in.

In: a sheet, the type of the answers. Out: label and value one after the other, as pairs of the form schema and, in
documents for training, as fields of their own that are asked for by their label (`Drawn.fields` describes those).
A label that is printed twice is one question with two right answers; one whose blanks are all empty is absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from docpipe.samples.canvas.canvas import FieldText, field_text
from docpipe.samples.canvas.strokes import TextStyle
from docpipe.samples.content.vocabulary import address, coined_name, company_name, person_name, town_name
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.invoice.letterhead import DrawingContext

ANSWER_KINDS = (
    "date", "date", "person", "person", "company", "phone", "number", "number", "amount", "text", "text", "text",
    "place", "measure", "prose",
)  # fmt: skip
OWN_FIELD_SHARE = 0.7  # of the labels, in a document that asks for some
REPEATED_LABEL_SHARE = 0.05  # of the labels that may be printed on the form already
MAX_PATH_WORDS = 6
ARCHIVE_YEARS = (1968, 1999)
_NOUN_LISTS = {"prose": "noun_text"}
_QUESTIONS = ("What is the {}?", "What is written for {}?", "{}?", "value of {}", "the answer to {}", "entry for {}")


class FormFiller:
    """Counts pairs and makes one blank at a time. `asks`: give labels fields of their own."""

    def __init__(self, context: DrawingContext, answer_style: TextStyle, *, with_own_fields: bool) -> None:
        rng = context.rng
        self.context, self.answer_style = context, answer_style
        self.label_suffix = rng.pick((":", ":", ":", "", " :"))
        self.capital_labels = rng.chance(0.4)
        self.empty_share = rng.pick(
            (0.02, 0.05, 0.1, 0.1, 0.2, 0.4)
        )  # who asks about a form mostly has one that is filled in
        self.number_format = rng.pick((*("",) * 9, "{}. ", "({}) ", "{} "))
        self.capital_names = rng.chance(0.6)  # `Target_Date`: field names as somebody else would write them
        self.with_own_fields = with_own_fields
        self.pair_count = 0
        self.own_fields: dict[str, str] = {}
        self._labels: list[str] = []
        self._paths: dict[str, str | None] = {}

    def fill(self, kind: str = "", label: str = "", answer: str = "") -> tuple[FieldText | str, FieldText | None]:
        """A label and what is filled in, or None where the blank stays empty; `kind`, `label` and what is `said` if
        they are given."""
        rng = self.context.rng
        kind = kind or rng.pick(ANSWER_KINDS)
        printed = self._printed_label(kind, label)
        path = self._own_path(printed)
        if rng.chance(self.empty_share):
            return printed, None
        text = answer or self.answer_text(kind)
        pair = f"pairs[{self.pair_count}]"
        self.pair_count += 1
        filled_in = field_text(f"{pair}.value", text)
        return field_text(f"{pair}.label", printed), filled_in.with_more_paths(path) if path else filled_in

    def further_answer(self, kind: str, first: FieldText) -> FieldText:
        """A further answer in the column of the first one."""
        pair = f"pairs[{self.pair_count}]"
        self.pair_count += 1
        return field_text(f"{pair}.value", self.answer_text(kind)).with_more_paths(*first.paths[1:])

    def answer_text(self, kind: str) -> str:
        """What somebody writes into a blank of that kind."""
        rng = self.context.rng
        text = _ANSWER_MAKERS[kind](self.context)
        return text.upper() if rng.chance(0.15) else text

    def _printed_label(self, kind: str, given: str) -> str:
        rng = self.context.rng
        for _ in range(20):
            label = given or make_label(self.context, kind)
            label = label.upper() if self.capital_labels and not given else label
            if given or label not in self._labels or rng.chance(REPEATED_LABEL_SHARE):
                break
        self._labels.append(label)
        number = self.number_format.format(len(self._labels)) if not given else ""
        return number + label + ("" if label.endswith("?") else self.label_suffix)

    def _own_path(self, printed: str) -> str | None:
        """The path of the label's own field; labels that differ in print only are one question."""
        if not self.with_own_fields:
            return None
        rng = self.context.rng
        key = path_of_label(printed)
        if key not in self._paths:
            name = "_".join(key.split("_")[:MAX_PATH_WORDS])
            while name in {(path or "").lower() for path in self._paths.values()}:
                name += "_more"
            path = capitalised_path(name) if self.capital_names else name
            self._paths[key] = path if rng.chance(OWN_FIELD_SHARE) else None
            if self._paths[key]:
                self.own_fields[path] = self._own_description(printed)
        return self._paths[key]

    def _own_description(self, printed: str) -> str:
        """What the field's description says: mostly the label as it is printed."""
        rng, bare = self.context.rng, printed.rstrip(" :")
        kind = rng.random()
        if kind < 0.6:
            return printed
        if kind < 0.8:
            return rng.pick((bare, bare.lower(), bare.capitalize()))
        return rng.pick(_QUESTIONS).format(bare.lower() if rng.chance(0.5) else bare)


def path_of_label(label: str) -> str:
    """`(3) Name / Ext.:` -> `item_3_name_ext`."""
    name = "_".join(re.sub(r"[\W_]+", " ", label.lower()).split())
    return name if name[:1].isalpha() else f"item_{name}"


def capitalised_path(name: str) -> str:
    """`target_date` -> `Target_Date`."""
    return re.sub(r"(?<![^_])[a-z]", lambda found: found[0].upper(), name)


def label_text(label: FieldText | str) -> str:
    return label if isinstance(label, str) else label.text


def make_label(context: DrawingContext, kind: str) -> str:
    """A caption that fits the kind; composed in English, from the lists in other languages."""
    rng, language = context.rng, context.locale.language
    if language != "en" or rng.chance(0.2):
        known = word_lists(language)
        label = rng.pick(known.get(f"label_{kind}", known["label_text"])).rstrip(":")
        return f"{label} / {rng.pick(known['label_text'])}" if language != "en" and rng.chance(0.15) else label
    lists = word_lists("forms")
    label = rng.pick(lists[_NOUN_LISTS.get(kind, f"noun_{kind}")])
    if rng.chance(0.35):
        label = f"{rng.pick(lists['qualifier'])} {label}"
    if rng.chance(0.05):
        label = f"{coined_name(rng)} {label}"
    if rng.chance(0.1):
        label = f"{label} {rng.pick(lists['of'])}"
    if rng.chance(0.07):
        label = f"{label} / {rng.pick(lists['noun_text'])}"
    return f"{label} {rng.pick(lists['tail'])}" if rng.chance(0.1) else label


def make_prose(context: DrawingContext, sentences: int) -> str:
    """Full sentences, as in remarks and descriptions; in other languages phrases of the lists."""
    rng = context.rng
    if context.locale.language != "en":
        return ". ".join(context.phrase("phrases").capitalize() for _ in range(sentences)) + "."
    lists = word_lists("forms")
    made = []
    for _ in range(sentences):
        if rng.chance(0.3):
            made.append(rng.pick(lists["doubt"]))
            continue
        middle = f" and {rng.pick(lists['object'])}" if rng.chance(0.25) else ""
        made.append(f"{rng.pick(lists['verb'])} {rng.pick(lists['object'])}{middle} {rng.pick(lists['why'])}.")
    return " ".join(made)


def _date(context: DrawingContext) -> str:
    rng, day = context.rng, context.rng.date()
    if rng.chance(0.6):
        low, high = ARCHIVE_YEARS
        day = day.replace(year=low + int((high - low + 1) * rng.random()), day=min(day.day, 28))
    if rng.chance(0.1):
        return rng.from_pattern(rng.pick(("Week %", "%/8#", "19##", "1#:3# AM", "%:15 P.M.")))
    return context.locale.format_date(day)


def _person(context: DrawingContext) -> str:
    rng = context.rng
    name = person_name(rng, context.locale.country)
    way = rng.random()
    if way < 0.2:
        first, _, last = name.partition(" ")
        return f"{first[:1]}. {rng.from_pattern('?.')} {last}"
    if way < 0.3:
        return f"{name}, {person_name(rng, context.locale.country)}"
    return f"{name}, {rng.pick(word_lists(context.locale.language)['jobs'])}" if way < 0.36 else name


def _amount(context: DrawingContext) -> str:
    rng, locale = context.rng, context.locale
    sign = rng.pick(("", "", locale.currency_symbol, locale.currency_symbol + " "))
    return sign + locale.format_number(rng.amount(5, 2000000), rng.pick((0, 2, 2)))


def _text(context: DrawingContext) -> str:
    rng, language = context.rng, context.locale.language
    lists = word_lists(language)
    options = [context.phrase("phrases"), context.phrase("phrases"), coined_name(rng), rng.pick(lists["jobs"])]
    options.append(rng.pick(lists["goods"]))
    if language == "en":
        options += [rng.pick(word_lists("forms")["option"]), rng.pick(word_lists("forms")["object"]), "None", "N/A"]
    return rng.pick(options)


def _measure(context: DrawingContext) -> str:
    rng = context.rng
    size = rng.from_pattern(rng.pick(("%#", "%#.#", "%##", "0.##", "%", "%.##", "%# - %#", "%# x %#")))
    return f"{size} {rng.pick(word_lists('forms')['unit'])}" if rng.chance(0.8) else size


_NUMBER_PATTERNS = (
    "%",
    "%#",
    "%##",
    "%####",
    "%#-###",
    "??-####",
    "%#,###",
    "###-##-####",
    "?-%##",
    "%##,###",
    "#.##",
    "%#/%#",
)
_ANSWER_MAKERS: dict[str, Callable[[DrawingContext], str]] = {
    "date": _date,
    "person": _person,
    "company": lambda context: company_name(context.rng, context.locale.country, context.locale.language),
    "phone": lambda context: context.rng.from_pattern(context.rng.pick(word_lists(context.locale.country)["phone"])),
    "number": lambda context: context.rng.from_pattern(context.rng.pick(_NUMBER_PATTERNS)),
    "amount": _amount,
    "text": _text,
    "measure": _measure,
    "place": lambda context: ", ".join(
        address(context.rng, context.locale.country, context.locale.language,
                town_name(context.rng, context.locale.country, context.locale.language))
    ),
    "prose": lambda context: make_prose(context, context.rng.pick((1, 1, 2, 3))),
    "mark": lambda context: context.rng.pick(word_lists("forms")["mark"]),
}  # fmt: skip
