"""Receipts: narrow pages in the styles of many merchants.

In: a random source and a language. Out: a drawn receipt of one page.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.canvas.text_style import BLACK
from docpipe.samples.canvas.typography import FontSource
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.locale_style import make_locale_style
from docpipe.samples.content.receipt_data import ReceiptData, make_receipt_data
from docpipe.samples.documents.receipt.header import print_header
from docpipe.samples.documents.receipt.items import print_items
from docpipe.samples.documents.receipt.metadata import print_metadata, print_metadata_lines
from docpipe.samples.documents.receipt.payment import print_payment
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper, make_receipt_paper
from docpipe.samples.documents.receipt.totals import print_totals
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import SampleDocument

COUNTRIES = {
    "en": ("MY", "MY", "MY", "MY", "SG", "US", "US", "GB", "AU", "IE"),
    "de": ("DE", "DE", "AT", "CH"),
    "fr": ("FR", "FR", "BE"),
    "es": ("ES",),
    "it": ("IT",),
    "nl": ("NL",),
    "id": ("ID",),
}
LANGUAGES = ("en", "en", "en", "en", "en", "de", "fr", "es", "it", "nl", "id", "id")
WITH_CURRENCY_SHARE = 0.35  # of the receipts print the currency on totals where the locale has it
BAR_WIDTHS = (0.7, 1.4, 2.1)  # points, of a barcode's bars and gaps
BAR_HEIGHT = 26.0


def draw_receipt(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    language = rng.pick(LANGUAGES) if language is None else language
    locale = make_locale_style(rng, rng.pick(COUNTRIES[language]), language)
    if not rng.chance(WITH_CURRENCY_SHARE):
        locale = replace(locale, symbol_position="")
    receipt = make_receipt_data(rng, locale)
    paper = make_receipt_paper(rng, locale, receipt, fonts)
    print_header(paper, receipt)
    print_metadata(paper, receipt)
    print_items(paper, receipt)
    print_totals(paper, receipt)
    print_payment(paper, receipt)
    _print_footer(paper, receipt)
    canvas = paper.context.canvas
    canvas.next_page(paper.y + paper.context.margin)
    return canvas.finish("receipt", language, field_descriptions(rng, "receipt"), adds_up=receipt.adds_up)


def _print_footer(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Thanks, notes, a barcode; before them the metadata where this receipt prints them last."""
    context, rng = paper.context, paper.context.rng
    if paper.deferred_lines:
        paper.print_separator()
        print_metadata_lines(paper, paper.deferred_lines)
    paper.skip_lines(rng.random() * 2)
    if rng.chance(0.15):
        saved = context.locale.format_number(rng.amount(0.1, 40))
        line = [paper.in_case(context.label("r_saved")), rng.pick((": ", " ", " : ")), saved]
        paper.print_line(line, rng.pick(("left", "centre")))
    for _ in range(rng.pick((0, 1, 1, 2, 3, 4))):
        kind = rng.pick(("r_thanks", "r_notes", "r_notes"))
        text = context.phrase(kind, web=receipt.merchant.website, n=rng.from_pattern("%#"))
        paper.print_line(paper.in_case(rng.from_pattern(text)), "centre")
    if rng.chance(0.15):
        _print_barcode(paper)


def _print_barcode(paper: ReceiptPaper) -> None:
    context, rng = paper.context, paper.context.rng
    paper.skip_lines()
    quiet_zone = context.inner_width * 0.15
    x = context.margin + quiet_zone
    while x < context.right - quiet_zone:
        width = rng.pick(BAR_WIDTHS)
        context.canvas.draw(RectangleStroke(x, paper.y, width, BAR_HEIGHT, BLACK, None))
        x += width + rng.pick(BAR_WIDTHS)
    paper.y += BAR_HEIGHT + 2
    paper.print_line(rng.from_pattern("%############"), "centre")
