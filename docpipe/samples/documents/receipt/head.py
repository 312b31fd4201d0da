"""The head of a receipt: what stands above the name, the name, registration, address, telephone.

In: a roll and a till. Out: lines on the roll.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import Align, Piece, Value, value
from docpipe.samples.canvas.strokes import Ink
from docpipe.samples.content.receipt_data import Till
from docpipe.samples.content.shops import legal_form
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.invoice.letterhead import draw_logo
from docpipe.samples.documents.receipt.receipt_paper import Roll

SIZES = (1.0, 1.0, 1.15, 1.4, 1.8, 2.3)
REGISTER_LABELS = ("", "", "Co. Reg. No: ", "Co Reg No : ", "ROC ", "ROC NO. : ", "Company No: ", "Reg No. ", "Co.No.")


def draw_header(roll: Roll, till: Till) -> None:
    """Logo or large name, registration, address, phone, tax number, title: in the order of this house."""
    sheet, dice = roll.sheet, roll.sheet.dice
    align: Align = "centre" if dice.chance(0.75) else "left"
    if dice.chance(0.15):
        draw_logo(sheet, sheet.pen.width / 2 - 18 if align == "centre" else sheet.margin, roll.y, 36)
        roll.y += 40
    if dice.chance(0.14):
        _saying(roll, till, "r_above", align)
    _names(roll, till, align)
    if dice.chance(0.1):
        _saying(roll, till, "r_slogan", align)
    _where(roll, till, align)
    if dice.chance(0.15):
        roll.line(till.shop.web, align)
    if dice.chance(0.5):
        roll.skip(dice.pick((0.2, 0.6, 1.0)))
        roll.line(
            sheet.word("r_title"), dice.pick(("centre", "centre", align)), sheet.look.bold.sized(dice.pick(SIZES[:4]))
        )
    if dice.chance(0.7):
        roll.rule()


def _saying(roll: Roll, till: Till, key: str, align: Align) -> None:
    """A welcome, a mall, a slogan: no part of the name."""
    sheet, dice = roll.sheet, roll.sheet.dice
    lists = words(sheet.manner.language)
    known = {
        "noun": dice.pick(lists["nouns"]),
        "shop": dice.pick(lists["shops"]).lower(),
        "food": dice.pick(lists["foods"]),
        "n": dice.pattern("%##"),
        "year": str(till.day.year - int(40 * dice.random())),
    }
    roll.line(roll.say(dice.pick(lists[key]).format(**known)), align, sheet.look.bold if dice.chance(0.3) else None)


def _names(roll: Roll, till: Till, align: Align) -> None:
    """Brand and company; where both are printed the company is the merchant."""
    sheet, dice, shop = roll.sheet, roll.sheet.dice, till.shop
    large = sheet.look.bold.sized(dice.pick(SIZES))
    if shop.legal is None:
        _name_lines(roll, till, align, large)
    elif dice.chance(0.85):
        roll.line(shop.brand, align, large)
        _name_lines(roll, till, align, roll.ink)
    else:
        _name_lines(roll, till, align, large)
        roll.line(shop.brand, align)


def _name_lines(roll: Roll, till: Till, align: Align, ink: Ink) -> None:
    """The name on one line or two, its registration behind it or below it."""
    dice, country, name = roll.sheet.dice, roll.sheet.manner.country, till.shop.name
    register = ""
    if dice.chance(0.45):
        register = _register(dice, roll.sheet.manner.country, till.shop.register)
    words_of = name.split()
    form = legal_form(name, country)
    wide = ink.width(name) > roll.sheet.inner and len(words_of) > 1
    if wide or (form > 1 and dice.chance(0.1)):
        half = (len(words_of) + 1) // 2
        broken = " ".join(words_of[:half]) + "\n" + " ".join(words_of[half:])
        if form > 1 and dice.chance(0.6):
            broken = name[:form].rstrip() + "\n" + name[form:]
        roll.block(Value(broken, ("merchant_name",), name), align, ink)
    elif register and dice.chance(0.35) and ink.width(name + register) < roll.sheet.inner * 1.25:
        roll.line([value("merchant_name", name), " ", register], align, ink)
        register = ""
    else:
        roll.line(value("merchant_name", name), align, ink)
    roll.y += max(0.0, ink.size - roll.ink.size) * 0.25  # what is printed large reaches further down
    if register:
        roll.line(register, align)


def _register(dice: Dice, country: str, number: str) -> str:
    """`(123456-X)`, `Co. Reg. No: 123456-X`."""
    if country in ("MY", "SG", "GB", "AU", "IE"):
        label = dice.pick(REGISTER_LABELS)
        return f"{label}{number}" if label or number.startswith("(") or dice.chance(0.3) else f"({number})"
    return number


def _where(roll: Roll, till: Till, align: Align) -> None:
    """Address, telephone and tax number, mostly in this order."""
    dice, shop = roll.sheet.dice, till.shop
    tax = f"{shop.tax_label}{dice.pick((' : ', ': ', ' ', ' No: ', ':'))}{shop.tax_number}"
    taxed, early = dice.chance(0.55), dice.chance(0.15)
    if taxed and early:
        roll.line(tax, align)
    if dice.chance(0.93):
        lines = address_lines(roll, shop.address)
        roll.block(Value(lines, ("merchant_address",), " ".join(lines.split())), align)
    if dice.chance(0.7):
        _phone(roll, till, align)
    if taxed and not early:
        roll.line(tax, align)


def _phone(roll: Roll, till: Till, align: Align) -> None:
    sheet, dice = roll.sheet, roll.sheet.dice
    label = sheet.word("phone") if sheet.manner.language != "id" else dice.pick(("Telp.", "Tlp", "HP", "WA"))
    line: list[Piece] = [label, dice.pick((" ", ": ", ":", " : ", "-")), value("merchant_phone", till.shop.phone)]
    if dice.chance(0.25):
        number = dice.pattern(dice.pick(words(sheet.manner.country)["phone"]))
        fax = f"{dice.pick(('Fax', 'FAX', 'F'))}{dice.pick((': ', ':', ' '))}{number}"
        if dice.chance(0.5):
            roll.line([*line, "  ", fax], align)
            return
        roll.line(line, align)
        roll.line(fax, align)
        return
    roll.line(line, align)


def address_lines(roll: Roll, lines: tuple[str, ...]) -> str:
    """The address as its lines, or run together and broken anew where this till breaks."""
    dice = roll.sheet.dice
    kind, room = dice.random(), 0.98
    text = "\n".join(lines)
    if kind < 0.25:
        text = ", ".join(line.rstrip(",") for line in lines)
    elif kind < 0.45:
        text, room = " ".join(lines), dice.pick((0.5, 0.65, 0.8))
    elif kind < 0.52:
        return " ".join(lines) if roll.ink.width(" ".join(lines)) < 1.5 * roll.sheet.inner else _fit(roll, text, room)
    return _fit(roll, text, room)


def _fit(roll: Roll, text: str, share: float) -> str:
    """Lines broken where the paper, or this share of it, ends."""
    lines = []
    for line in text.split("\n"):
        now = ""
        for word in line.split():
            longer = f"{now} {word}".strip()
            if now and roll.ink.width(longer) > roll.sheet.inner * share:
                lines.append(now)
                now = word
            else:
                now = longer
        lines.append(now)
    return "\n".join(lines)
