"""Forms: labels with blanks that somebody filled in, in type or by hand.

In: a random source and a language. Out: a drawn form whose pairs of label and value are known. Blanks left empty are no
pair. Forms drawn for training ("installed" fonts) also ask for some of their blanks by label, see `form_filler`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.canvas.text_style import BLACK, RgbColour, TextStyle
from docpipe.samples.canvas.typography import FontSource, Typography, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style
from docpipe.samples.content.names import company_name, person_name, town_name
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.common.drawing_context import A4, LETTER, DrawingContext
from docpipe.samples.documents.common.sectioned_page import next_page
from docpipe.samples.documents.form.check_boxes import draw_check_boxes
from docpipe.samples.documents.form.form_filler import FormFiller
from docpipe.samples.documents.form.line_blocks import (
    draw_clauses,
    draw_joined_pairs,
    draw_lines,
    draw_remarks,
    draw_two_columns,
)
from docpipe.samples.documents.form.office_blocks import (
    draw_memo_header,
    draw_number_list,
    draw_options,
    draw_signature_lines,
)
from docpipe.samples.documents.form.table_blocks import draw_answer_table, draw_boxes, draw_grid
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import SampleDocument

PAGE_SIZES = (LETTER, A4, A4)
TYPEWRITER_SHARE = 0.3  # of the forms are typed as a whole, labels too
FULL_SHARE = 0.78  # of the page's height: no block begins below it
FORM_CODE_PATTERNS = ("%########", "??### %######", "Form ###-? (Rev. %/8#)", "%### %####")
BLOCKS: tuple[Callable[[FormFiller, float], float], ...] = (
    *(draw_lines, draw_lines, draw_two_columns, draw_boxes, draw_grid, draw_joined_pairs, draw_clauses, draw_remarks),
    *(draw_options, draw_number_list, draw_answer_table, draw_signature_lines, draw_check_boxes, draw_check_boxes),
)


def draw_form(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    filler, y = _begin_form(rng, language, fonts)
    context, canvas = filler.context, filler.context.canvas
    if rng.chance(0.25):
        y = draw_memo_header(filler, y)
    for _ in range(rng.pick((1, 2, 4, 6, 8, 10, 12))):
        if y > canvas.height * FULL_SHARE:
            break
        if rng.chance(0.2):
            y = _draw_section_title(context, y)
        y = rng.pick(BLOCKS)(filler, y)
    if rng.chance(0.3) and y < canvas.height * 0.8:
        _draw_small_print(context, y)
    if rng.chance(0.3):
        code = rng.from_pattern(rng.pick(FORM_CODE_PATTERNS))
        canvas.write(context.right, canvas.height - context.margin * 0.5, code, context.typography.bold, "right")
    if rng.chance(0.1):
        draw_lines(filler, next_page(context))
    return _finish_form(filler)


def draw_questionnaire(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    """Check boxes alone: what such a form answers, only its picture says."""
    filler, y = _begin_form(rng, language, fonts)
    for _ in range(rng.pick((3, 5, 8))):
        if y < filler.context.canvas.height * FULL_SHARE:
            y = draw_check_boxes(filler, y)
    return _finish_form(filler)


def _begin_form(rng: SeededRandom, language: str | None, fonts: FontSource) -> tuple[FormFiller, float]:
    """A page with a heading, and the y below it."""
    language = rng.pick((*LANGUAGES, *("en",) * 7)) if language is None else language
    country = rng.pick(("US", "US", "GB")) if language == "en" else rng.pick(COUNTRIES[language])
    context = DrawingContext(
        DocumentCanvas(*rng.pick(PAGE_SIZES)),
        rng,
        make_typography(rng, fonts, min_size=8, max_size=11.5),
        make_locale_style(rng, country, language),
        rng.random_date(),
        margin=35 + 35 * rng.random(),
    )
    if rng.chance(TYPEWRITER_SHARE):
        context.typography = _typewriter(context.typography)
    filler = FormFiller(context, _answer_style(context), with_own_fields=fonts == "installed")
    return filler, _draw_form_header(context)


def _finish_form(filler: FormFiller) -> SampleDocument:
    context = filler.context
    descriptions = {**field_descriptions(context.rng, "form"), **filler.own_fields}
    return context.canvas.finish("form", context.locale.language, descriptions)


def _typewriter(typography: Typography) -> Typography:
    text = replace(typography.text, font="Courier", horizontal_scale=1.0, colour=BLACK)
    return replace(typography, text=text, bold=replace(text, outline_width=0.3), italic=text)


def _draw_small_print(context: DrawingContext, y: float) -> None:
    rng, language, country = context.rng, context.locale.language, context.locale.country
    text = " ".join(rng.pick_several(word_lists("en")["instructions"], 1))
    if language != "en":
        text = context.phrase("legal", city=town_name(rng, country, language), person=person_name(rng, country))
    start = context.start(y + context.line_height)
    context.canvas.write_paragraph(start, context.inner_width, text, context.typography.small)


def _answer_style(context: DrawingContext) -> TextStyle:
    """The type of the answers: typewriter, the same print, or a slanted pen."""
    text, blue, dark_blue = context.typography.text, RgbColour(0.1, 0.15, 0.55), RgbColour(0.1, 0.1, 0.4)
    return context.rng.pick(
        (
            replace(text, font="Courier", horizontal_scale=1.0),
            replace(text, font="Courier", horizontal_scale=0.9, outline_width=0.25),
            text,
            context.typography.bold,
            replace(text, font="Times-Italic", size=text.size * 1.25, colour=blue, horizontal_scale=0.95),
            replace(text, font="Helvetica-Oblique", colour=dark_blue, horizontal_scale=0.9),
        )
    )


def _draw_form_header(context: DrawingContext) -> float:
    """Logo and company, the line that a fax machine prints, the title; gives the y below."""
    rng, typography, canvas, locale = context.rng, context.typography, context.canvas, context.locale
    y = context.margin + context.line_height
    if rng.chance(0.4):
        context.draw_logo(context.margin, y - 8, 40)
        company = company_name(rng, locale.country, locale.language)
        canvas.write(context.margin + 60, y + 12, company, typography.bold.scaled(1.2))
        y += 50
    if rng.chance(0.2):
        received = locale.format_date(rng.random_date())
        fax_line = f"{received}  {rng.from_pattern('1#:%#')}  {rng.from_pattern('### ### ####')}  P.0%"
        fax_style = replace(typography.small, font="Courier")
        canvas.write(context.margin, context.margin * 0.5, rng.from_pattern(fax_line), fax_style)
    title = context.label("form_names")
    if locale.language == "en" and rng.chance(0.6):
        title = rng.pick(word_lists("forms")["headline"])
    style = typography.bold.scaled(1.2 + 0.7 * rng.random())
    middle = canvas.width / 2
    width = canvas.write(middle, y + style.size, title, style, "centre")
    if rng.chance(0.4):
        canvas.draw_horizontal_line(middle - width / 2, middle + width / 2, y + style.size * 1.2, 0.8)
    return y + style.size * 2.2


def _draw_section_title(context: DrawingContext, y: float) -> float:
    title = context.rng.pick(context.words("label_text")).upper()
    if context.rng.chance(0.5):
        fill = context.typography.background
        context.canvas.draw(
            RectangleStroke(context.margin, y, context.inner_width, context.line_height * 1.4, fill, None)
        )
    middle = context.canvas.width / 2
    context.canvas.write(middle, y + context.line_height, title, context.typography.bold, "centre")
    return y + context.line_height * 2
