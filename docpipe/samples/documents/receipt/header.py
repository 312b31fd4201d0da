"""The head of a receipt: what stands above the name, the name, registration, address, telephone.

In: the paper and the receipt's data. Out: lines on the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.text_style import TextStyle
from docpipe.samples.content.merchants import legal_form_start
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichTextRun, field_text

NAME_SCALES = (1.0, 1.0, 1.15, 1.4, 1.8, 2.3)  # of the text's size
TITLE_SCALES = NAME_SCALES[:4]
REGISTRATION_LABELS = (
    *("", "", "Co. Reg. No: ", "Co Reg No : ", "ROC ", "ROC NO. : ", "Company No: ", "Reg No. ", "Co.No."),
)
ADDRESS_SHARE = 0.98  # of the width, that a line of the address may fill


def print_header(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Logo or large name, registration, address, phone, tax number, title: as much of it as this merchant prints."""
    context, rng = paper.context, paper.context.rng
    align: Align = "centre" if rng.chance(0.75) else "left"
    if rng.chance(0.15):
        context.draw_logo(context.canvas.width / 2 - 18 if align == "centre" else context.margin, paper.y, 36)
        paper.y += 40
    if rng.chance(0.14):
        _print_slogan(paper, receipt, "r_above", align)
    _print_names(paper, receipt, align)
    if rng.chance(0.1):
        _print_slogan(paper, receipt, "r_slogan", align)
    _print_contact(paper, receipt, align)
    if rng.chance(0.15):
        paper.print_line(receipt.merchant.website, align)
    if rng.chance(0.5):
        paper.skip_lines(rng.pick((0.2, 0.6, 1.0)))
        title, title_align = context.label("r_title"), rng.pick(("centre", "centre", align))
        paper.print_line(title, title_align, context.typography.bold.scaled(rng.pick(TITLE_SCALES)))
    if rng.chance(0.7):
        paper.print_separator()


def _print_slogan(paper: ReceiptPaper, receipt: ReceiptData, key: str, align: Align) -> None:
    """A welcome, a mall, a slogan: no part of the name."""
    context, rng = paper.context, paper.context.rng
    values = {
        "noun": rng.pick(context.words("nouns")),
        "shop": rng.pick(context.words("shops")).lower(),
        "food": rng.pick(context.words("foods")),
        "n": rng.from_pattern("%##"),
        "year": str(receipt.purchase_date.year - int(40 * rng.random())),
    }
    text = rng.pick(context.words(key)).format(**values)
    paper.print_line(paper.in_case(text), align, context.typography.bold if rng.chance(0.3) else None)


def _print_names(paper: ReceiptPaper, receipt: ReceiptData, align: Align) -> None:
    """Brand and company; where both are printed the company is the merchant."""
    context, rng, merchant = paper.context, paper.context.rng, receipt.merchant
    large = context.typography.bold.scaled(rng.pick(NAME_SCALES))
    if merchant.legal_name is None:
        _print_merchant_name(paper, receipt, align, large)
    elif rng.chance(0.85):
        paper.print_line(merchant.brand, align, large)
        _print_merchant_name(paper, receipt, align, paper.text_style)
    else:
        _print_merchant_name(paper, receipt, align, large)
        paper.print_line(merchant.brand, align)


def _print_merchant_name(paper: ReceiptPaper, receipt: ReceiptData, align: Align, style: TextStyle) -> None:
    """The name on one line or two, its registration behind it or below it."""
    rng, country, inner_width = paper.context.rng, paper.context.locale.country, paper.context.inner_width
    name, registration = receipt.merchant.name, ""
    if rng.chance(0.45):
        registration = _format_registration(rng, country, receipt.merchant.registration_number)
    words = name.split()
    form_start = legal_form_start(name, country)
    too_wide = style.width(name) > inner_width and len(words) > 1
    if too_wide or (form_start > 1 and rng.chance(0.1)):
        half = (len(words) + 1) // 2
        on_two_lines = " ".join(words[:half]) + "\n" + " ".join(words[half:])
        if form_start > 1 and rng.chance(0.6):
            on_two_lines = name[:form_start].rstrip() + "\n" + name[form_start:]
        paper.print_lines(FieldText(on_two_lines, ("merchant_name",), name), align, style)
    elif registration and rng.chance(0.35) and style.width(name + registration) < inner_width * 1.25:
        paper.print_line([field_text("merchant_name", name), " ", registration], align, style)
        registration = ""
    else:
        paper.print_line(field_text("merchant_name", name), align, style)
    paper.y += max(0.0, style.size - paper.text_style.size) * 0.25  # what is printed large reaches further down
    if registration:
        paper.print_line(registration, align)


def _format_registration(rng: SeededRandom, country: str, number: str) -> str:
    """`(123456-X)`, `Co. Reg. No: 123456-X`."""
    if country in ("MY", "SG", "GB", "AU", "IE"):
        label = rng.pick(REGISTRATION_LABELS)
        return f"{label}{number}" if label or number.startswith("(") or rng.chance(0.3) else f"({number})"
    return number


def _print_contact(paper: ReceiptPaper, receipt: ReceiptData, align: Align) -> None:
    """Address, telephone and tax number, mostly in this order."""
    rng, merchant = paper.context.rng, receipt.merchant
    tax_number = f"{merchant.tax_label}{rng.pick((' : ', ': ', ' ', ' No: ', ':'))}{merchant.tax_number}"
    with_tax_number, tax_number_first = rng.chance(0.55), rng.chance(0.15)
    if with_tax_number and tax_number_first:
        paper.print_line(tax_number, align)
    if rng.chance(0.93):
        lines = _address_text(paper, merchant.address)
        paper.print_lines(FieldText(lines, ("merchant_address",), " ".join(lines.split())), align)
    if rng.chance(0.7):
        _print_phone(paper, receipt, align)
    if with_tax_number and not tax_number_first:
        paper.print_line(tax_number, align)


def _print_phone(paper: ReceiptPaper, receipt: ReceiptData, align: Align) -> None:
    """The telephone, now and then with a fax number beside or below it."""
    context, rng = paper.context, paper.context.rng
    label = context.label("phone") if context.locale.language != "id" else rng.pick(("Telp.", "Tlp", "HP", "WA"))
    separator = rng.pick((" ", ": ", ":", " : ", "-"))
    line: list[RichTextRun] = [label, separator, field_text("merchant_phone", receipt.merchant.phone)]
    if not rng.chance(0.25):
        paper.print_line(line, align)
        return
    number = rng.from_pattern(rng.pick(word_lists(context.locale.country)["phone"]))
    fax = f"{rng.pick(('Fax', 'FAX', 'F'))}{rng.pick((': ', ':', ' '))}{number}"
    if rng.chance(0.5):
        paper.print_line([*line, "  ", fax], align)
    else:
        paper.print_line(line, align)
        paper.print_line(fax, align)


def _address_text(paper: ReceiptPaper, lines: Sequence[str]) -> str:
    """The address as its lines, or joined and broken anew where the receipt's printer breaks."""
    rng, style, inner_width = paper.context.rng, paper.text_style, paper.context.inner_width
    form, share, text = rng.random(), ADDRESS_SHARE, "\n".join(lines)
    if form < 0.25:
        text = ", ".join(line.rstrip(",") for line in lines)
    elif form < 0.45:
        text, share = " ".join(lines), rng.pick((0.5, 0.65, 0.8))
    elif form < 0.52:
        on_one_line = " ".join(lines)
        if style.width(on_one_line) < 1.5 * inner_width:
            return on_one_line
    return "\n".join(style.wrapped(text, inner_width * share))
