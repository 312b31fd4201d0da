"""Registration forms of public offices: dense print, numbered boxes, stamps, a signature.

In: a random source. Out: a drawn filing in English, with its type, registrant, signer and dates, and what was written
into its other boxes, asked for by their labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import CurveStroke, RectangleStroke, TextStroke
from docpipe.samples.canvas.text_style import BLACK, RgbColour, TextStyle
from docpipe.samples.canvas.typography import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.locale_style import make_locale_style
from docpipe.samples.content.names import company_name, person_name, town_name
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.common.drawing_context import LETTER, DrawingContext, fill_with_runs
from docpipe.samples.documents.form.form_filler import MAX_PATH_WORDS, capitalised_path, path_of_label
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichText, RichTextRun, SampleDocument, field_text

PEN_COLOUR = RgbColour(0.1, 0.1, 0.4)
STAMP_COLOURS = (BLACK, RgbColour(0.15, 0.15, 0.5), RgbColour(0.6, 0.1, 0.1))
REGISTRATION_NUMBER_PATTERNS = ("%###", "%##", "%#####", "?-%####")


@dataclass
class _Registration:
    """The filing while it is drawn. `own_fields` are those of its printed questions: label by path."""

    context: DrawingContext
    answer_style: TextStyle
    own_fields: dict[str, str] = field(default_factory=dict)

    def own_answer(self, label: str, answer: str) -> FieldText:
        """The answer to a printed question, which gets a field of its own."""
        path = capitalised_path("_".join(path_of_label(label).split("_")[:MAX_PATH_WORDS]))
        self.own_fields[path] = label
        return field_text(path, answer)


def draw_registration(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:  # noqa: ARG001 these offices write English
    locale = make_locale_style(rng, "US", "en")
    typography = make_typography(rng, fonts, min_size=7.5, max_size=10)
    canvas = DocumentCanvas(*LETTER)
    context = DrawingContext(canvas, rng, typography, locale, rng.random_date(), margin=34 + 25 * rng.random())
    text = typography.text
    answer_style = rng.pick(
        (
            text,
            replace(text, font="Courier"),
            replace(text, font="Helvetica"),
            replace(text, font="Times-Italic", colour=RgbColour(0.1, 0.1, 0.5), size=11),
        )
    )
    registration = _Registration(context, answer_style)
    office = context.label("offices")
    stamp = _file_stamp(context, office)
    y = _draw_form_header(context, office)
    y = _draw_boxes(registration, y)
    y = _draw_questions(registration, y)
    if y > canvas.height * 0.72 or rng.chance(0.4):
        _draw_file_stamp(context, stamp, twice=True)
        canvas.next_page()
        y = context.margin + context.line_height
    _draw_signature(registration, y)
    _draw_file_stamp(context, stamp, twice=rng.chance(0.4))
    descriptions = {**field_descriptions(rng, "registration"), **registration.own_fields}
    return canvas.finish("registration", "en", descriptions)


def _file_stamp(context: DrawingContext, office: str) -> list[RichTextRun]:
    """`Received by Registration Unit 05/16/2018 5:56:21 PM`, the date being a value."""
    fields: dict[str, RichTextRun] = {
        "{office}": office,
        "{date}": context.locale.date_field("file_date", context.issue_date),
        "{time}": context.rng.from_pattern("%:3#:2# ") + context.rng.pick(("AM", "PM")),
    }
    return fill_with_runs(context.label("file_stamp"), fields)


def _draw_file_stamp(context: DrawingContext, stamp: RichText, *, twice: bool) -> None:
    """At the top of the page, perhaps at its foot as well."""
    rng, canvas = context.rng, context.canvas
    style = TextStyle("Helvetica", rng.pick((9.0, 11.0, 13.0)), rng.pick(STAMP_COLOURS))
    start = rng.pick((Point(canvas.width * 0.3, 18.0), Point(canvas.width * 0.45, 16.0)))
    canvas.write(start.x, start.y, stamp, style)
    if twice:
        canvas.write(context.margin, canvas.height - 12.0, stamp, style)


def _draw_form_header(context: DrawingContext, office: str) -> float:
    """Office, form number, title, instructions; gives the y below."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    y = context.margin + context.line_height
    form_type = context.label("form_titles")
    title: list[RichTextRun] = []
    for part in context.label("form_heads").replace("{type}", "\0{type}\0").split("\0"):
        code, year = rng.from_pattern("??-%"), str(1930 + int(60 * rng.random()))
        text = part.replace("{code}", code).replace("{year}", year)
        title.append(field_text("form_type", form_type) if part == "{type}" else text)
    if rng.chance(0.3):
        context.draw_logo(context.margin, y, 36)
    canvas.write(context.margin + rng.pick((0, 45)), y, office, typography.bold)
    expires = f"Expires {rng.pick(word_lists('en')['month'])} 20{rng.from_pattern('1#')}"
    form_number = f"OMB No. {rng.from_pattern('####-00##')}; {expires}"
    canvas.write(context.right, y, form_number, typography.small.scaled(0.7), "right")
    style = typography.bold.scaled(1.3 + 0.4 * rng.random())
    start = Point(context.margin + context.inner_width * rng.pick((0.25, 0.4, 0.0)), y + style.size * 2)
    y = canvas.write_paragraph(start, context.inner_width * 0.6, title, style)
    canvas.draw_horizontal_line(context.margin, context.right, y - style.size * 0.4, 2)
    for text in rng.pick_several(word_lists("en")["instructions"], rng.pick((1, 2, 3, 4))):
        start = context.start(y + context.line_height)
        y = canvas.write_paragraph(start, context.inner_width, text, typography.text)
    return y + context.line_height * 0.5


