"""Registration forms of public offices: dense print, numbered boxes, stamps, a signature.

In: dice. Out: a drawn filing in English, with its type, registrant, signer and dates, and what was
written into its other boxes, asked for by their captions.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.samples.canvas.canvas import DocumentCanvas, FieldText, SampleDocument, TextRun, field_text
from docpipe.samples.canvas.strokes import CurveStroke, RectangleStroke, TextStroke, TextStyle
from docpipe.samples.canvas.text_style import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.locale_style import make_locale_style
from docpipe.samples.content.vocabulary import company_name, person_name, town_name
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.form.blanks import MAX_PATH_WORDS, capitalised_path, path_of_label
from docpipe.samples.documents.invoice.letterhead import DrawingContext, draw_logo

LETTER = (612.0, 792.0)


def draw_registration(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:  # noqa: ARG001 these offices write English
    locale = make_locale_style(rng, "US", "en")
    context = DrawingContext(
        DocumentCanvas(*LETTER),
        rng,
        make_typography(rng, fonts, low=7.5, high=10),
        locale,
        rng.date(),
        34 + 25 * rng.random(),
    )
    typed = rng.pick(
        (
            context.typography.text,
            replace(context.typography.text, font="Courier"),
            replace(context.typography.text, font="Helvetica"),
            replace(context.typography.text, font="Times-Italic", colour=(0.1, 0.1, 0.5), size=11),
        )
    )
    office = context.label("offices")
    stamp = _file_stamp(context, office)
    y = _draw_form_header(context, office)
    asked: dict[str, str] = {}
    y = _draw_boxes(context, typed, y, asked)
    y = _draw_questions(context, typed, y, asked)
    if y > context.canvas.height * 0.72 or rng.chance(0.4):
        _draw_file_stamp(context, stamp, again=True)
        context.canvas.next_page()
        y = context.margin + context.typography.line_height
    _draw_signature(context, typed, y)
    _draw_file_stamp(context, stamp, again=rng.chance(0.4))
    return context.canvas.finish("registration", "en", {**field_descriptions(rng, "registration"), **asked})


def _own_answer(label: str, answer: str, asked: dict[str, str]) -> FieldText:
    """The answer to a printed question, which gets a field of its own."""
    path = capitalised_path("_".join(path_of_label(label).split("_")[:MAX_PATH_WORDS]))
    asked[path] = label
    return field_text(path, answer)


def _file_stamp(context: DrawingContext, office: str) -> list[TextRun]:
    """`Received by Registration Unit 05/16/2018 5:56:21 PM`, the date being a value."""
    time = context.rng.from_pattern("%:3#:2# ") + context.rng.pick(("AM", "PM"))
    pieces: list[TextRun] = []
    for part in context.label("file_stamp").replace("{", "\0{").replace("}", "}\0").split("\0"):
        known: dict[str, TextRun] = {
            "{office}": office,
            "{date}": context.locale.date_field("file_date", context.issue_date),
            "{time}": time,
        }
        pieces.append(known.get(part, part))
    return pieces


def _draw_file_stamp(context: DrawingContext, stamp: list[TextRun], *, again: bool) -> None:
    rng, canvas = context.rng, context.canvas
    text_style = TextStyle(
        "Helvetica", rng.pick((9.0, 11.0, 13.0)), rng.pick(((0.0, 0.0, 0.0), (0.15, 0.15, 0.5), (0.6, 0.1, 0.1)))
    )
    places = [(canvas.width * 0.3, 18.0), (context.margin, canvas.height - 12.0), (canvas.width * 0.45, 16.0)]
    canvas.write(*rng.pick(places[:1] + places[2:]), stamp, text_style)
    if again:
        canvas.write(*places[1], stamp, text_style)


def _draw_form_header(context: DrawingContext, office: str) -> float:
    rng, typography, canvas = context.rng, context.typography, context.canvas
    y = context.margin + typography.line_height
    kind = context.label("form_titles")
    head: list[TextRun] = []
    for part in context.label("form_heads").replace("{type}", "\0{type}\0").split("\0"):
        text = part.replace("{code}", rng.from_pattern("??-%")).replace("{year}", str(1930 + int(60 * rng.random())))
        head.append(field_text("form_type", kind) if part == "{type}" else text)
    if rng.chance(0.3):
        draw_logo(context, context.margin, y, 36)
    canvas.write(context.margin + rng.pick((0, 45)), y, office, typography.bold)
    expires = f"Expires {rng.pick(word_lists('en')['month'])} 20{rng.from_pattern('1#')}"
    canvas.write(
        context.right, y, f"OMB No. {rng.from_pattern('####-00##')}; {expires}", typography.small.scaled(0.7), "right"
    )
    text_style = typography.bold.scaled(1.3 + 0.4 * rng.random())
    y = canvas.write_paragraph(
        (context.margin + context.inner_width * rng.pick((0.25, 0.4, 0.0)), y + text_style.size * 2),
        context.inner_width * 0.6,
        head,
        text_style,
    )
    canvas.draw_horizontal_line(context.margin, context.right, y - text_style.size * 0.4, 2)
    for text in rng.pick_several(word_lists("en")["instructions"], rng.pick((1, 2, 3, 4))):
        y = canvas.write_paragraph(
            (context.margin, y + typography.line_height), context.inner_width, text, typography.text
        )
    return y + typography.line_height * 0.5


def _draw_boxes(context: DrawingContext, typed: TextStyle, y: float, asked: dict[str, str]) -> float:
    """Numbered boxes, two beside each other: registrant, number, addresses. Adds to what is asked by its label."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    private = rng.chance(0.3)
    registrant = person_name(rng, "US") if private else company_name(rng, "US", "en")
    number = field_text("registration_number", rng.from_pattern(rng.pick(("%###", "%##", "%#####", "?-%####"))))
    cells: list[tuple[str, FieldText | str]] = [
        (context.label("registrant"), field_text("registrant_name", registrant)),
        (context.label("registration_number"), number),
    ]
    if rng.chance(0.5):
        cells += [
            (
                "3. Residence Address(es)",
                _own_answer(
                    "3. Residence Address(es)",
                    f"{rng.from_pattern('%##')} Elm Street, {town_name(rng, 'US', 'en')}",
                    asked,
                ),
            ),
            (
                "4. Business Address(es)",
                _own_answer(
                    "4. Business Address(es)",
                    f"{rng.from_pattern('%##')} Oak Avenue, {town_name(rng, 'US', 'en')}",
                    asked,
                ),
            ),
        ]
    if rng.chance(0.4):
        cells += [
            (
                "5. Name of foreign principal",
                _own_answer("5. Name of foreign principal", company_name(rng, "FR", "fr"), asked),
            ),
            (
                "6. Year of birth / Nationality",
                _own_answer(
                    "6. Year of birth / Nationality",
                    f"19{rng.from_pattern('##')}  {rng.pick(('USA', 'Japan', 'Canada'))}",
                    asked,
                ),
            ),
        ]
    tall, boxed = typography.line_height * 3, rng.chance(0.75)
    for place in range(0, len(cells), 2):
        for side, (label, answer) in enumerate(cells[place : place + 2]):
            left = context.margin + side * context.inner_width / 2
            if boxed:
                canvas.draw(RectangleStroke(left, y, context.inner_width / 2, tall))
            canvas.write(left + 4, y + typography.line_height, label, typography.text)
            canvas.write(left + 10, y + typography.line_height * 2.4, answer, typed)
        y += tall
    return y


