"""The blanks of a form: what is printed beside them and what somebody filled in.

In: a sheet, the type of the answers. Out: label and value one after the other, as pairs of the form schema and, in
documents for training, as fields of their own that are asked for by their label (`Drawn.fields` describes those).
A label that is printed twice is one question with two right answers; one whose blanks are all empty is absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from docpipe.samples.canvas.canvas import Value, value
from docpipe.samples.canvas.strokes import Ink
from docpipe.samples.content.vocabulary import address, coined, company, person, town
from docpipe.samples.content.words import words
from docpipe.samples.documents.invoice.letterhead import Sheet

KINDS = (
    "date", "date", "person", "person", "company", "phone", "number", "number", "amount", "text", "text", "text",
    "place", "measure", "prose",
)  # fmt: skip
ASKED_SHARE = 0.7  # of the labels, in a document that asks for some
AGAIN_SHARE = 0.05  # of the labels that may be printed on the form already
NAME_WORDS = 6
OLD_YEARS = (1968, 1999)
_NOUNS = {"prose": "noun_text"}
_QUESTIONS = ("What is the {}?", "What is written for {}?", "{}?", "value of {}", "the answer to {}", "entry for {}")


class Blanks:
    """Counts pairs and makes one blank at a time. `asks`: give labels fields of their own."""

    def __init__(self, sheet: Sheet, typed: Ink, *, asks: bool) -> None:
        dice = sheet.dice
        self.sheet, self.typed = sheet, typed
        self.colon = dice.pick((":", ":", ":", "", " :"))
        self.caps = dice.chance(0.4)
        self.empty = dice.pick(
            (0.02, 0.05, 0.1, 0.1, 0.2, 0.4)
        )  # who asks about a form mostly has one that is filled in
        self.numbered = dice.pick((*("",) * 9, "{}. ", "({}) ", "{} "))
        self.capital_names = dice.chance(0.6)  # `Target_Date`: field names as somebody else would write them
        self.asks = asks
        self.count = 0
        self.fields: dict[str, str] = {}
        self._labels: list[str] = []
        self._paths: dict[str, str | None] = {}

    def make(self, kind: str = "", label: str = "", said: str = "") -> tuple[Value | str, Value | None]:
        """A label and what is filled in, or None where the blank stays empty; `kind`, `label` and what is `said` if
        they are given."""
        dice = self.sheet.dice
        kind = kind or dice.pick(KINDS)
        printed = self._printed(kind, label)
        path = self._asked(printed)
        if dice.chance(self.empty):
            return printed, None
        said = said or self.filled(kind)
        pair = f"pairs[{self.count}]"
        self.count += 1
        answer = value(f"{pair}.value", said)
        return value(f"{pair}.label", printed), answer.also(path) if path else answer

    def again(self, kind: str, first: Value) -> Value:
        """A further answer in the column of the first one."""
        pair = f"pairs[{self.count}]"
        self.count += 1
        return value(f"{pair}.value", self.filled(kind)).also(*first.paths[1:])

    def filled(self, kind: str) -> str:
        """What somebody writes into a blank of that kind."""
        dice = self.sheet.dice
        text = _MAKERS[kind](self.sheet)
        return text.upper() if dice.chance(0.15) else text

    def _printed(self, kind: str, given: str) -> str:
        dice = self.sheet.dice
        for _ in range(20):
            label = given or label_of(self.sheet, kind)
            label = label.upper() if self.caps and not given else label
            if given or label not in self._labels or dice.chance(AGAIN_SHARE):
                break
        self._labels.append(label)
        number = self.numbered.format(len(self._labels)) if not given else ""
        return number + label + ("" if label.endswith("?") else self.colon)

    def _asked(self, printed: str) -> str | None:
        """The path of the label's own field; labels that differ in print only are one question."""
        if not self.asks:
            return None
        dice = self.sheet.dice
        key = name_of(printed)
        if key not in self._paths:
            name = "_".join(key.split("_")[:NAME_WORDS])
            while name in {(path or "").lower() for path in self._paths.values()}:
                name += "_more"
            path = capital(name) if self.capital_names else name
            self._paths[key] = path if dice.chance(ASKED_SHARE) else None
            if self._paths[key]:
                self.fields[path] = self._wording(printed)
        return self._paths[key]

    def _wording(self, printed: str) -> str:
        """What the field's description says: mostly the label as it is printed."""
        dice, bare = self.sheet.dice, printed.rstrip(" :")
        kind = dice.random()
        if kind < 0.6:
            return printed
        if kind < 0.8:
            return dice.pick((bare, bare.lower(), bare.capitalize()))
        return dice.pick(_QUESTIONS).format(bare.lower() if dice.chance(0.5) else bare)


def name_of(label: str) -> str:
    """`(3) Name / Ext.:` -> `item_3_name_ext`."""
    name = "_".join(re.sub(r"[\W_]+", " ", label.lower()).split())
    return name if name[:1].isalpha() else f"item_{name}"


