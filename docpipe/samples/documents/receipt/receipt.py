"""Receipts: narrow pages in many house styles.

In: dice and a language. Out: a drawn receipt of one page.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.samples.canvas.canvas import Drawn
from docpipe.samples.canvas.strokes import BLACK, Frame
from docpipe.samples.canvas.text_style import Fonts
from docpipe.samples.content.field_descriptions import descriptions
from docpipe.samples.content.locale_style import make_manner
from docpipe.samples.content.receipt_data import Till, make_till
from docpipe.samples.dice import Dice
from docpipe.samples.documents.receipt.body import draw_items
from docpipe.samples.documents.receipt.head import draw_header
from docpipe.samples.documents.receipt.metadata_lines import draw_meta, meta_lines
from docpipe.samples.documents.receipt.receipt_paper import Roll, make_roll
from docpipe.samples.documents.receipt.sums import draw_payment, draw_sums

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


def draw_receipt(dice: Dice, language: str | None, fonts: Fonts) -> Drawn:
    language = dice.pick(LANGUAGES) if language is None else language
    manner = make_manner(dice, dice.pick(COUNTRIES[language]), language)
    manner = replace(manner, sign_place=manner.sign_place if dice.chance(0.35) else "")
    till = make_till(dice, manner)
    roll = make_roll(dice, manner, till, fonts)
    draw_header(roll, till)
    draw_meta(roll, till)
    draw_items(roll, till)
    draw_sums(roll, till)
    draw_payment(roll, till)
    _draw_foot(roll, till)
    pen = roll.sheet.pen
    pen.next_page(roll.y + roll.sheet.margin)
    return pen.finish("receipt", language, descriptions(dice, "receipt"), adds_up=till.adds_up)


def _draw_foot(roll: Roll, till: Till) -> None:
    """Thanks, notes, a barcode; the date if the house prints it last."""
    sheet, dice = roll.sheet, roll.sheet.dice
    if roll.late:
        roll.rule()
        meta_lines(roll, roll.late)
    roll.skip(dice.random() * 2)
    if dice.chance(0.15):
        saved = roll.sheet.manner.plain(dice.amount(0.1, 40))
        roll.line(
            [roll.say(sheet.word("r_saved")), dice.pick((": ", " ", " : ")), saved], dice.pick(("left", "centre"))
        )
    for _ in range(dice.pick((0, 1, 1, 2, 3, 4))):
        text = sheet.phrase(dice.pick(("r_thanks", "r_notes", "r_notes")), web=till.shop.web, n=dice.pattern("%#"))
        roll.line(roll.say(dice.pattern(text)), "centre")
    if dice.chance(0.15):
        _barcode(roll)


def _barcode(roll: Roll) -> None:
    sheet, dice = roll.sheet, roll.sheet.dice
    roll.skip()
    x = sheet.margin + sheet.inner * 0.15
    while x < sheet.right - sheet.inner * 0.15:
        wide = dice.pick((0.7, 1.4, 2.1))
        sheet.pen.mark(Frame(x, roll.y, wide, 26, BLACK, None))
        x += wide + dice.pick((0.7, 1.4, 2.1))
    roll.y += 28
    roll.line(dice.pattern("%############"), "centre")
