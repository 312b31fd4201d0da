"""Number, date, time, cashier of a receipt, among numbers that only look like dates.

In: a roll and a till. Out: lines on the roll, or kept in `Roll.late` where the house prints them last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from docpipe.samples.canvas.canvas import FieldText, TextRun
from docpipe.samples.content.locale_style import format_date
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper

DEFERRED_SHARE = 0.18
MONTH_NAME_SHARE = 0.25
MONTH_NAME_PATTERNS = (
    *("{mon}{dd}'{yy}", "{mon}{dd}'{yy}", "{dd}{mon}'{yy}", "{MON} {dd},{yyyy}", "{MON} {dd}, {yyyy}", "{dd}{MON}{yy}"),
    *("{dd}-{MON}-{yyyy}", "{dd} {mon} {yyyy}", "{dd} {mon} {yy}", "{mon}. {d}, {yyyy}", "{mon} {d}, {yyyy}"),
    *("{month} {d}, {yyyy}", "{dd}/{mon}/{yyyy}", "{dd}-{mon}-{yy}", "{dd} {MON} {yyyy}", "{mon} {dd} {yyyy}"),
)
DATE_LOOKALIKES = (
    *("%", "%#", "%###", "12/%", "%/1", "0%/%#/%", "#%-%##", "20%#0%%#-##", "1%.0%.%#", "%#0%1%", "%-%#-%###", "#####"),
    *("%#/%####", "?0%", "0%", "20%#%####/#", "%#:%#", "000%/###/##"),
)
TextLine = list[TextRun]


def print_metadata(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """One fact per line, in pairs, or run together."""
    context, rng = paper.context, paper.context.rng
    colon = rng.pick((": ", " : ", " ", ":", ": ", " # "))
    lines = _date_and_time_lines(paper, receipt, colon.replace(" # ", ": "))
    if rng.chance(0.75):
        lines.append([paper.in_case(context.label("r_no")), colon, receipt.number])
    if rng.chance(0.6):
        lines.append([paper.in_case(context.label("r_cashier")), colon, receipt.cashier])
    if rng.chance(0.3):
        lines.append(
            [paper.in_case(context.label("r_table")), colon, rng.from_pattern(rng.pick(("%", "%#", "0%", "?%")))]
        )
    for _ in range(rng.pick((0, 0, 0, 1, 1, 2, 3))):
        number = rng.from_pattern(rng.pick(DATE_LOOKALIKES))
        lines.append(
            [paper.in_case(context.label("r_shift")), rng.pick((colon, " ")), number] if rng.chance(0.8) else [number]
        )
    if rng.chance(0.1):
        lines.append(_distractor_date(paper, receipt, colon))
    rng.shuffle(lines)
    paper.deferred_lines = lines if rng.chance(DEFERRED_SHARE) else []
    if not paper.deferred_lines:
        print_metadata_lines(paper, lines)
        paper.print_separator()


def _date_and_time_lines(paper: ReceiptPaper, receipt: ReceiptData, colon: str) -> list[TextLine]:
    """The date with or without its label, the time beside it, glued to it, or on a line of its own."""
    context, rng = paper.context, paper.context.rng
    day, clock = _date_field(paper, receipt), _time_field(rng, receipt)
    dated: TextLine = [day]
    if rng.chance(0.5):
        dated = [paper.in_case(context.label("r_date")).rstrip(": "), colon, day]
    if rng.chance(0.07):
        dated.insert(
            -1,
            word_lists(context.locale.language)["r_days"][receipt.purchase_date.weekday()]
            + rng.pick((" ", ", ", ". ")),
        )
    lines = [dated]
    kind = rng.random()
    if kind < 0.48:
        dated += [rng.pick((" ", "  ", "   ", " - ", "", ", ", "/")), clock]
    elif kind < 0.54:
        dated[-1:] = [clock, rng.pick((" ", "  ", "   ")), day]
    elif kind < 0.8:
        label = [paper.in_case(context.label("r_time")).rstrip(": "), colon] if rng.chance(0.6) else []
        lines.append([*label, clock])
    return lines


def _date_field(paper: ReceiptPaper, receipt: ReceiptData) -> FieldText:
    locale, rng = paper.context.locale, paper.context.rng
    pattern = rng.pick(MONTH_NAME_PATTERNS) if rng.chance(MONTH_NAME_SHARE) else locale.date_pattern
    text = (
        format_date(receipt.purchase_date, pattern, locale.language)
        .replace("..", ".")
        .replace(".'", "'")
        .replace(".-", "-")
    )
    if rng.chance(0.06) and "/" in text:
        text = text.replace("/", rng.pick((" / ", "-", ".")))
    return FieldText(text, ("date",), receipt.purchase_date.isoformat())


def _distractor_date(paper: ReceiptPaper, receipt: ReceiptData, colon: str) -> TextLine:
    """A second date: the same day printed again, or one before or after it that is not the purchase."""
    context, rng = paper.context, paper.context.rng
    if rng.chance(0.6):
        day = _date_field(paper, receipt)
        answer: TextRun = day
        if rng.chance(0.4):
            answer = context.locale.format_date(receipt.purchase_date + timedelta(days=rng.pick((-1, 1, 1, 2))))
        return [paper.in_case(context.label("r_other_date")), colon, answer]
    later = receipt.purchase_date + timedelta(days=rng.pick((7, 14, 30, 90, 365)))
    return [paper.in_case(context.label("r_later_date")), colon, context.locale.format_date(later)]


def _time_field(rng: SeededRandom, receipt: ReceiptData) -> FieldText:
    hour, rest = receipt.purchase_time.hour, f"{receipt.purchase_time.minute:02d}"
    text = rng.pick(
        (
            f"{hour:02d}:{rest}",
            f"{hour:02d}:{rest}:{receipt.purchase_time.second:02d}",
            f"{hour % 12 or 12}:{rest} {'AM' if hour < 12 else 'PM'}",
            f"{hour % 12 or 12:02d}:{rest}:{receipt.purchase_time.second:02d} {'am' if hour < 12 else 'pm'}",
            f"{hour:02d}:{rest}",
            f"{hour}:{rest}",
            f"{hour % 12 or 12:02d}:{rest}{'AM' if hour < 12 else 'PM'}",
            f"{hour % 12 or 12}:{rest}{'am' if hour < 12 else 'pm'}",
            f"{hour:02d}.{rest}",
        )
    )
    seconds = receipt.purchase_time.second if text.count(":") == 2 else 0
    return FieldText(text, ("time",), f"{hour:02d}:{rest}" + (f":{seconds:02d}" if seconds else ""))


def print_metadata_lines(paper: ReceiptPaper, lines: Sequence[TextLine]) -> None:
    """Lines one below the other; some houses pair them, some run two or three together."""
    rng, rest = paper.context.rng, list(lines)
    paired, run = rng.chance(0.35), rng.chance(0.3)
    while rest:
        line = list(rest.pop(0))
        while run and rest and rng.chance(0.6) and len(line) < 9:
            line += [rng.pick(("  ", " ", "   ")), *rest.pop(0)]
        if paired and rest and rng.chance(0.6):
            paper.print_label_and_value(line, rest.pop(0))
        else:
            paper.print_line(line, rng.pick(("left",) * 8 + ("centre",)))