def capital(name: str) -> str:
    """`target_date` -> `Target_Date`."""
    return re.sub(r"(?<![^_])[a-z]", lambda found: found[0].upper(), name)


def text_of(label: Value | str) -> str:
    return label if isinstance(label, str) else label.text


def label_of(sheet: Sheet, kind: str) -> str:
    """A caption that fits the kind; composed in English, from the lists in other languages."""
    dice, language = sheet.dice, sheet.manner.language
    if language != "en" or dice.chance(0.2):
        known = words(language)
        label = dice.pick(known.get(f"label_{kind}", known["label_text"])).rstrip(":")
        return f"{label} / {dice.pick(known['label_text'])}" if language != "en" and dice.chance(0.15) else label
    lists = words("forms")
    label = dice.pick(lists[_NOUNS.get(kind, f"noun_{kind}")])
    if dice.chance(0.35):
        label = f"{dice.pick(lists['qualifier'])} {label}"
    if dice.chance(0.05):
        label = f"{coined(dice)} {label}"
    if dice.chance(0.1):
        label = f"{label} {dice.pick(lists['of'])}"
    if dice.chance(0.07):
        label = f"{label} / {dice.pick(lists['noun_text'])}"
    return f"{label} {dice.pick(lists['tail'])}" if dice.chance(0.1) else label


def prose(sheet: Sheet, sentences: int) -> str:
    """Full sentences, as in remarks and descriptions; in other languages phrases of the lists."""
    dice = sheet.dice
    if sheet.manner.language != "en":
        return ". ".join(sheet.phrase("phrases").capitalize() for _ in range(sentences)) + "."
    lists = words("forms")
    made = []
    for _ in range(sentences):
        if dice.chance(0.3):
            made.append(dice.pick(lists["doubt"]))
            continue
        middle = f" and {dice.pick(lists['object'])}" if dice.chance(0.25) else ""
        made.append(f"{dice.pick(lists['verb'])} {dice.pick(lists['object'])}{middle} {dice.pick(lists['why'])}.")
    return " ".join(made)


def _date(sheet: Sheet) -> str:
    dice, day = sheet.dice, sheet.dice.day()
    if dice.chance(0.6):
        low, high = OLD_YEARS
        day = day.replace(year=low + int((high - low + 1) * dice.random()), day=min(day.day, 28))
    if dice.chance(0.1):
        return dice.pattern(dice.pick(("Week %", "%/8#", "19##", "1#:3# AM", "%:15 P.M.")))
    return sheet.manner.date(day)


def _person(sheet: Sheet) -> str:
    dice = sheet.dice
    name = person(dice, sheet.manner.country)
    way = dice.random()
    if way < 0.2:
        first, _, last = name.partition(" ")
        return f"{first[:1]}. {dice.pattern('?.')} {last}"
    if way < 0.3:
        return f"{name}, {person(dice, sheet.manner.country)}"
    return f"{name}, {dice.pick(words(sheet.manner.language)['jobs'])}" if way < 0.36 else name


def _amount(sheet: Sheet) -> str:
    dice, manner = sheet.dice, sheet.manner
    sign = dice.pick(("", "", manner.sign, manner.sign + " "))
    return sign + manner.plain(dice.amount(5, 2000000), dice.pick((0, 2, 2)))


def _text(sheet: Sheet) -> str:
    dice, language = sheet.dice, sheet.manner.language
    lists = words(language)
    options = [sheet.phrase("phrases"), sheet.phrase("phrases"), coined(dice), dice.pick(lists["jobs"])]
    options.append(dice.pick(lists["goods"]))
    if language == "en":
        options += [dice.pick(words("forms")["option"]), dice.pick(words("forms")["object"]), "None", "N/A"]
    return dice.pick(options)


def _measure(sheet: Sheet) -> str:
    dice = sheet.dice
    size = dice.pattern(dice.pick(("%#", "%#.#", "%##", "0.##", "%", "%.##", "%# - %#", "%# x %#")))
    return f"{size} {dice.pick(words('forms')['unit'])}" if dice.chance(0.8) else size


_NUMBERS = (
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
_MAKERS: dict[str, Callable[[Sheet], str]] = {
    "date": _date,
    "person": _person,
    "company": lambda sheet: company(sheet.dice, sheet.manner.country, sheet.manner.language),
    "phone": lambda sheet: sheet.dice.pattern(sheet.dice.pick(words(sheet.manner.country)["phone"])),
    "number": lambda sheet: sheet.dice.pattern(sheet.dice.pick(_NUMBERS)),
    "amount": _amount,
    "text": _text,
    "measure": _measure,
    "place": lambda sheet: ", ".join(
        address(sheet.dice, sheet.manner.country, sheet.manner.language,
                town(sheet.dice, sheet.manner.country, sheet.manner.language))
    ),
    "prose": lambda sheet: prose(sheet, sheet.dice.pick((1, 1, 2, 3))),
    "mark": lambda sheet: sheet.dice.pick(words("forms")["mark"]),
}  # fmt: skip
