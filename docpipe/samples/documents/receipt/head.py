"""The head of a receipt: what stands above the name, the name, registration, address, telephone.

In: a roll and a till. Out: lines on the roll.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import Align, FieldText, TextRun, field_text
from docpipe.samples.canvas.strokes import TextStyle
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.content.shops import legal_form_start
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.invoice.letterhead import draw_logo
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper

TITLE_SCALES = (1.0, 1.0, 1.15, 1.4, 1.8, 2.3)
REGISTRATION_LABELS = (
    "",
    "",
    "Co. Reg. No: ",
    "Co Reg No : ",
    "ROC ",
    "ROC NO. : ",
    "Company No: ",
    "Reg No. ",
    "Co.No.",
)


def print_header(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Logo or large name, registration, address, phone, tax number, title: in the order of this house."""
    context, rng = paper.context, paper.context.rng
    align: Align = "centre" if rng.chance(0.75) else "left"
    if rng.chance(0.15):
        draw_logo(context, context.canvas.width / 2 - 18 if align == "centre" else context.margin, paper.y, 36)
        paper.y += 40
    if rng.chance(0.14):
        _print_greeting(paper, receipt, "r_above", align)
    _print_names(paper, receipt, align)
    if rng.chance(0.1):
        _print_greeting(paper, receipt, "r_slogan", align)
    _print_contact(paper, receipt, align)
    if rng.chance(0.15):
        paper.print_line(receipt.merchant.website, align)
    if rng.chance(0.5):
        paper.skip_lines(rng.pick((0.2, 0.6, 1.0)))
        paper.print_line(
            context.label("r_title"),
            rng.pick(("centre", "centre", align)),
            context.typography.bold.scaled(rng.pick(TITLE_SCALES[:4])),
        )
    if rng.chance(0.7):
        paper.print_separator()


def _print_greeting(paper: ReceiptPaper, receipt: ReceiptData, key: str, align: Align) -> None:
    """A welcome, a mall, a slogan: no part of the name."""
    context, rng = paper.context, paper.context.rng
    lists = word_lists(context.locale.language)
    known = {
        "noun": rng.pick(lists["nouns"]),
        "shop": rng.pick(lists["shops"]).lower(),
        "food": rng.pick(lists["foods"]),
        "n": rng.from_pattern("%##"),
        "year": str(receipt.purchase_date.year - int(40 * rng.random())),
    }
    paper.print_line(
        paper.in_case(rng.pick(lists[key]).format(**known)), align, context.typography.bold if rng.chance(0.3) else None
    )


def _print_names(paper: ReceiptPaper, receipt: ReceiptData, align: Align) -> None:
    """Brand and company; where both are printed the company is the merchant."""
    context, rng, shop = paper.context, paper.context.rng, receipt.merchant
    large = context.typography.bold.scaled(rng.pick(TITLE_SCALES))
    if shop.legal_name is None:
        _print_merchant_name(paper, receipt, align, large)
    elif rng.chance(0.85):
        paper.print_line(shop.brand, align, large)
        _print_merchant_name(paper, receipt, align, paper.text_style)
    else:
        _print_merchant_name(paper, receipt, align, large)
        paper.print_line(shop.brand, align)


def _print_merchant_name(paper: ReceiptPaper, receipt: ReceiptData, align: Align, text_style: TextStyle) -> None:
    """The name on one line or two, its registration behind it or below it."""
    rng, country, name = paper.context.rng, paper.context.locale.country, receipt.merchant.name
    register = ""
    if rng.chance(0.45):
        register = _format_registration(rng, paper.context.locale.country, receipt.merchant.registration_number)
    words_of = name.split()
    form = legal_form_start(name, country)
    wide = text_style.width(name) > paper.context.inner_width and len(words_of) > 1
    if wide or (form > 1 and rng.chance(0.1)):
        half = (len(words_of) + 1) // 2
        broken = " ".join(words_of[:half]) + "\n" + " ".join(words_of[half:])
        if form > 1 and rng.chance(0.6):
            broken = name[:form].rstrip() + "\n" + name[form:]
        paper.print_lines(FieldText(broken, ("merchant_name",), name), align, text_style)
    elif register and rng.chance(0.35) and text_style.width(name + register) < paper.context.inner_width * 1.25:
        paper.print_line([field_text("merchant_name", name), " ", register], align, text_style)
        register = ""
    else:
        paper.print_line(field_text("merchant_name", name), align, text_style)
    paper.y += max(0.0, text_style.size - paper.text_style.size) * 0.25  # what is printed large reaches further down
    if register:
        paper.print_line(register, align)