def _draw_questions(context: DrawingContext, typed: TextStyle, y: float, asked: dict[str, str]) -> float:
    rng, typography, canvas = context.rng, context.typography, context.canvas
    for text in rng.pick_several(word_lists("en")["questions"], rng.pick((1, 2, 3))):
        y = canvas.write_paragraph(
            (context.margin + 4, y + typography.line_height), context.inner_width - 8, text, typography.text
        )
        if rng.chance(0.6):
            for option in rng.pick_several(word_lists("en")["checks"], rng.pick((2, 3, 4))):
                y += typography.line_height * 0.3
                canvas.draw(
                    RectangleStroke(
                        context.margin + 20,
                        y - typography.text.size * 0.75,
                        typography.text.size * 0.8,
                        typography.text.size * 0.8,
                    )
                )
                if rng.chance(0.4):
                    canvas.write(context.margin + 21, y, "X", typography.bold)
                canvas.write(context.margin + 36, y, option, typography.text)
                y += typography.line_height
        if rng.chance(0.6):
            answer = f"{context.phrase('phrases')}. {company_name(rng, 'US', 'en')}, {person_name(rng, 'US')}"
            own = _own_answer(text, answer, asked)
            y = canvas.write_paragraph(
                (context.margin + 12, y + typography.line_height * 0.6), context.inner_width - 24, own, typed
            )
        canvas.draw_horizontal_line(context.margin, context.right, y, 0.6)
    return y


def _draw_signature(context: DrawingContext, typed: TextStyle, y: float) -> None:
    """A paragraph of oath, then date, name and a scribble; first and last name are separate values."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    canvas.write(
        canvas.width / 2,
        y + typography.line_height * 1.5,
        rng.pick(("EXECUTION", "SIGNATURE", "Verification")),
        typography.bold,
        "centre",
    )
    y = (
        canvas.write_paragraph(
            (context.margin, y + typography.line_height * 3.2),
            context.inner_width,
            rng.pick(word_lists("en")["instructions"]),
            typography.text,
        )
        + typography.line_height * 2
    )
    full = person_name(rng, "US")
    first, last = full.split(" ", 1)
    middle = rng.from_pattern("?. ") if rng.chance(0.3) else ""
    name: list[TextRun] = [field_text("signer_first", first), " " + middle, field_text("signer_last", last)]
    signed: TextRun = context.locale.date_field("signature_date", context.issue_date)
    below = rng.chance(0.5)
    for number, (label, answer) in enumerate(((context.label("signed_on"), [signed]), (context.label("signer"), name))):
        x = context.margin + number * context.inner_width * 0.4
        base = y + typography.line_height * (2 if below else 0)
        canvas.write(x, base if below else y - typography.line_height * 1.2, label, typography.small)
        canvas.write(x, y, answer, typed)
        canvas.draw_horizontal_line(x, x + context.inner_width * 0.3, y + 3, 0.5)
    x = context.margin + context.inner_width * 0.75
    points = tuple((x + step * 8, y - 6 + 14 * (rng.random() - 0.5)) for step in range(10))
    canvas.draw(CurveStroke(points, 1.0, (0.1, 0.1, 0.4)))
    if rng.chance(0.4):
        canvas.draw(
            TextStroke(
                canvas.width - 10,
                canvas.height * 0.6,
                rng.from_pattern("20%#/%#/%# PM 5: ##"),
                TextStyle("Helvetica", 11),
                90,
            )
        )
