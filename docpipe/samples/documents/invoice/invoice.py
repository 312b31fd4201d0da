"""Invoices and credit notes: hundreds of layouts by composition.

In: dice and a language. Out: a drawn invoice of one or more pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.canvas import DocumentCanvas, FieldText, SampleDocument, TextRun, field_text
from docpipe.samples.canvas.stamps import draw_handwriting, draw_matrix_code, draw_stamp
from docpipe.samples.canvas.strokes import TextStyle
from docpipe.samples.canvas.text_style import FontSource, make_typography
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.content.invoice_data import document_number, make_invoice_data
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, make_locale_style, without_minor_units
from docpipe.samples.content.vocabulary import coined_name, make_party
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.invoice.body import InvoiceLayout, draw_line_items, finish_page
from docpipe.samples.documents.invoice.end import draw_closing
from docpipe.samples.documents.invoice.letterhead import (
    DrawingContext,
    draw_accent_bar,
    draw_buyer,
    draw_delivery_address,
    draw_lines,
    draw_logo,
    draw_sender_line,
    name_field,
    seller_lines,
    vat_id_field,
)
from docpipe.samples.documents.invoice.metadata_block import MetadataEntry, draw_metadata

DISTRACTOR_PATTERNS = (
    "%####",
    "??-%##",
    "?",
    "%##,## kg",
    "%/%",
    "0%:##",
    "%##.###.##",
    "??? %##",
    "%############",
    "N/A",
    "#%",
    "-",
)
TYPE_BY_TITLE = {
    "proforma": ("proforma",),
    "prepayment_invoice": ("acompte", "abschlag"),
    "corrected_invoice": ("korrekturrechnung",),
}
A4, LETTER = (595.3, 841.9), (612.0, 792.0)


def draw_invoice(rng: SeededRandom, language: str | None, fonts: FontSource) -> SampleDocument:
    language = rng.pick(LANGUAGES) if language is None else language
    country = rng.pick(COUNTRIES[language])
    locale = make_locale_style(rng, country, language if not (language != "en" and rng.chance(0.06)) else "en")
    if rng.chance(0.03):
        locale = without_minor_units(rng, locale)
    invoice = make_invoice_data(rng, locale)
    size = LETTER if country == "US" else A4
    context = DrawingContext(
        DocumentCanvas(*size),
        rng,
        make_typography(rng, fonts),
        locale,
        invoice.issue_date,
        margin=28 + 40 * rng.random(),
    )
    title = context.label("title_credit" if invoice.is_credit_note else "title_invoice")
    layout = InvoiceLayout(
        context,
        invoice,
        FieldText(title, ("invoice_type",), _invoice_type(title, credit=invoice.is_credit_note)),
        has_footer=rng.chance(0.6),
        footer_columns=rng.pick((1, 3, 4)),
        bank_in_footer=rng.chance(0.5),
        date_as_in_letters=rng.chance(0.1),
        page_number_format=rng.pick(word_lists(locale.language)["page"]),
    )
    layout.bottom = context.canvas.height - context.margin - (60 if layout.has_footer else 15)
    y = _draw_top(layout)
    y = _draw_introduction(layout, y)
    _draw_stamps(context)
    y = draw_line_items(layout, y)
    draw_closing(layout, y)
    finish_page(layout)
    return context.canvas.finish(
        "invoice", locale.language, field_descriptions(rng, "invoice"), adds_up=invoice.adds_up
    )


def _invoice_type(title: str, *, credit: bool) -> str:
    """What the title says; `docpipe/schemas/words.py` has the types."""
    named = (
        kind for kind, words_of_it in TYPE_BY_TITLE.items() if any(word in title.casefold() for word in words_of_it)
    )
    return next(named, "credit_note" if credit else "invoice")


def _draw_top(layout: InvoiceLayout) -> float:
    """Letterhead, buyer, title and meta; gives the y below."""
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    if rng.chance(0.12):
        draw_accent_bar(context, context.typography.accent)
    below_head = _draw_letterhead(layout)
    buyer_right = rng.chance(0.3)
    left, middle = context.margin, context.margin + context.inner_width * rng.pick((0.5, 0.55, 0.6))
    y = below_head + context.typography.line_height * (1 + 2 * rng.random())
    title_first = rng.chance(0.3)
    if title_first:
        y = _draw_title(layout, y)
    top = y
    if rng.chance(0.35) and not buyer_right:
        y = draw_sender_line(context, left, y, invoice.seller)
    buyer_x = middle if buyer_right else left
    label = rng.chance(0.55)
    under_buyer = draw_buyer(context, buyer_x, y + context.typography.line_height, invoice.buyer, label=label)
    entries = _metadata_entries(layout)
    beside = rng.chance(0.55)
    if beside:
        other = (left if buyer_right else middle, top + context.typography.line_height)
        width = middle - left - 15 if buyer_right else context.right - middle
        under_meta = draw_metadata(context, entries, other, width)
    else:
        under_meta = top
        if rng.chance(0.2):
            other_party = make_party(rng, invoice.buyer.country, context.locale.language)
            under_meta = draw_delivery_address(
                context, left if buyer_right else middle, top + context.typography.line_height, other_party
            )
    y = max(under_buyer, under_meta) + context.typography.line_height * (0.5 + 2 * rng.random())
    if not title_first:
        y = _draw_title(layout, y)
    if not beside:
        y = draw_metadata(context, entries, (left, y), context.inner_width) + context.typography.line_height * 0.7
    return y


def _draw_letterhead(layout: InvoiceLayout) -> float:
    context, rng, seller = layout.context, layout.context.rng, layout.invoice.seller
    y = context.margin + 4
    kind = rng.pick(("left", "right", "centre", "split", "name", "footer"))
    if kind == "footer" and not layout.has_footer:
        kind = "left"
    if kind in ("left", "right", "centre"):
        x = {"left": context.margin, "right": context.right, "centre": context.canvas.width / 2}[kind]
        if kind == "left" and rng.chance(0.4):
            draw_logo(context, context.right - 60, y - 8, 28 + 30 * rng.random())
        if kind == "right" and rng.chance(0.5):
            draw_logo(context, context.margin, y - 8, 28 + 30 * rng.random())
        align = {"left": "left", "right": "right", "centre": "centre"}[kind]
        if kind == "right" and rng.chance(0.5):
            x, align = context.margin + context.inner_width * 0.62, "left"
        return draw_lines(context, x, y + 6, seller_lines(context, seller), align)  # type: ignore[arg-type]
    if kind == "split":
        big = _fitted(context.typography.accented.scaled(1.5 + rng.random()), seller.name, context.inner_width * 0.6)
        context.canvas.write(context.margin, y + big.size, name_field("seller_name", seller), big)
        x = context.margin + context.inner_width * 0.65
        return max(y + big.size * 2, draw_lines(context, x, y + 6, seller_lines(context, seller, name=False)))
    if kind == "name":
        big = _fitted(context.typography.accented.scaled(1.6 + 1.2 * rng.random()), seller.name, context.inner_width)
        centre = rng.chance(0.4)
        x = context.canvas.width / 2 if centre else context.margin
        context.canvas.write(x, y + big.size, name_field("seller_name", seller), big, "centre" if centre else "left")
        lines = seller_lines(context, seller, name=False)
        flat = [piece for line, _ in lines for piece in (*line, "  ")]
        return context.canvas.write_paragraph(
            (context.margin, y + big.size * 2.2), context.inner_width, _one_line(flat), context.typography.small
        )
    draw_logo(context, rng.pick((context.margin, context.right - 60)), y - 8, 45)
    return y + 45


def _fitted(text_style: TextStyle, text: str, width: float) -> TextStyle:
    return text_style.scaled(min(1.0, width / text_style.width(text)))


def _one_line(pieces: Sequence[TextRun]) -> list[TextRun]:
    return [
        piece.with_text(piece.text.replace("\n", ", ")) if isinstance(piece, FieldText) else piece for piece in pieces
    ]


def _draw_title(layout: InvoiceLayout, y: float) -> float:
    context, rng = layout.context, layout.context.rng
    text_style = (context.typography.accented if rng.chance(0.5) else context.typography.bold).scaled(
        1.2 + 1.2 * rng.random()
    )
    y += text_style.size
    number = field_text("invoice_number", layout.invoice.number)
    if rng.chance(0.3):
        line: list[TextRun] = [layout.title, rng.pick((" ", " Nr. ", " # ", ": ", " No. ", " n° ")), number]
        context.canvas.write(context.margin, y, line, text_style)
    elif rng.chance(0.2):
        context.canvas.write(context.right, y, layout.title, text_style, "right")
    else:
        context.canvas.write(context.margin, y, layout.title, text_style)
    return y + text_style.size * 0.9


def _draw_stamps(context: DrawingContext) -> None:
    """Stamps, square codes and ink, on a share of the first pages."""
    rng = context.rng
    if rng.chance(0.06):
        draw_stamp(context)
    if rng.chance(0.06):
        draw_handwriting(context)
    if rng.chance(0.05):
        draw_matrix_code(context, context.right - 70, context.canvas.height - context.margin - 150, 60)


def _metadata_entries(layout: InvoiceLayout) -> list[MetadataEntry]:
    """Label and value of the meta block, decoys among them."""
    context, invoice, rng, locale = layout.context, layout.invoice, layout.context.rng, layout.context.locale
    number = "credit_number" if invoice.is_credit_note else "invoice_number"
    entries: list[MetadataEntry] = [
        MetadataEntry(context.label(number), field_text("invoice_number", invoice.number)),
    ]
    if not layout.date_as_in_letters:
        entries.append(
            MetadataEntry(context.label("invoice_date"), locale.date_field("issue_date", invoice.issue_date))
        )
    if invoice.due_date is not None:
        entries.append(MetadataEntry(context.label("due_date"), locale.date_field("due_date", invoice.due_date)))
    if invoice.purchase_order is not None:
        entries.append(
            MetadataEntry(context.label("purchase_order"), field_text("purchase_order", invoice.purchase_order))
        )
    if invoice.buyer_reference is not None:
        entries.append(
            MetadataEntry(context.label("buyer_reference"), field_text("buyer_reference", invoice.buyer_reference))
        )
    vat = vat_id_field(context, "buyer_vat_id", invoice.buyer)
    if vat is not None and rng.chance(0.15):
        entries.append(
            MetadataEntry(
                context.label("vat_id") + rng.pick((" (buyer)", "", " Kunde"))
                if locale.language in ("en", "de")
                else context.label("vat_id"),
                vat,
            )
        )
    if rng.chance(0.15):
        entries.append(MetadataEntry(context.label("terms_label"), field_text("payment_terms", invoice.payment_terms)))
    if rng.chance(0.12):
        entries.append(
            MetadataEntry(
                {"de": "Währung", "fr": "Devise", "es": "Moneda", "it": "Valuta", "nl": "Valuta"}.get(
                    locale.language, "Currency"
                ),
                FieldText(locale.currency, ("currency",), locale.currency),
            )
        )
    first, rest = entries[: rng.pick((1, 2, 2))], entries
    rest = rest[len(first) :] + _distractor_entries(layout)
    rng.shuffle(rest)
    entries = first + rest
    if rng.chance(0.25):
        rng.shuffle(entries)
    return entries


def _distractor_entries(layout: InvoiceLayout) -> list[MetadataEntry]:
    context, invoice, rng, locale = layout.context, layout.invoice, layout.context.rng, layout.context.locale
    options = [
        MetadataEntry(
            context.label("customer_number"),
            rng.from_pattern(rng.pick(("%####", "K-%###", "%#####", "D%####", "10###"))),
        ),
        MetadataEntry(context.label("our_order"), document_number(rng, invoice.issue_date)),
        MetadataEntry(context.label("order_date"), locale.format_date(invoice.issue_date)),
        MetadataEntry(context.label("delivery_date"), locale.format_date(rng.date())),
        MetadataEntry(context.label("delivery_note"), document_number(rng, invoice.issue_date)),
        MetadataEntry(context.label("contact"), invoice.seller.contact_person),
        MetadataEntry(context.label("phone"), invoice.seller.phone),
    ]
    facts = (
        invoice.buyer.contact_person,
        invoice.buyer.city,
        invoice.seller.city,
        rng.from_pattern(rng.pick(DISTRACTOR_PATTERNS)),
        coined_name(rng),
    )
    options += [MetadataEntry(context.label("other_fact"), rng.pick(facts)) for _ in range(rng.pick((0, 0, 1, 2, 4)))]
    return rng.pick_several(options, rng.pick((0, 0, 1, 2, 2, 3, 4, 6)))


def _draw_introduction(layout: InvoiceLayout, y: float) -> float:
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    if rng.chance(0.1):
        pieces: list[TextRun] = []
        for part in (
            rng.pick(word_lists(context.locale.language)["inline"]).replace("{", "\0{").replace("}", "}\0").split("\0")
        ):
            known: dict[str, TextRun] = {
                "{number}": field_text("invoice_number", invoice.number),
                "{date}": context.locale.date_field("issue_date", invoice.issue_date),
                "{city}": invoice.seller.city,
            }
            pieces.append(known.get(part, part))
        y = context.canvas.write_paragraph(
            (context.margin, y + context.typography.line_height), context.inner_width, pieces, context.typography.bold
        )
    if layout.date_as_in_letters:
        line: list[TextRun] = []
        for part in context.label("letter_date").replace("{", "\0{").replace("}", "}\0").split("\0"):
            known = {
                "{date}": context.locale.date_field("issue_date", invoice.issue_date),
                "{city}": invoice.seller.city,
            }
            line.append(known.get(part, part))
        y += context.typography.line_height
        context.canvas.write(context.right, y, line, context.typography.text, "right")
    if rng.chance(0.45):
        text = context.phrase("intro", person=invoice.buyer.contact_person)
        y = context.canvas.write_paragraph(
            (context.margin, y + context.typography.line_height), context.inner_width, text, context.typography.text
        )
    return y + context.typography.line_height * 0.6
