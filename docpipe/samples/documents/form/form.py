"""Forms: labels with blanks that somebody filled in, in type or by hand.

In: dice and a language. Out: a drawn form whose pairs of label and value are known. Blanks left empty are no pair.
Forms drawn for training ("installed" fonts) also ask for some of their blanks by label, see `blanks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from docpipe.samples.canvas.canvas import DocumentCanvas, SampleDocument
from docpipe.samples.canvas.strokes import BLACK, LineStroke, RectangleStroke, TextStyle
from docpipe.samples.canvas.text_style import FontSource, Typography, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style
from docpipe.samples.content.vocabulary import company_name, person_name, town_name
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.form.blanks import FormFiller, label_text
from docpipe.samples.documents.form.check_boxes import draw_check_boxes
from docpipe.samples.documents.form.office_blocks import (
    columns,
    draw_clauses,
    draw_memo_header,
    draw_number_list,
    draw_options,
    draw_remarks,
    draw_running_pairs,
    draw_signature_lines,
)
from docpipe.samples.documents.invoice.letterhead import DrawingContext, draw_logo
from docpipe.samples.documents.sectioned_page import next_page

PAGE_SIZES = ((612.0, 792.0), (595.3, 841.9), (595.3, 841.9))
MIN_ANSWER_WIDTH = 80.0  # points: too little to write an answer into
TYPEWRITER_SHARE = 0.3  # of the forms are typed as a whole, captions too


def draw_form(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    filler, y = _begin_form(rng, language, fonts)
    context = filler.context
    if rng.chance(0.25):
        y = draw_memo_header(filler, y)
    for _ in range(rng.pick((1, 2, 4, 6, 8, 10, 12))):
        if y > context.canvas.height * 0.78:
            break
        if rng.chance(0.2):
            y = _draw_section_title(context, y)
        y = rng.pick(_BLOCKS)(filler, y)
    if rng.chance(0.3) and y < context.canvas.height * 0.8:
        _draw_small_print(context, y)
    if rng.chance(0.3):
        code = rng.from_pattern(rng.pick(("%########", "??### %######", "Form ###-? (Rev. %/8#)", "%### %####")))
        context.canvas.write(
            context.right, context.canvas.height - context.margin * 0.5, code, context.typography.bold, "right"
        )
    if rng.chance(0.1):
        next_page(context)
        draw_lines(filler, context.margin + context.typography.line_height)
    return _finish_form(filler)


def draw_questionnaire(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    """Ticked boxes alone: what such a form answers, only its picture says."""
    filler, y = _begin_form(rng, language, fonts)
    for _ in range(rng.pick((3, 5, 8))):
        if y < filler.context.canvas.height * 0.78:
            y = draw_check_boxes(filler, y)
    return _finish_form(filler)


def _begin_form(rng: SeededRandom, language: str | None, fonts: FontSource) -> tuple[FormFiller, float]:
    """A page with a heading, and the y below it."""
    language = rng.pick((*LANGUAGES, *("en",) * 7)) if language is None else language
    country = rng.pick(("US", "US", "GB")) if language == "en" else rng.pick(COUNTRIES[language])
    context = DrawingContext(
        DocumentCanvas(*rng.pick(PAGE_SIZES)),
        rng,
        make_typography(rng, fonts, low=8, high=11.5),
        make_locale_style(rng, country, language),
        rng.date(),
        35 + 35 * rng.random(),
    )
    if rng.chance(TYPEWRITER_SHARE):
        context.typography = _typewriter(context.typography)
    return FormFiller(context, _answer_style(context), with_own_fields=fonts == "installed"), _draw_form_header(context)


def _finish_form(filler: FormFiller) -> SampleDocument:
    context = filler.context
    return context.canvas.finish(
        "form", context.locale.language, {**field_descriptions(context.rng, "form"), **filler.own_fields}
    )


def _typewriter(typography: Typography) -> Typography:
    text = replace(typography.text, font="Courier", horizontal_scale=1.0, colour=BLACK)
    return replace(typography, text=text, bold=replace(text, outline_width=0.3), italic=text)


def _draw_small_print(context: DrawingContext, y: float) -> None:
    rng, language = context.rng, context.locale.language
    text = " ".join(rng.pick_several(word_lists("en")["instructions"], 1))
    if language != "en":
        country = context.locale.country
        text = context.phrase("legal", city=town_name(rng, country, language), person=person_name(rng, country))
    context.canvas.write_paragraph(
        (context.margin, y + context.typography.line_height), context.inner_width, text, context.typography.small
    )


def _answer_style(context: DrawingContext) -> TextStyle:
    """The type of the answers: typewriter, the same print, or a slanted pen."""
    rng, typography = context.rng, context.typography
    return rng.pick(
        (
            replace(typography.text, font="Courier", horizontal_scale=1.0),
            replace(typography.text, font="Courier", horizontal_scale=0.9, outline_width=0.25),
            typography.text,
            typography.bold,
            replace(
                typography.text,
                font="Times-Italic",
                size=typography.text.size * 1.25,
                colour=(0.1, 0.15, 0.55),
                horizontal_scale=0.95,
            ),
            replace(typography.text, font="Helvetica-Oblique", colour=(0.1, 0.1, 0.4), horizontal_scale=0.9),
        )
    )


def _draw_form_header(context: DrawingContext) -> float:
    rng, typography, canvas = context.rng, context.typography, context.canvas
    y = context.margin + typography.line_height
    if rng.chance(0.4):
        draw_logo(context, context.margin, y - 8, 40)
        canvas.write(
            context.margin + 60,
            y + 12,
            company_name(rng, context.locale.country, context.locale.language),
            typography.bold.scaled(1.2),
        )
        y += 50
    if rng.chance(0.2):
        received = context.locale.format_date(rng.date())
        stamp = f"{received}  {rng.from_pattern('1#:%#')}  {rng.from_pattern('### ### ####')}  P.0%"
        canvas.write(
            context.margin, context.margin * 0.5, rng.from_pattern(stamp), replace(typography.small, font="Courier")
        )
    title = context.label("form_names")
    if context.locale.language == "en" and rng.chance(0.6):
        title = rng.pick(word_lists("forms")["headline"])
    text_style = typography.bold.scaled(1.2 + 0.7 * rng.random())
    width = canvas.write(canvas.width / 2, y + text_style.size, title, text_style, "centre")
    if rng.chance(0.4):
        canvas.draw_horizontal_line(
            canvas.width / 2 - width / 2, canvas.width / 2 + width / 2, y + text_style.size * 1.2, 0.8
        )
    return y + text_style.size * 2.2


def _draw_section_title(context: DrawingContext, y: float) -> float:
    title = context.rng.pick(word_lists(context.locale.language)["label_text"]).upper()
    if context.rng.chance(0.5):
        context.canvas.draw(
            RectangleStroke(
                context.margin,
                y,
                context.inner_width,
                context.typography.line_height * 1.4,
                context.typography.background,
                None,
            )
        )
    context.canvas.write(
        context.canvas.width / 2, y + context.typography.line_height, title, context.typography.bold, "centre"
    )
    return y + context.typography.line_height * 2


def draw_lines(filler: FormFiller, y: float) -> float:
    """A label, then its value on a line; values in one column or right behind the label."""
    context, rng = filler.context, filler.context.rng
    step = context.typography.line_height * rng.pick((1.5, 1.8, 2.2))
    aligned, ruled = rng.chance(0.5), rng.chance(0.65)
    for _ in range(rng.pick((3, 4, 6, 8, 10))):
        y += step
        if y > context.canvas.height - context.margin:
            break
        y = draw_label_and_answer(
            filler, (context.margin, y), context.inner_width, 0.34 if aligned else 0.0, ruled=ruled
        )
    return y + context.typography.line_height


def draw_label_and_answer(
    filler: FormFiller, at: tuple[float, float], width: float, column: float, *, ruled: bool
) -> float:
    """One blank of the given width; gives the baseline of its last line."""
    context, (x, y) = filler.context, at
    label, answer = filler.fill()
    text_style = context.typography.text
    taken = context.canvas.write(x, y, label, text_style.fitted_to(label_text(label), width))
    start = x + max(taken + 8, width * column)
    room = x + width - start
    if room < MIN_ANSWER_WIDTH:  # a long label: the answer goes below it
        start, room, y = x + 12, width - 12, y + context.typography.line_height * 1.2
    if ruled:
        context.canvas.draw(LineStroke(start - 3, y + 2, x + width - 4, y + 2, 0.5))
    if answer is not None:
        after = context.canvas.write_paragraph((start, y), room, answer, filler.answer_style, leading=1.3)
        y = max(y, after - filler.answer_style.size * 1.3)
    return y


def draw_two_columns(filler: FormFiller, y: float) -> float:
    context, rng = filler.context, filler.context.rng
    step, half, ruled = (
        context.typography.line_height * rng.pick((1.6, 2.0)),
        context.inner_width / 2 - 8,
        rng.chance(0.6),
    )
    for _ in range(rng.pick((2, 3, 4, 5))):
        y += step
        if y > context.canvas.height - context.margin:
            break
        y = max(
            draw_label_and_answer(filler, (context.margin + column * (half + 16), y), half, 0.0, ruled=ruled)
            for column in (0, 1)
        )
    return y + context.typography.line_height


def draw_boxes(filler: FormFiller, y: float) -> float:
    """Cells with a small label above the value."""
    context, rng = filler.context, filler.context.rng
    tall = context.typography.line_height * 2.7
    for _ in range(rng.pick((1, 2, 3, 4))):
        count = rng.pick((1, 2, 2, 3))
        share = context.inner_width / count
        if y + tall > context.canvas.height - context.margin:
            break
        deepest = y + tall
        for cell in range(count):
            left = context.margin + cell * share
            label, answer = filler.fill()
            small = context.typography.small.fitted_to(label_text(label), share - 8)
            context.canvas.write(left + 4, y + context.typography.small.size * 1.1, label, small)
            if answer is not None:
                after = context.canvas.write_paragraph(
                    (left + 6, y + context.typography.line_height * 2.1), share - 10, answer, filler.answer_style
                )
                deepest = max(deepest, after)
        for cell in range(count):
            context.canvas.draw(RectangleStroke(context.margin + cell * share, y, share, deepest - y, None))
        y = deepest
    return y + context.typography.line_height


def draw_grid(filler: FormFiller, y: float) -> float:
    """A ruled table with the label in the left cell and the value in the right one."""
    context, rng = filler.context, filler.context.rng
    split = rng.pick((0.3, 0.4, 0.5))
    for _ in range(rng.pick((3, 5, 7))):
        if y + context.typography.line_height * 3 > context.canvas.height - context.margin:
            break
        label, answer = filler.fill()
        base, bottom = y + context.typography.line_height * 1.1, y + context.typography.line_height * 1.6
        below = context.canvas.write_paragraph(
            (context.margin + 4, base), context.inner_width * split - 8, label, context.typography.text
        )
        bottom = max(bottom, below - context.typography.text.size * 0.6)
        if answer is not None:
            after = context.canvas.write_paragraph(
                (context.margin + context.inner_width * split + 5, base),
                context.inner_width * (1 - split) - 10,
                answer,
                filler.answer_style,
            )
            bottom = max(bottom, after - filler.answer_style.size * 0.6)
        context.canvas.draw(
            RectangleStroke(context.margin, y, context.inner_width * split, bottom - y),
            RectangleStroke(
                context.margin + context.inner_width * split, y, context.inner_width * (1 - split), bottom - y
            ),
        )
        y = bottom
    return y + context.typography.line_height


_BLOCKS: tuple[Callable[[FormFiller, float], float], ...] = (
    *(draw_lines, draw_lines, draw_two_columns, draw_boxes, draw_grid),
    *(
        draw_running_pairs,
        draw_clauses,
        draw_remarks,
        draw_options,
        draw_number_list,
        columns,
        draw_signature_lines,
        draw_check_boxes,
        draw_check_boxes,
    ),
)