def _draw_boxes(registration: _Registration, y: float) -> float:
    """Numbered boxes, two beside each other: registrant, number, addresses."""
    context, canvas = registration.context, registration.context.canvas
    boxes = _box_contents(registration)
    height, width, with_frames = context.line_height * 3, context.inner_width / 2, context.rng.chance(0.75)
    for first in range(0, len(boxes), 2):
        for column, (label, answer) in enumerate(boxes[first : first + 2]):
            left = context.margin + column * context.inner_width / 2
            if with_frames:
                canvas.draw(RectangleStroke(left, y, width, height))
            canvas.write(left + 4, y + context.line_height, label, context.typography.text)
            canvas.write(left + 10, y + context.line_height * 2.4, answer, registration.answer_style)
        y += height
    return y


def _box_contents(registration: _Registration) -> list[tuple[str, FieldText]]:
    """Label and answer of each box."""
    context, rng = registration.context, registration.context.rng
    private = rng.chance(0.3)
    registrant = person_name(rng, "US") if private else company_name(rng, "US", "en")
    number = field_text("registration_number", rng.from_pattern(rng.pick(REGISTRATION_NUMBER_PATTERNS)))
    boxes = [
        (context.label("registrant"), field_text("registrant_name", registrant)),
        (context.label("registration_number"), number),
    ]

    def add(label: str, answer: str) -> None:
        boxes.append((label, registration.own_answer(label, answer)))

    if rng.chance(0.5):
        add("3. Residence Address(es)", f"{rng.from_pattern('%##')} Elm Street, {town_name(rng, 'US', 'en')}")
        add("4. Business Address(es)", f"{rng.from_pattern('%##')} Oak Avenue, {town_name(rng, 'US', 'en')}")
    if rng.chance(0.4):
        add("5. Name of foreign principal", company_name(rng, "FR", "fr"))
        birth_year, nationality = f"19{rng.from_pattern('##')}", rng.pick(("USA", "Japan", "Canada"))
        add("6. Year of birth / Nationality", f"{birth_year}  {nationality}")
    return boxes


def _draw_questions(registration: _Registration, y: float) -> float:
    """Questions with check boxes that answer nothing, and with answers in words."""
    context, rng, typography = registration.context, registration.context.rng, registration.context.typography
    canvas = context.canvas
    for question in rng.pick_several(word_lists("en")["questions"], rng.pick((1, 2, 3))):
        start = Point(context.margin + 4, y + context.line_height)
        y = canvas.write_paragraph(start, context.inner_width - 8, question, typography.text)
        if rng.chance(0.6):
            y = _draw_distractor_boxes(context, y)
        if rng.chance(0.6):
            answer = f"{context.phrase('phrases')}. {company_name(rng, 'US', 'en')}, {person_name(rng, 'US')}"
            start = Point(context.margin + 12, y + context.line_height * 0.6)
            own_answer = registration.own_answer(question, answer)
            y = canvas.write_paragraph(start, context.inner_width - 24, own_answer, registration.answer_style)
        canvas.draw_horizontal_line(context.margin, context.right, y, 0.6)
    return y


def _draw_distractor_boxes(context: DrawingContext, y: float) -> float:
    """Check boxes of which some have a cross; no field asks for them."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    size = typography.text.size
    for option in rng.pick_several(word_lists("en")["checks"], rng.pick((2, 3, 4))):
        y += context.line_height * 0.3
        canvas.draw(RectangleStroke(context.margin + 20, y - size * 0.75, size * 0.8, size * 0.8))
        if rng.chance(0.4):
            canvas.write(context.margin + 21, y, "X", typography.bold)
        canvas.write(context.margin + 36, y, option, typography.text)
        y += context.line_height
    return y


def _draw_signature(registration: _Registration, y: float) -> None:
    """A paragraph of oath, then date, name and a scribble; first and last name are separate values."""
    context, rng, typography = registration.context, registration.context.rng, registration.context.typography
    canvas, line_height = context.canvas, context.line_height
    heading = rng.pick(("EXECUTION", "SIGNATURE", "Verification"))
    canvas.write(canvas.width / 2, y + line_height * 1.5, heading, typography.bold, "centre")
    oath, start = rng.pick(word_lists("en")["instructions"]), context.start(y + line_height * 3.2)
    y = canvas.write_paragraph(start, context.inner_width, oath, typography.text) + line_height * 2
    first_name, last_name = person_name(rng, "US").split(" ", 1)
    middle_name = rng.from_pattern("?. ") if rng.chance(0.3) else ""
    name: list[RichTextRun] = [
        field_text("signer_first", first_name),
        " " + middle_name,
        field_text("signer_last", last_name),
    ]
    date = context.locale.date_field("signature_date", context.issue_date)
    label_below = rng.chance(0.5)
    answers: tuple[tuple[str, RichText], ...] = ((context.label("signed_on"), date), (context.label("signer"), name))
    for number, (label, answer) in enumerate(answers):
        x = context.margin + number * context.inner_width * 0.4
        canvas.write(x, y + line_height * 2 if label_below else y - line_height * 1.2, label, typography.small)
        canvas.write(x, y, answer, registration.answer_style)
        canvas.draw_horizontal_line(x, x + context.inner_width * 0.3, y + 3, 0.5)
    x = context.margin + context.inner_width * 0.75
    scribble = tuple(Point(x + step * 8, y - 6 + 14 * (rng.random() - 0.5)) for step in range(10))
    canvas.draw(CurveStroke(scribble, 1.0, PEN_COLOUR))
    if rng.chance(0.4):
        received = rng.from_pattern("20%#/%#/%# PM 5: ##")
        style = TextStyle("Helvetica", 11)
        canvas.draw(TextStroke(canvas.width - 10, canvas.height * 0.6, received, style, rotation=90))
