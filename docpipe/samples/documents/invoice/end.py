"""What follows the line items of an invoice: totals, tax breakdown, terms, account, greetings.

In: a `Plan` and the y where the items end. Out: all of it drawn, on further pages where there is no room.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import value
from docpipe.samples.content.vocabulary import fill
from docpipe.samples.content.words import words
from docpipe.samples.documents.invoice.body import Plan, finish_page
from docpipe.samples.documents.invoice.tax_breakdown import draw_breakdown
from docpipe.samples.documents.invoice.totals import draw_bank, draw_totals


def draw_end(plan: Plan, y: float) -> None:
    """Totals, breakdown, terms, bank, greetings."""
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    line = sheet.look.line
    if y + line * 9 > plan.bottom:
        y = _turn_page(plan)
    wanted = bill.taxed and dice.chance(0.55 if len(bill.groups) > 1 else 0.22)
    first = wanted and dice.chance(0.2)
    if first:
        y = _draw_breakdown(plan, y, sheet.inner)
        if y + line * 9 > plan.bottom:
            y = _turn_page(plan)
    top = y
    y, left = draw_totals(sheet, bill, y + line * 0.5 * dice.random(), plan.table)
    if wanted and not first:
        room = left - sheet.margin
        if room > sheet.inner * 0.38 and y - top > line * (3 + len(bill.groups)) and dice.chance(0.4):
            y = max(y, _draw_breakdown(plan, top + line, room))
        else:
            y = _draw_breakdown(plan, _turn_page(plan) if dice.chance(0.05) else y, sheet.inner)
    _draw_parts(plan, y + line * 1.5)


def _turn_page(plan: Plan) -> float:
    finish_page(plan)
    return plan.sheet.margin + plan.sheet.look.line


def _draw_breakdown(plan: Plan, y: float, width: float) -> float:
    line = plan.sheet.look.line
    if y + line * (5 + 2.5 * len(plan.bill.groups)) > plan.bottom and width >= plan.sheet.inner:
        y = _turn_page(plan)
    return draw_breakdown(plan.sheet, plan.bill, y + line * 0.7, width)


def _draw_parts(plan: Plan, y: float) -> None:
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    parts = []
    if dice.chance(0.7):
        parts.append("terms")
    if not (plan.footer and plan.bank_in_footer and plan.footer_columns > 0) and dice.chance(0.7):
        parts.append("bank")
    parts += dice.some(("closing", "legal", "legal", "thanks"), dice.pick((0, 1, 2, 3)))
    if not bill.taxed:
        parts.append("reverse")
    dice.shuffle(parts)
    for part in parts:
        if y + sheet.look.line * 5 > plan.bottom:
            y = _turn_page(plan)
        y = _draw_part(plan, part, y) + sheet.look.line * 0.8


def _draw_part(plan: Plan, part: str, y: float) -> float:
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    if part == "bank":
        return draw_bank(sheet, bill, y)
    if part == "terms":
        label = f"{sheet.word('terms_label')}{dice.pick((': ', ' ', ': '))}" if dice.chance(0.6) else ""
        return sheet.pen.paragraph(
            (sheet.margin, y), sheet.inner, [label, value("payment_terms", bill.terms)], sheet.look.text
        )
    language = sheet.manner.language
    key = "closing" if part == "thanks" else part
    text = fill(
        dice,
        dice.pick(words(language)[key]),
        language,
        bill.issued,
        person=bill.seller.person,
        phone=bill.seller.phone,
        city=bill.seller.city,
    )
    return sheet.pen.paragraph((sheet.margin, y), sheet.inner, text, dice.pick((sheet.look.text, sheet.look.small)))
