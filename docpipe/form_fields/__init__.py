"""What a PDF's form says exactly takes the place of what an extractor guessed from its picture.

In: a grounded answer, the schema, the document's pages with the widgets of its form. Out: the answer in which no option
stands that is not ticked, and ticked, typed and chosen values stand as the file has them. Their confidence is
calibrated as that of any value: they are candidates with all but certain scores, whose words were found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from docpipe.data import Answer, Box, Candidate, Evidence, Widget
from docpipe.document_index import DocumentIndex
from docpipe.form_fields.captions import FormEntry, FormLayout, FormOption, FormQuestion, form_layouts
from docpipe.paths import FieldPath, words_of
from docpipe.schema import Schema
from docpipe.text_normalisation import match_of, squeeze

EXACT_SCORE = 0.999  # no score is certainty
SIGNALS = {"inside": EXACT_SCORE, "support": 0.25}  # as of a value that is printed once and wholly pointed at
TICKED, UNTICKED = "☑", "☐"  # as the kind of booleans reads them
LABEL, VALUE = "label", "value"  # the columns of a list of a form's fields


@dataclass(frozen=True, slots=True)
class _PlacedWord:
    """A word of the document: its page and its index there."""

    page: int
    word: int


@dataclass(frozen=True, slots=True)
class _FormPair:
    """A label and its value as the file has them."""

    label: Candidate
    value: Candidate


def answer_from_form(answer: Answer, schema: Schema, document: DocumentIndex) -> Answer:
    """The same answer where the document has no form."""
    layouts = form_layouts([page.page for page in document.pages.values()])
    if not layouts:
        return answer
    form = _FormContent(layouts, document)
    pair_lists = [path for path, specs in schema.lists().items() if {_column(s.path) for s in specs} == {LABEL, VALUE}]
    answer = form.with_named_entries(answer, schema)
    for path in pair_lists:
        answer = form.with_pairs(answer, path)
    booleans = {spec.path for spec in schema.fields if spec.kind.column == "boolean"}
    return form.without_unticked(answer, pair_lists, booleans)


class _FormContent:
    """The questions and entries of a document's form, and where their words are."""

    def __init__(self, layouts: Sequence[FormLayout], document: DocumentIndex) -> None:
        self._document = document
        self._questions = [question for layout in layouts for question in layout.questions]
        self._entries = [entry for layout in layouts for entry in layout.entries]
        self._question_of = {
            _PlacedWord(question.page, word): question for question in self._questions for word in question.words
        }
        self._entry_of = {_PlacedWord(entry.page, word): entry for entry in self._entries for word in entry.words}

    def without_unticked(self, answer: Answer, pair_lists: Collection[str], booleans: Collection[str]) -> Answer:
        """Candidates that are options pass their probability to the ticked one of the same question: what is ticked is
        exact, but that a field asks this question is the extractor's word. Without a ticked one it is the probability
        of an absent field. `booleans` are fields that a box on its own answers by its state."""
        absent = dict(answer.absent)
        candidates: list[Candidate] = []
        told: dict[str, dict[str, Candidate]] = defaultdict(dict)  # by path and text
        for candidate in answer.candidates:
            is_pair = FieldPath.parse(candidate.path).list_path in pair_lists
            question = None if is_pair else self._question_answered_by(candidate)
            if question is None:
                candidates.append(candidate)
                continue
            values = self._told(candidate, question, is_boolean=candidate.path in booleans)
            if not values:
                absent[candidate.path] = min(EXACT_SCORE, absent.get(candidate.path, 0.0) + candidate.score)
            for value in values:
                so_far = told[candidate.path].get(value.text) or replace(candidate, score=0.0)
                score = min(EXACT_SCORE, so_far.score + candidate.score / len(values))
                told[candidate.path][value.text] = replace(
                    so_far, text=value.text, evidence=value.evidence, score=score
                )
        candidates += (candidate for of_field in told.values() for candidate in of_field.values())
        order = {path: place for place, path in enumerate(dict.fromkeys(each.path for each in answer.candidates))}
        candidates.sort(key=lambda candidate: (order[candidate.path], -candidate.score))
        return replace(answer, candidates=tuple(candidates), absent=absent)

    def with_pairs(self, answer: Answer, list_path: str) -> Answer:
        """A list of labels and values: rows that are about fields of the form give way to what the file has."""
        rows: dict[str, list[Candidate]] = defaultdict(list)
        others: list[Candidate] = []
        for candidate in answer.candidates:
            path = FieldPath.parse(candidate.path)
            (rows[path.row] if path.list_path == list_path else others).append(candidate)
        labels: dict[int, Candidate] = {}  # that the extractor found for an entry
        kept: list[Candidate] = []
        for row in rows.values():
            entry = self._entry_answered_by(row)
            if entry is not None:
                found = [each for each in row if _column(each.path) == LABEL]
                if found:
                    labels.setdefault(id(entry), max(found, key=lambda each: each.score))
            elif not self._is_about_buttons(row):
                kept += row
        first = 1 + max((FieldPath.parse(row).row_number or 0 for row in rows), default=-1)
        for number, pair in enumerate(self._pairs(labels), first):
            cells = {LABEL: pair.label, VALUE: pair.value}
            kept += [
                replace(cell, path=f"{list_path}[{number}].{column}") for column, cell in cells.items() if cell.text
            ]
        return replace(answer, candidates=(*others, *kept))

    def with_named_entries(self, answer: Answer, schema: Schema) -> Answer:
        """A field of the form that is called what a single field of the schema is called is its value, unless
        others of that name say something else."""
        named: list[Candidate] = []
        for spec in schema.fields:
            by_name = self._states_by_name if spec.kind.column == "boolean" else self._values_by_name
            values = by_name.get(squeeze(words_of(spec.path)), []) if spec.list_path is None else []
            if len({value.text for value in values}) == 1:
                named.append(replace(values[0], path=spec.path))
        return replace(answer, candidates=(*named, *answer.candidates)) if named else answer

    @cached_property
    def _values_by_name(self) -> Mapping[str, list[Candidate]]:
        """What is typed, chosen and selected, by the names of the fields."""
        by_name: dict[str, list[Candidate]] = defaultdict(list)
        for entry in self._entries:
            for name in _squeezed_names(entry.widget):
                by_name[name].append(self._value_of(entry))
        for question in self._questions:
            for option in question.ticked if question.is_radio else ():
                for name in _squeezed_names(option.widget):
                    by_name[name].append(self._value_of_option(question, option))
        return by_name

    @cached_property
    def _states_by_name(self) -> Mapping[str, list[Candidate]]:
        """The same for fields that are true or false: check boxes stand for themselves."""
        by_name = defaultdict(list, {name: [*values] for name, values in self._values_by_name.items()})
        for question in self._questions:
            for option in () if question.is_radio else question.options:
                for name in _squeezed_names(option.widget):
                    by_name[name].append(self._state_of(question, option))
        return by_name

    def _pairs(self, labels: Mapping[int, Candidate]) -> Iterator[_FormPair]:
        """`labels` of entries by their identity; the others are looked for beside the fields, or are their names."""
        for question in self._questions:
            for option in question.ticked:
                label = self._label(question.page, question.label, option.widget)
                yield _FormPair(label, self._value_of_option(question, option))
        for entry in self._entries:
            label = labels.get(id(entry)) or self._label(entry.page, entry.label, entry.widget)
            yield _FormPair(label, self._value_of(entry))

    def _told(self, candidate: Candidate, question: FormQuestion, *, is_boolean: bool) -> list[Candidate]:
        """What the file says to a question: of several ticked options those that the candidate names, if any; else it
        may mean each of them."""
        if is_boolean and question.is_lone_box:
            return [self._state_of(question, question.options[0])]
        placed = self._words_of(candidate)
        named = [
            option for option in question.ticked if placed & {_PlacedWord(question.page, word) for word in option.words}
        ]
        return [self._value_of_option(question, option) for option in named or question.ticked]

    def _question_answered_by(self, candidate: Candidate) -> FormQuestion | None:
        """The question of which a candidate's words are options, all of them."""
        words = self._words_of(candidate)
        questions = [self._question_of.get(word) for word in words]
        first = questions[0] if questions else None
        return first if all(question is first for question in questions) else None

    def _entry_answered_by(self, row: Sequence[Candidate]) -> FormEntry | None:
        """The entry in which the value of a row stands."""
        value = _best(row, VALUE)
        entries = (self._entry_of.get(word) for word in sorted(self._words_of(value), key=lambda w: (w.page, w.word)))
        return next((entry for entry in entries if entry is not None), None) if value else None

    def _is_about_buttons(self, row: Sequence[Candidate]) -> bool:
        """Whether its value is an option, or its label asks for one."""
        if any(word in self._question_of for word in self._words_of(_best(row, VALUE))):
            return True
        label = self._words_of(_best(row, LABEL))
        return bool(label) and any(
            label <= {_PlacedWord(question.page, word) for word in question.label} for question in self._questions
        )

    def _words_of(self, candidate: Candidate | None) -> set[_PlacedWord]:
        pages = self._document.pages
        return {
            _PlacedWord(quote.page, word)
            for quote in (candidate.evidence if candidate else ())
            if quote.page in pages
            for word in pages[quote.page].words_in(quote.box)
        }

    def _value_of_option(self, question: FormQuestion, option: FormOption) -> Candidate:
        """The words beside it; without any what the file calls it, which is printed nowhere."""
        text, evidence = self._print(question.page, option.words, option.widget.box)
        return _exact(text or option.widget.value, evidence)

    def _state_of(self, question: FormQuestion, option: FormOption) -> Candidate:
        return replace(self._value_of_option(question, option), text=TICKED if option.widget.checked else UNTICKED)

    def _value_of(self, entry: FormEntry) -> Candidate:
        """As the file has it. Evidence is the print in the field that says the same: all of it, or a line of a list."""
        text, evidence = self._print(entry.page, entry.words, entry.widget.box)
        value = " ".join(entry.widget.value.split())
        match = match_of(value, text)
        if match:
            return _exact(value, tuple(replace(quote, match=match) for quote in evidence))
        page, inside = self._document.pages[entry.page], set(entry.words)
        lines = (
            occurrence.evidence
            for occurrence in (page.find(value) if entry.widget.type == "choice" else ())
            if all(inside.issuperset(page.words_in(quote.box)) for quote in occurrence.evidence)
        )
        return _exact(value, next(lines, ()))

    def _label(self, page: int, words: Sequence[int], widget: Widget) -> Candidate:
        """As printed, else what the file calls the field, which may be printed elsewhere."""
        text, evidence = self._print(page, words)
        if text:
            return _exact(text, evidence)
        name = _names(widget)[0]
        occurrences = self._document.find(name)
        return _exact(name, occurrences[0].evidence if len(occurrences) == 1 else ())

    def _print(self, page: int, words: Sequence[int], box: Box | None = None) -> tuple[str, tuple[Evidence, ...]]:
        """Words as they are printed, and where: their box, and that of the field they belong to."""
        printed = [self._document.pages[page].words[word] for word in words]
        text = " ".join(word.text for word in printed)
        for word in printed:
            box = box.union(word.box) if box else word.box
        return text, (Evidence(page, box, text),) if text and box else ()


def _exact(text: str, evidence: tuple[Evidence, ...]) -> Candidate:
    return Candidate("", text, EXACT_SCORE, evidence, SIGNALS)


def _best(row: Sequence[Candidate], column: str) -> Candidate | None:
    cells = (candidate for candidate in row if _column(candidate.path) == column)
    return max(cells, key=lambda candidate: candidate.score, default=None)


def _names(widget: Widget) -> list[str]:
    """What the file calls a field: for people, else for programs, the last part of `person.birth_date`."""
    last = widget.name.rsplit(".", 1)[-1].split("[")[0]
    return [name for name in (widget.tooltip, words_of(last) if last else "", widget.name) if name] or [""]


def _squeezed_names(widget: Widget) -> set[str]:
    return {squeeze(name) for name in _names(widget)}


def _column(path: str) -> str:
    return FieldPath.parse(path).column
