"""Invoices and credit notes: hundreds of layouts by composition.

In: dice and a language. Out: a drawn invoice of one or more pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.canvas import Drawn, Pen, Piece, Value, value
from docpipe.samples.canvas.stamps import draw_code, draw_handwriting, draw_stamp
from docpipe.samples.canvas.strokes import Ink
from docpipe.samples.canvas.text_style import Fonts, make_look
from docpipe.samples.content.field_descriptions import descriptions
from docpipe.samples.content.invoice_data import make_bill, number_like
from docpipe.samples.content.locale_style import COUNTRIES, LANGUAGES, in_whole_units, make_manner
from docpipe.samples.content.vocabulary import coined, party
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.invoice.body import Plan, draw_items, finish_page
from docpipe.samples.documents.invoice.end import draw_end
from docpipe.samples.documents.invoice.letterhead import (
    Sheet,
    accent_bar,
    draw_buyer,
    draw_delivery,
    draw_lines,
    draw_logo,
    draw_sender_line,
    name_of,
    seller_lines,
    vat_of,
)
from docpipe.samples.documents.invoice.metadata_block import Entry, draw_meta

FACTS = (
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
TITLES = {
    "proforma": ("proforma",),
    "prepayment_invoice": ("acompte", "abschlag"),
    "corrected_invoice": ("korrekturrechnung",),
}
A4, LETTER = (595.3, 841.9), (612.0, 792.0)


def draw_invoice(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    language = dice.pick(LANGUAGES) if language is None else language
    country = dice.pick(COUNTRIES[language])
    manner = make_manner(dice, country, language if not (language != "en" and dice.chance(0.06)) else "en")
    if dice.chance(0.03):
        manner = in_whole_units(dice, manner)
    bill = make_bill(dice, manner)
    size = LETTER if country == "US" else A4
    sheet = Sheet(Pen(*size), dice, make_look(dice, fonts), manner, bill.issued, margin=28 + 40 * dice.random())
    title = sheet.word("title_credit" if bill.credit else "title_invoice")
    plan = Plan(
        sheet,
        bill,
        Value(title, ("invoice_type",), _type_of(title, credit=bill.credit)),
        footer=dice.chance(0.6),
        footer_columns=dice.pick((1, 3, 4)),
        bank_in_footer=dice.chance(0.5),
        letter_date=dice.chance(0.1),
        page_words=dice.pick(words(manner.language)["page"]),
    )
    plan.bottom = sheet.pen.height - sheet.margin - (60 if plan.footer else 15)
    y = _draw_top(plan)
    y = _draw_intro(plan, y)
    _draw_extras(sheet)
    y = draw_items(plan, y)
    draw_end(plan, y)
    finish_page(plan)
    return sheet.pen.finish("invoice", manner.language, descriptions(dice, "invoice"), adds_up=bill.adds_up)


def _type_of(title: str, *, credit: bool) -> str:
    """What the title says; `docpipe/schemas/words.py` has the types."""
    named = (kind for kind, words_of_it in TITLES.items() if any(word in title.casefold() for word in words_of_it))
    return next(named, "credit_note" if credit else "invoice")


def _draw_top(plan: Plan) -> float:
    """Letterhead, buyer, title and meta; gives the y below."""
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    if dice.chance(0.12):
        accent_bar(sheet, sheet.look.accent)
    below_head = _draw_letterhead(plan)
    buyer_right = dice.chance(0.3)
    left, middle = sheet.margin, sheet.margin + sheet.inner * dice.pick((0.5, 0.55, 0.6))
    y = below_head + sheet.look.line * (1 + 2 * dice.random())
    title_first = dice.chance(0.3)
    if title_first:
        y = _draw_title(plan, y)
    top = y
    if dice.chance(0.35) and not buyer_right:
        y = draw_sender_line(sheet, left, y, bill.seller)
    buyer_x = middle if buyer_right else left
    label = dice.chance(0.55)
    under_buyer = draw_buyer(sheet, buyer_x, y + sheet.look.line, bill.buyer, label=label)
    entries = _entries(plan)
    beside = dice.chance(0.55)
    if beside:
        other = (left if buyer_right else middle, top + sheet.look.line)
        width = middle - left - 15 if buyer_right else sheet.right - middle
        under_meta = draw_meta(sheet, entries, other, width)
    else:
        under_meta = top
        if dice.chance(0.2):
            other_party = party(dice, bill.buyer.country, sheet.manner.language)
            under_meta = draw_delivery(sheet, left if buyer_right else middle, top + sheet.look.line, other_party)
    y = max(under_buyer, under_meta) + sheet.look.line * (0.5 + 2 * dice.random())
    if not title_first:
        y = _draw_title(plan, y)
    if not beside:
        y = draw_meta(sheet, entries, (left, y), sheet.inner) + sheet.look.line * 0.7
    return y


def _draw_letterhead(plan: Plan) -> float:
    sheet, dice, seller = plan.sheet, plan.sheet.dice, plan.bill.seller
    y = sheet.margin + 4
    kind = dice.pick(("left", "right", "centre", "split", "name", "footer"))
    if kind == "footer" and not plan.footer:
        kind = "left"
    if kind in ("left", "right", "centre"):
        x = {"left": sheet.margin, "right": sheet.right, "centre": sheet.pen.width / 2}[kind]
        if kind == "left" and dice.chance(0.4):
            draw_logo(sheet, sheet.right - 60, y - 8, 28 + 30 * dice.random())
        if kind == "right" and dice.chance(0.5):
            draw_logo(sheet, sheet.margin, y - 8, 28 + 30 * dice.random())
        align = {"left": "left", "right": "right", "centre": "centre"}[kind]
        if kind == "right" and dice.chance(0.5):
            x, align = sheet.margin + sheet.inner * 0.62, "left"
        return draw_lines(sheet, x, y + 6, seller_lines(sheet, seller), align)  # type: ignore[arg-type]
    if kind == "split":
        big = _fitted(sheet.look.accented.sized(1.5 + dice.random()), seller.name, sheet.inner * 0.6)
        sheet.pen.write(sheet.margin, y + big.size, name_of("seller_name", seller), big)
        x = sheet.margin + sheet.inner * 0.65
        return max(y + big.size * 2, draw_lines(sheet, x, y + 6, seller_lines(sheet, seller, name=False)))
    if kind == "name":
        big = _fitted(sheet.look.accented.sized(1.6 + 1.2 * dice.random()), seller.name, sheet.inner)
        centre = dice.chance(0.4)
        x = sheet.pen.width / 2 if centre else sheet.margin
        sheet.pen.write(x, y + big.size, name_of("seller_name", seller), big, "centre" if centre else "left")
        lines = seller_lines(sheet, seller, name=False)
        flat = [piece for line, _ in lines for piece in (*line, "  ")]
        return sheet.pen.paragraph((sheet.margin, y + big.size * 2.2), sheet.inner, _one_line(flat), sheet.look.small)
    draw_logo(sheet, dice.pick((sheet.margin, sheet.right - 60)), y - 8, 45)
    return y + 45


def _fitted(ink: Ink, text: str, width: float) -> Ink:
    return ink.sized(min(1.0, width / ink.width(text)))


def _one_line(pieces: Sequence[Piece]) -> list[Piece]:
    return [piece.printed(piece.text.replace("\n", ", ")) if isinstance(piece, Value) else piece for piece in pieces]


def _draw_title(plan: Plan, y: float) -> float:
    sheet, dice = plan.sheet, plan.sheet.dice
    ink = (sheet.look.accented if dice.chance(0.5) else sheet.look.bold).sized(1.2 + 1.2 * dice.random())
    y += ink.size
    number = value("invoice_number", plan.bill.number)
    if dice.chance(0.3):
        line: list[Piece] = [plan.title, dice.pick((" ", " Nr. ", " # ", ": ", " No. ", " n° ")), number]
        sheet.pen.write(sheet.margin, y, line, ink)
    elif dice.chance(0.2):
        sheet.pen.write(sheet.right, y, plan.title, ink, "right")
    else:
        sheet.pen.write(sheet.margin, y, plan.title, ink)
    return y + ink.size * 0.9


def _draw_extras(sheet: Sheet) -> None:
    """Stamps, square codes and ink, on a share of the first pages."""
    dice = sheet.dice
    if dice.chance(0.06):
        draw_stamp(sheet)
    if dice.chance(0.06):
        draw_handwriting(sheet)
    if dice.chance(0.05):
        draw_code(sheet, sheet.right - 70, sheet.pen.height - sheet.margin - 150, 60)


def _entries(plan: Plan) -> list[Entry]:
    """Label and value of the meta block, decoys among them."""
    sheet, bill, dice, manner = plan.sheet, plan.bill, plan.sheet.dice, plan.sheet.manner
    number = "credit_number" if bill.credit else "invoice_number"
    entries: list[Entry] = [
        Entry(sheet.word(number), value("invoice_number", bill.number)),
    ]
    if not plan.letter_date:
        entries.append(Entry(sheet.word("invoice_date"), manner.day("issue_date", bill.issued)))
    if bill.due is not None:
        entries.append(Entry(sheet.word("due_date"), manner.day("due_date", bill.due)))
    if bill.order is not None:
        entries.append(Entry(sheet.word("purchase_order"), value("purchase_order", bill.order)))
    if bill.reference is not None:
        entries.append(Entry(sheet.word("buyer_reference"), value("buyer_reference", bill.reference)))
    vat = vat_of(sheet, "buyer_vat_id", bill.buyer)
    if vat is not None and dice.chance(0.15):
        entries.append(
            Entry(
                sheet.word("vat_id") + dice.pick((" (buyer)", "", " Kunde"))
                if manner.language in ("en", "de")
                else sheet.word("vat_id"),
                vat,
            )
        )
    if dice.chance(0.15):
        entries.append(Entry(sheet.word("terms_label"), value("payment_terms", bill.terms)))
    if dice.chance(0.12):
        entries.append(
            Entry(
                {"de": "Währung", "fr": "Devise", "es": "Moneda", "it": "Valuta", "nl": "Valuta"}.get(
                    manner.language, "Currency"
                ),
                Value(manner.currency, ("currency",), manner.currency),
            )
        )
    first, rest = entries[: dice.pick((1, 2, 2))], entries
    rest = rest[len(first) :] + _decoys(plan)
    dice.shuffle(rest)
    entries = first + rest
    if dice.chance(0.25):
        dice.shuffle(entries)
    return entries


def _decoys(plan: Plan) -> list[Entry]:
    sheet, bill, dice, manner = plan.sheet, plan.bill, plan.sheet.dice, plan.sheet.manner
    options = [
        Entry(sheet.word("customer_number"), dice.pattern(dice.pick(("%####", "K-%###", "%#####", "D%####", "10###")))),
        Entry(sheet.word("our_order"), number_like(dice, bill.issued)),
        Entry(sheet.word("order_date"), manner.date(bill.issued)),
        Entry(sheet.word("delivery_date"), manner.date(dice.day())),
        Entry(sheet.word("delivery_note"), number_like(dice, bill.issued)),
        Entry(sheet.word("contact"), bill.seller.person),
        Entry(sheet.word("phone"), bill.seller.phone),
    ]
    facts = (bill.buyer.person, bill.buyer.city, bill.seller.city, dice.pattern(dice.pick(FACTS)), coined(dice))
    options += [Entry(sheet.word("other_fact"), dice.pick(facts)) for _ in range(dice.pick((0, 0, 1, 2, 4)))]
    return dice.some(options, dice.pick((0, 0, 1, 2, 2, 3, 4, 6)))


def _draw_intro(plan: Plan, y: float) -> float:
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    if dice.chance(0.1):
        pieces: list[Piece] = []
        for part in (
            dice.pick(words(sheet.manner.language)["inline"]).replace("{", "\0{").replace("}", "}\0").split("\0")
        ):
            known: dict[str, Piece] = {
                "{number}": value("invoice_number", bill.number),
                "{date}": sheet.manner.day("issue_date", bill.issued),
                "{city}": bill.seller.city,
            }
            pieces.append(known.get(part, part))
        y = sheet.pen.paragraph((sheet.margin, y + sheet.look.line), sheet.inner, pieces, sheet.look.bold)
    if plan.letter_date:
        line: list[Piece] = []
        for part in sheet.word("letter_date").replace("{", "\0{").replace("}", "}\0").split("\0"):
            known = {"{date}": sheet.manner.day("issue_date", bill.issued), "{city}": bill.seller.city}
            line.append(known.get(part, part))
        y += sheet.look.line
        sheet.pen.write(sheet.right, y, line, sheet.look.text, "right")
    if dice.chance(0.45):
        text = sheet.phrase("intro", person=bill.buyer.person)
        y = sheet.pen.paragraph((sheet.margin, y + sheet.look.line), sheet.inner, text, sheet.look.text)
    return y + sheet.look.line * 0.6
