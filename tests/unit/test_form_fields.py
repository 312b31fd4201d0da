"""What a PDF's form says exactly is answered, whatever an extractor makes of the picture."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Literal

import pytest
from pydantic import BaseModel

from docpipe.data import Answer, Box, Candidate, Field, Page, Widget, Word
from docpipe.decide import decide
from docpipe.document_index import DocumentIndex
from docpipe.form_fields import answer_from_form
from docpipe.ground import ground
from docpipe.render import Renderer
from docpipe.schema import Schema, load_schema
from tests.support.decisions import UNCALIBRATED
from tests.support.pdf_forms import FormCanvas, read_page


@pytest.fixture
def form(tmp_path: Path) -> FormCanvas:
    return FormCanvas(tmp_path / "form.pdf")


@pytest.fixture(scope="module")
def pairs_schema() -> Schema:
    return load_schema("form")


def decided(form: FormCanvas, renderer: Renderer, schema: Schema, *candidates: tuple[str, str, float]) -> list[Field]:
    """An extractor's candidates (path, text, score) for the form, decided with what the form says."""
    document = DocumentIndex([read_page(form.save(), renderer)])
    guessed = Answer(tuple(Candidate(path, text, score) for path, text, score in candidates))
    answer = answer_from_form(ground(guessed, document), schema, document)
    return list(decide(answer, schema, document, calibration=UNCALIBRATED, threshold=None))


def pairs(fields: list[Field]) -> list[tuple[object, object]]:
    rows: dict[str, dict[str, object]] = {}
    for field in fields:
        rows.setdefault(field.path.split(".")[0], {})[field.path.split(".")[1]] = field.value
    return [(row.get("label"), row.get("value")) for row in rows.values()]


def draw_options(form: FormCanvas, y: float, label: str, ticked: str, options: list[str], *, radio: bool) -> None:
    """A label, and its options behind their boxes on the same line."""
    form.text(50, y, label)
    for number, option in enumerate(options):
        x = 160 + 110 * number
        if radio:
            form.radio_button(x, y, label, option, selected=option == ticked)
        else:
            form.check_box(x, y, f"{label}{number}", checked=option == ticked)
        form.text(x + 20, y, option)


@pytest.mark.parametrize("radio", [True, False])
@pytest.mark.parametrize("ticked", ["Bahn", "Fahrrad", "zu Fuß"])
def test_the_ticked_option_is_the_answer_whatever_was_guessed(ticked, radio, form, renderer, pairs_schema):
    draw_options(form, 100, "Anreise:", ticked, ["Bahn", "Fahrrad", "zu Fuß"], radio=radio)
    draw_options(form, 140, "Verpflegung:", "", ["vegan", "alles"], radio=radio)
    guesses = [("pairs[0].label", "Anreise:", 0.9), ("pairs[0].value", "Fahrrad", 0.9)]
    guesses += [("pairs[1].label", "Verpflegung:", 0.9), ("pairs[1].value", "vegan", 0.9)]
    assert pairs(decided(form, renderer, pairs_schema, *guesses)) == [("Anreise:", ticked)]


def test_what_no_extractor_found_is_answered_by_the_form(form, renderer, pairs_schema):
    draw_options(form, 100, "Shift:", "late", ["early", "late"], radio=True)
    form.text(50, 140, "Depot:")
    form.text_field(160, 140, "f1", "Rotterdam Zuid")
    form.text(50, 180, "Vehicle:")
    form.choice(160, 180, "f2", "van", ["van", "truck"])
    form.text(50, 220, "Remarks:")
    form.text_field(160, 220, "f3", "")
    expected = [("Shift:", "late"), ("Depot:", "Rotterdam Zuid"), ("Vehicle:", "van")]
    assert pairs(decided(form, renderer, pairs_schema)) == expected


def test_the_evidence_of_a_chosen_line_of_a_list_is_that_line(form, renderer, pairs_schema):
    form.text(50, 110, "Delivery:")
    form.list_box(160, 100, "f1", "Tuesday", ["Monday", "Tuesday", "Wednesday"])
    [_, value] = decided(form, renderer, pairs_schema)
    assert value.value == "Tuesday"
    assert [quote.text for quote in value.evidence] == ["Tuesday"]


