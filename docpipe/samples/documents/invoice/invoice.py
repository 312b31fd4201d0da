"""Invoices and credit notes: hundreds of layouts by composition.

In: a random source and a language. Out: a drawn invoice of one or more pages.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.stamps import draw_handwriting, draw_matrix_code, draw_stamp
from docpipe.samples.canvas.typography import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.invoice_data import make_invoice_data
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style, without_minor_units
from docpipe.samples.documents.common.drawing_context import A4, LETTER, DrawingContext
from docpipe.samples.documents.invoice.closing import draw_closing
from docpipe.samples.documents.invoice.heading import draw_heading, draw_introduction
from docpipe.samples.documents.invoice.layout import InvoiceLayout, finish_page
from docpipe.samples.documents.invoice.line_items import draw_line_items
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, SampleDocument

IN_ENGLISH_SHARE = 0.06  # of the invoices from elsewhere
WITHOUT_MINOR_UNITS_SHARE = 0.03
TYPE_BY_TITLE = {  # words of a title that name a type of their own
    "proforma": ("proforma",),
    "prepayment_invoice": ("acompte", "abschlag"),
    "corrected_invoice": ("korrekturrechnung",),
}


def draw_invoice(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    language = rng.pick(LANGUAGES) if language is None else language
    country = rng.pick(COUNTRIES[language])
    in_english = language == "en" or rng.chance(IN_ENGLISH_SHARE)
    locale = make_locale_style(rng, country, "en" if in_english else language)
    if rng.chance(WITHOUT_MINOR_UNITS_SHARE):
        locale = without_minor_units(rng, locale)
    invoice = make_invoice_data(rng, locale)
    canvas = DocumentCanvas(*(LETTER if country == "US" else A4))
    typography = make_typography(rng, fonts)
    context = DrawingContext(canvas, rng, typography, locale, invoice.issue_date, margin=28 + 40 * rng.random())
    title = context.label("title_credit" if invoice.is_credit_note else "title_invoice")
    layout = InvoiceLayout(
        context,
        invoice,
        FieldText(title, ("invoice_type",), _invoice_type(title, is_credit_note=invoice.is_credit_note)),
        has_footer=rng.chance(0.6),
        footer_columns=rng.pick((1, 3, 4)),
        bank_in_footer=rng.chance(0.5),
        date_as_in_letters=rng.chance(0.1),
        page_number_format=rng.pick(context.words("page")),
    )
    y = draw_heading(layout)
    y = draw_introduction(layout, y)
    _draw_stamps(context)
    y = draw_line_items(layout, y)
    draw_closing(layout, y)
    finish_page(layout)
    descriptions = field_descriptions(rng, "invoice")
    return canvas.finish("invoice", locale.language, descriptions, adds_up=invoice.adds_up)


def _invoice_type(title: str, *, is_credit_note: bool) -> str:
    """What the title says; `docpipe/schemas/words.py` has the types."""
    types = (kind for kind, words in TYPE_BY_TITLE.items() if any(word in title.casefold() for word in words))
    return next(types, "credit_note" if is_credit_note else "invoice")


def _draw_stamps(context: DrawingContext) -> None:
    """Stamps, handwriting and matrix codes, on a share of the first pages."""
    canvas, rng = context.canvas, context.rng
    if rng.chance(0.06):
        text = rng.pick(context.words("stamps"))
        draw_stamp(canvas, rng, text.replace("{date}", context.locale.format_date(rng.random_date())))
    if rng.chance(0.06):
        draw_handwriting(canvas, rng)
    if rng.chance(0.05):
        draw_matrix_code(canvas, rng, Point(context.right - 70, canvas.height - context.margin - 150), 60)