def _format_registration(rng: SeededRandom, country: str, number: str) -> str:
    """`(123456-X)`, `Co. Reg. No: 123456-X`."""
    if country in ("MY", "SG", "GB", "AU", "IE"):
        label = rng.pick(REGISTRATION_LABELS)
        return f"{label}{number}" if label or number.startswith("(") or rng.chance(0.3) else f"({number})"
    return number


def _print_contact(paper: ReceiptPaper, receipt: ReceiptData, align: Align) -> None:
    """Address, telephone and tax number, mostly in this order."""
    rng, shop = paper.context.rng, receipt.merchant
    tax = f"{shop.tax_label}{rng.pick((' : ', ': ', ' ', ' No: ', ':'))}{shop.tax_number}"
    taxed, early = rng.chance(0.55), rng.chance(0.15)
    if taxed and early:
        paper.print_line(tax, align)
    if rng.chance(0.93):
        lines = address_lines(paper, shop.address)
        paper.print_lines(FieldText(lines, ("merchant_address",), " ".join(lines.split())), align)
    if rng.chance(0.7):
        _print_phone(paper, receipt, align)
    if taxed and not early:
        paper.print_line(tax, align)


def _print_phone(paper: ReceiptPaper, receipt: ReceiptData, align: Align) -> None:
    context, rng = paper.context, paper.context.rng
    label = context.label("phone") if context.locale.language != "id" else rng.pick(("Telp.", "Tlp", "HP", "WA"))
    line: list[TextRun] = [
        label,
        rng.pick((" ", ": ", ":", " : ", "-")),
        field_text("merchant_phone", receipt.merchant.phone),
    ]
    if rng.chance(0.25):
        number = rng.from_pattern(rng.pick(word_lists(context.locale.country)["phone"]))
        fax = f"{rng.pick(('Fax', 'FAX', 'F'))}{rng.pick((': ', ':', ' '))}{number}"
        if rng.chance(0.5):
            paper.print_line([*line, "  ", fax], align)
            return
        paper.print_line(line, align)
        paper.print_line(fax, align)
        return
    paper.print_line(line, align)


def address_lines(paper: ReceiptPaper, lines: tuple[str, ...]) -> str:
    """The address as its lines, or run together and broken anew where this till breaks."""
    rng = paper.context.rng
    kind, room = rng.random(), 0.98
    text = "\n".join(lines)
    if kind < 0.25:
        text = ", ".join(line.rstrip(",") for line in lines)
    elif kind < 0.45:
        text, room = " ".join(lines), rng.pick((0.5, 0.65, 0.8))
    elif kind < 0.52:
        return (
            " ".join(lines)
            if paper.text_style.width(" ".join(lines)) < 1.5 * paper.context.inner_width
            else _wrapped(paper, text, room)
        )
    return _wrapped(paper, text, room)


def _wrapped(paper: ReceiptPaper, text: str, share: float) -> str:
    """Lines broken where the paper, or this share of it, ends."""
    lines = []
    for line in text.split("\n"):
        now = ""
        for word in line.split():
            longer = f"{now} {word}".strip()
            if now and paper.text_style.width(longer) > paper.context.inner_width * share:
                lines.append(now)
                now = word
            else:
                now = longer
        lines.append(now)
    return "\n".join(lines)