def test_of_several_ticked_boxes_each_is_an_answer(form, renderer, pairs_schema):
    form.text(50, 100, "Which languages do you speak?")
    for number, (language, checked) in enumerate([("Català", True), ("Euskara", False), ("Galego", True)]):
        form.check_box(60, 125 + 22 * number, f"l{number}", checked=checked)
        form.text(82, 125 + 22 * number, language)
    expected = [("Which languages do you speak?", "Català"), ("Which languages do you speak?", "Galego")]
    assert pairs(decided(form, renderer, pairs_schema)) == expected


def test_options_that_stand_before_their_boxes_are_understood(form, renderer, pairs_schema):
    form.text(50, 100, "Smoker:")
    for x, option in ((160, "Yes"), (260, "No")):
        form.text(x, 100, option)
        form.radio_button(x + 25, 100, "smoker", option, selected=option == "No")
    assert pairs(decided(form, renderer, pairs_schema)) == [("Smoker:", "No")]


def test_two_questions_on_one_line_are_two(form, renderer, pairs_schema):
    form.text(50, 100, "Parking:")
    form.check_box(130, 100, "parking", checked=True)
    form.text(150, 100, "needed")
    form.text(300, 100, "Breakfast:")
    form.check_box(380, 100, "breakfast", checked=False)
    form.text(400, 100, "wanted")
    assert pairs(decided(form, renderer, pairs_schema)) == [("Parking:", "needed")]


def test_a_field_without_a_printed_label_is_called_what_the_file_calls_it(form, renderer, pairs_schema):
    form.text(50, 60, "Registration of bees", 16)
    form.text_field(160, 300, "hive_count", "14", tooltip="Number of hives")
    form.text_field(160, 500, "apiary", "Lindenhof")
    fields = decided(form, renderer, pairs_schema)
    assert pairs(fields) == [("Number of hives", "14"), ("apiary", "Lindenhof")]
    labels = [field for field in fields if field.path.endswith("label")]
    assert all(not field.evidence for field in labels)  # so it is never accepted: nobody sees this name


def test_labels_above_their_fields_are_found(form, renderer, pairs_schema):
    for x, label, value in ((50, "Surname", "Okafor"), (300, "Given name", "Chidi")):
        form.text(x, 100, label)
        form.text_field(x, 120, label, value)
    assert pairs(decided(form, renderer, pairs_schema)) == [("Surname", "Okafor"), ("Given name", "Chidi")]


def test_a_row_about_something_else_stays_as_it_was_found(form, renderer, pairs_schema):
    form.text(50, 60, "Printed on: 3 May 2031")
    draw_options(form, 100, "Shift:", "early", ["early", "late"], radio=True)
    guesses = [("pairs[0].label", "Printed on:", 0.8), ("pairs[0].value", "3 May 2031", 0.8)]
    assert pairs(decided(form, renderer, pairs_schema, *guesses)) == [
        ("Printed on:", "3 May 2031"),
        ("Shift:", "early"),
    ]


def test_the_evidence_is_the_box_and_its_words(form, renderer, pairs_schema):
    draw_options(form, 100, "Shift:", "late", ["early", "late"], radio=True)
    [_, value] = decided(form, renderer, pairs_schema)
    [quote] = value.evidence
    assert (quote.text, quote.match) == ("late", "exact")
    assert quote.box.left == pytest.approx(270 / 595.28, abs=0.005)  # where the box begins, not its words


class Booking(BaseModel):
    """Of a room."""

    payment: Literal["card", "invoice", "cash"] | None = None
    guest: str | None = None
    discount: str | None = None


@pytest.fixture(scope="module")
def booking() -> Schema:
    return load_schema(f"{__name__}:Booking")


