"""Receipts: narrow pages in many house styles.

In: dice and a language. Out: a drawn receipt of one page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docpipe.samples.dice import Dice
from docpipe.samples.letterhead import draw_logo
from docpipe.samples.look import Fonts
from docpipe.samples.manner import make_manner
from docpipe.samples.marks import BLACK, Frame, Ink
from docpipe.samples.pen import Align, Drawn, Piece, Value, value
from docpipe.samples.phrasing import descriptions
from docpipe.samples.receipt_body import draw_items, draw_payment, draw_sums
from docpipe.samples.roll import Roll, make_roll
from docpipe.samples.till import Till, make_till

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
    _draw_header(roll, till)
    _draw_meta(roll, till)
    draw_items(roll, till)
    draw_sums(roll, till)
    draw_payment(roll, till)
    _draw_foot(roll, till)
    pen = roll.sheet.pen
    pen.next_page(roll.y + roll.sheet.margin)
    return pen.finish("receipt", language, descriptions(dice, "receipt"), adds_up=till.adds_up)


def _draw_header(roll: Roll, till: Till) -> None:
    """Logo or large name, registration, address, phone, tax number, title: in the order of this house."""
    sheet, dice, shop = roll.sheet, roll.sheet.dice, till.shop
    align: Align = "centre" if dice.chance(0.75) else "left"
    if dice.chance(0.15):
        draw_logo(sheet, sheet.pen.width / 2 - 18 if align == "centre" else sheet.margin, roll.y, 36)
        roll.y += 40
    name = sheet.look.bold.sized(dice.pick((1.0, 1.0, 1.15, 1.4, 1.8, 2.3)))
    if shop.legal is not None and sheet.manner.country in ("MY", "SG"):
        roll.line(shop.brand, align, name)
        _name_lines(roll, shop.legal, align, roll.ink)
    else:
        _name_lines(roll, shop.brand, align, name)
        if shop.legal is not None:
            roll.line(shop.legal, align)
    registered = dice.chance(0.45)
    if registered:
        roll.line(dice.pick((shop.register, f"Co. Reg No: {shop.register}", f"ROC {shop.register}")), align)
    joint = dice.pick(("\n", "\n", "\n", ", "))
    lines = _fit(roll, joint.join(shop.address))
    if dice.chance(0.93):
        roll.block(Value(lines, ("merchant_address",), " ".join(" ".join(shop.address).split())), align)
    if dice.chance(0.7):
        label = sheet.word("phone") if sheet.manner.language != "id" else dice.pick(("Telp.", "Tlp", "HP", "WA"))
        line: list[Piece] = [label, dice.pick((" ", ": ", ":", " : ")), value("merchant_phone", shop.phone)]
        if dice.chance(0.2):
            line += ["  Fax: ", dice.pattern("0#-#######")]
        roll.line(line, align)
    if dice.chance(0.55):
        label = {
            "MY": "GST ID",
            "SG": "GST Reg No",
            "GB": "VAT No",
            "DE": "St.-Nr.",
            "FR": "SIRET",
            "ES": "CIF",
            "IT": "P.IVA",
            "NL": "BTW nr",
            "ID": "NPWP",
            "AU": "ABN",
        }.get(sheet.manner.country, "Tax ID")
        roll.line(f"{label}{dice.pick((' : ', ': ', ' ', ' No: '))}{shop.tax_number}", align)
    if dice.chance(0.15):
        roll.line(shop.web, align)
    if dice.chance(0.5):
        roll.skip(dice.pick((0.2, 0.6, 1.0)))
        roll.line(sheet.word("r_title"), "centre", sheet.look.bold.sized(dice.pick((1.0, 1.2, 1.4))))
    if dice.chance(0.7):
        roll.rule()


def _name_lines(roll: Roll, name: str, align: Align, ink: Ink) -> None:
    """A name that is too wide in large print is broken into two lines."""
    words_of = name.split()
    if ink.width(name) > roll.sheet.inner and len(words_of) > 1:
        half = (len(words_of) + 1) // 2
        roll.block(
            Value(" ".join(words_of[:half]) + "\n" + " ".join(words_of[half:]), ("merchant_name",), name), align, ink
        )
    else:
        roll.line(value("merchant_name", name), align, ink)


def _fit(roll: Roll, text: str) -> str:
    """Address lines broken where the paper ends."""
    lines = []
    for line in text.split("\n"):
        now = ""
        for word in line.split():
            longer = f"{now} {word}".strip()
            if now and roll.ink.width(longer) > roll.sheet.inner * 0.98:
                lines.append(now)
                now = word
            else:
                now = longer
        lines.append(now)
    return "\n".join(lines)


def _clock(dice: Dice, till: Till) -> Value:
    hour, rest = till.clock.hour, f"{till.clock.minute:02d}"
    text = dice.pick(
        (
            f"{hour:02d}:{rest}",
            f"{hour:02d}:{rest}:{till.clock.second:02d}",
            f"{hour % 12 or 12}:{rest} {'AM' if hour < 12 else 'PM'}",
            f"{hour % 12 or 12:02d}:{rest}:{till.clock.second:02d} {'am' if hour < 12 else 'pm'}",
            f"{hour:02d}:{rest}",
            f"{hour}:{rest}",
            f"{hour % 12 or 12}:{rest}{'am' if hour < 12 else 'pm'}",
            f"{hour:02d}.{rest}",
        )
    )
    seconds = till.clock.second if text.count(":") == 2 else 0
    return Value(text, ("time",), f"{hour:02d}:{rest}" + (f":{seconds:02d}" if seconds else ""))


def _draw_meta(roll: Roll, till: Till) -> None:
    """Number, date, time, cashier: one per line, in pairs, or run together."""
    sheet, dice = roll.sheet, roll.sheet.dice
    day, clock = sheet.manner.day("date", till.day), _clock(dice, till)
    colon = dice.pick((": ", " : ", " ", ":", ": "))
    dated: list[Piece] = [day]
    if dice.chance(0.5):
        dated = [roll.say(sheet.word("r_date")).rstrip(": "), colon, day]
    timed = dice.chance(0.8)
    if timed and dice.chance(0.6):
        dated += [dice.pick((" ", "  ", "   ", " - ")), clock]
        timed = False
    lines: list[list[Piece]] = [dated]
    if timed:
        lines.append([roll.say(sheet.word("r_time")).rstrip(": "), colon, clock])
    if dice.chance(0.75):
        lines.append([roll.say(sheet.word("r_no")), colon, till.number])
    if dice.chance(0.6):
        lines.append([roll.say(sheet.word("r_cashier")), colon, till.staff])
    if dice.chance(0.4):
        lines.append([roll.say(sheet.word("r_table")), colon, dice.pattern(dice.pick(("%", "%#", "0%", "?%")))])
    dice.shuffle(lines)
    roll.late = lines if dice.chance(0.15) else []
    if not roll.late:
        _meta_lines(roll, lines)
        roll.rule()


def _meta_lines(roll: Roll, lines: Sequence[Sequence[Piece]]) -> None:
    paired = roll.sheet.dice.chance(0.3)
    rest = list(lines)
    while rest:
        if paired and len(rest) > 1 and roll.sheet.dice.chance(0.6):
            roll.pair(rest.pop(0), rest.pop(0))
        else:
            roll.line(rest.pop(0))


def _draw_foot(roll: Roll, till: Till) -> None:
    """Thanks, notes, a barcode; the date if the house prints it last."""
    sheet, dice = roll.sheet, roll.sheet.dice
    if roll.late:
        roll.rule()
        _meta_lines(roll, roll.late)
    roll.skip(dice.random() * 2)
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
