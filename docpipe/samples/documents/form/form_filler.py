"""The blanks of a form: what is printed beside them and what somebody filled in.

In: a drawing context, the style of the answers. Out: label and answer of one blank after the other, as pairs of the
form schema and, in documents for training, as fields of their own that are asked for by their label
(`SampleDocument.field_descriptions` has those). A label that is printed twice is one question with two right answers;
one whose blanks are all empty is absent.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from docpipe.samples.canvas.text_style import TextStyle
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.form.answers import ANSWER_KINDS, make_answer, make_label
from docpipe.samples.truth import FieldText, RichTextRun, field_text

OWN_FIELD_SHARE = 0.7  # of the labels, in a document that asks for some
REPEATED_LABEL_SHARE = 0.05  # of the labels that may be printed on the form already
CAPITALS_SHARE = 0.15  # of the answers
EMPTY_SHARES = (0.02, 0.05, 0.1, 0.1, 0.2, 0.4)  # who asks about a form mostly has one that is filled in
NUMBER_FORMATS = (*("",) * 9, "{}. ", "({}) ", "{} ")
MAX_PATH_WORDS = 6
MAX_LABEL_TRIES = 20
QUESTIONS = ("What is the {}?", "What is written for {}?", "{}?", "value of {}", "the answer to {}", "entry for {}")


class FilledBlank(NamedTuple):
    """`answer` is None where the blank stays empty; the label is no field then."""

    label: RichTextRun
    answer: FieldText | None


class FormFiller:
    """Counts pairs and fills one blank at a time. `with_own_fields`: labels get fields of their own."""

    def __init__(self, context: DrawingContext, answer_style: TextStyle, *, with_own_fields: bool) -> None:
        rng = context.rng
        self.context, self.answer_style = context, answer_style
        self.label_suffix = rng.pick((":", ":", ":", "", " :"))
        self.capital_labels = rng.chance(0.4)
        self.empty_share = rng.pick(EMPTY_SHARES)
        self.number_format = rng.pick(NUMBER_FORMATS)
        self.capitalised_paths = rng.chance(0.6)  # `Target_Date`: field names as somebody else would write them
        self.with_own_fields = with_own_fields
        self.own_fields: dict[str, str] = {}  # description by path
        self._pair_count = 0
        self._labels: list[str] = []
        self._own_paths: dict[str, str | None] = {}

    def fill(self, kind: str = "", label: str = "", answer: str = "") -> FilledBlank:
        """The next blank. Kind of answer, label and answer are chosen unless they are given."""
        rng = self.context.rng
        kind = kind or rng.pick(ANSWER_KINDS)
        printed_label = self._printed_label(kind, label)
        own_path = self._own_path(printed_label)
        if rng.chance(self.empty_share):
            return FilledBlank(printed_label, None)
        text = answer or self._answer_text(kind)
        pair = self._next_pair()
        value = field_text(f"{pair}.value", text)
        value = value.with_more_paths(own_path) if own_path else value
        return FilledBlank(field_text(f"{pair}.label", printed_label), value)

    def further_answer(self, kind: str, first: FieldText) -> FieldText:
        """A further answer in the column of the first one."""
        pair = self._next_pair()
        return field_text(f"{pair}.value", self._answer_text(kind)).with_more_paths(*first.paths[1:])

    def _next_pair(self) -> str:
        self._pair_count += 1
        return f"pairs[{self._pair_count - 1}]"

    def _answer_text(self, kind: str) -> str:
        text = make_answer(self.context, kind)
        return text.upper() if self.context.rng.chance(CAPITALS_SHARE) else text

    def _printed_label(self, kind: str, given_label: str) -> str:
        """The given label, or one that is mostly not on the form yet, with its number and colon."""
        rng = self.context.rng
        for _ in range(MAX_LABEL_TRIES):
            label = given_label or make_label(self.context, kind)
            label = label.upper() if self.capital_labels and not given_label else label
            if given_label or label not in self._labels or rng.chance(REPEATED_LABEL_SHARE):
                break
        self._labels.append(label)
        number = self.number_format.format(len(self._labels)) if not given_label else ""
        return number + label + ("" if label.endswith("?") else self.label_suffix)

    def _own_path(self, printed_label: str) -> str | None:
        """The path of the label's own field; labels that differ in print only are one question."""
        if not self.with_own_fields:
            return None
        key = path_of_label(printed_label)
        if key not in self._own_paths:
            path = "_".join(key.split("_")[:MAX_PATH_WORDS])
            while path in {(own_path or "").lower() for own_path in self._own_paths.values()}:
                path += "_more"
            path = capitalised_path(path) if self.capitalised_paths else path
            self._own_paths[key] = path if self.context.rng.chance(OWN_FIELD_SHARE) else None
            if self._own_paths[key]:
                self.own_fields[path] = self._own_description(printed_label)
        return self._own_paths[key]

    def _own_description(self, printed_label: str) -> str:
        """What the field's description says: mostly the label as it is printed."""
        rng, bare_label = self.context.rng, printed_label.rstrip(" :")
        form = rng.random()
        if form < 0.6:
            return printed_label
        if form < 0.8:
            return rng.pick((bare_label, bare_label.lower(), bare_label.capitalize()))
        return rng.pick(QUESTIONS).format(bare_label.lower() if rng.chance(0.5) else bare_label)


def path_of_label(label: str) -> str:
    """`(3) Name / Ext.:` -> `item_3_name_ext`."""
    name = "_".join(re.sub(r"[\W_]+", " ", label.lower()).split())
    return name if name[:1].isalpha() else f"item_{name}"


def capitalised_path(path: str) -> str:
    """`target_date` -> `Target_Date`."""
    return re.sub(r"(?<![^_])[a-z]", lambda letter: letter[0].upper(), path)