def test_fields_of_a_schema_of_your_own_follow_the_form(form, renderer, booking):
    draw_options(form, 100, "How will you pay?", "invoice", ["card", "invoice", "cash"], radio=True)
    draw_options(form, 140, "Reduced:", "", ["student", "senior"], radio=True)
    form.text(50, 180, "For:")
    form.text_field(160, 180, "p1.guest", "Mira Kovács")
    guesses = [("payment", "cash", 0.9), ("payment", "card", 0.1), ("discount", "student", 0.9)]
    fields = {field.path: field for field in decided(form, renderer, booking, *guesses)}
    assert {path: field.value for path, field in fields.items()} == {
        "payment": "invoice",
        "guest": "Mira Kovács",
        "discount": None,
    }
    assert fields["discount"].confidence > 0.8  # of its absence: the file says that nothing is ticked
    assert all(fields[path].evidence for path in ("payment", "guest"))


def test_a_weak_guess_at_another_question_does_not_become_certain(form, renderer, booking):
    draw_options(form, 100, "Reduced:", "senior", ["student", "senior"], radio=True)
    fields = {field.path: field for field in decided(form, renderer, booking, ("guest", "student", 0.15))}
    assert fields["guest"].confidence < 0.5 or fields["guest"].value is None


def test_of_several_ticked_options_none_is_certain_for_a_single_field(form, renderer, booking):
    draw_options(form, 100, "Discounts:", "", ["student", "senior", "family"], radio=False)
    draw_options(form, 140, "Meals:", "", ["none"], radio=False)
    form.text(50, 180, "Extras:")
    for x, name, checked in ((160, "towels", True), (270, "parking", True), (380, "breakfast", False)):
        form.check_box(x, 180, name, checked=checked)
        form.text(x + 20, 180, name)
    fields = {field.path: field for field in decided(form, renderer, booking, ("discount", "breakfast", 0.9))}
    assert fields["discount"].value in ("towels", "parking")
    assert fields["discount"].signals["score"] == pytest.approx(0.45)


class Membership(BaseModel):
    """Of a club."""

    student: bool | None = None
    wants_letters: bool | None = None
    insured: bool | None = None
    has_boat: bool | None = None


def test_a_box_on_its_own_answers_a_boolean(form, renderer):
    for y, name, text, checked in (
        (100, "b1", "I am a student", False),
        (140, "member.wants_letters", "Send me letters", True),
    ):
        form.check_box(50, y, name, checked=checked)
        form.text(75, y, text)
    draw_options(form, 200, "Insured:", "no", ["yes", "no"], radio=False)
    form.check_box(300, 400, "has_boat", checked=True)
    guesses = [("student", "I am a student", 0.9), ("insured", "yes", 0.9)]
    schema = load_schema(f"{__name__}:Membership")
    fields = {field.path: field for field in decided(form, renderer, schema, *guesses)}
    assert {path: field.value for path, field in fields.items()} == {
        "student": False,
        "wants_letters": True,
        "insured": False,
        "has_boat": True,
    }
    assert [quote.text for quote in fields["student"].evidence] == ["I am a student"]
    assert not fields["has_boat"].evidence  # so it is never accepted: nothing printed says what the box is for


def test_a_document_without_a_form_is_left_alone(form, renderer, booking):
    form.text(50, 100, "Guest: Mira Kovács, paid by card")
    fields = {field.path: field.value for field in decided(form, renderer, booking, ("payment", "card", 0.9))}
    assert fields["payment"] == "card"


def test_a_page_full_of_fields_takes_no_time(pairs_schema):
    spots = [(column / 20, row / 100) for row in range(100) for column in range(20)]
    words = tuple(Word("of", Box(x, y, x + 0.02, y + 0.008), 1.0, "textlayer", 0) for x, y in spots)
    widgets = tuple(
        Widget(f"w{number}", "", "check_box" if number % 4 else "text", Box(x + 0.025, y, x + 0.035, y + 0.008), "a")
        for number, (x, y) in enumerate(spots[::2])
    )
    document = DocumentIndex([Page(1, 1000, 1400, 100.0, words=words, widgets=widgets)])
    started = process_time()
    answer_from_form(Answer(()), pairs_schema, document)
    assert process_time() - started < 4  # a third of a second, on a busy computer too; eleven when all met all
