"""Number, date, time, cashier of a receipt, among numbers that only look like dates.

In: the paper and the receipt's data. Out: lines on the paper, or kept in `ReceiptPaper.deferred_lines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from docpipe.samples.content.locale_style import date_text
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichTextRun

DEFERRED_SHARE = 0.18  # of the receipts print these lines last
MONTH_NAME_SHARE = 0.25  # of the dates
MONTH_NAME_PATTERNS = (
    *("{mon}{dd}'{yy}", "{mon}{dd}'{yy}", "{dd}{mon}'{yy}", "{MON} {dd},{yyyy}", "{MON} {dd}, {yyyy}", "{dd}{MON}{yy}"),
    *("{dd}-{MON}-{yyyy}", "{dd} {mon} {yyyy}", "{dd} {mon} {yy}", "{mon}. {d}, {yyyy}", "{mon} {d}, {yyyy}"),
    *("{month} {d}, {yyyy}", "{dd}/{mon}/{yyyy}", "{dd}-{mon}-{yy}", "{dd} {MON} {yyyy}", "{mon} {dd} {yyyy}"),
)
DATE_LOOKALIKES = (
    *("%", "%#", "%###", "12/%", "%/1", "0%/%#/%", "#%-%##", "20%#0%%#-##", "1%.0%.%#", "%#0%1%", "%-%#-%###", "#####"),
    *("%#/%####", "?0%", "0%", "20%#%####/#", "%#:%#", "000%/###/##"),
)
TABLE_NUMBER_PATTERNS = ("%", "%#", "0%", "?%")
MAX_JOINED_RUNS = 9  # a line with as many is not joined with the next


def print_metadata(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """One fact per line, in pairs, or run together."""
    rng = paper.context.rng
    colon = rng.pick((": ", " : ", " ", ":", ": ", " # "))
    lines = _date_and_time_lines(paper, receipt, colon.replace(" # ", ": "))
    if rng.chance(0.75):
        lines.append([_label(paper, "r_no"), colon, receipt.number])
    if rng.chance(0.6):
        lines.append([_label(paper, "r_cashier"), colon, receipt.cashier])
    if rng.chance(0.3):
        lines.append([_label(paper, "r_table"), colon, rng.from_pattern(rng.pick(TABLE_NUMBER_PATTERNS))])
    for _ in range(rng.pick((0, 0, 0, 1, 1, 2, 3))):
        number = rng.from_pattern(rng.pick(DATE_LOOKALIKES))
        with_label = rng.chance(0.8)
        lines.append([_label(paper, "r_shift"), rng.pick((colon, " ")), number] if with_label else [number])
    if rng.chance(0.1):
        lines.append(_distractor_date(paper, receipt, colon))
    rng.shuffle(lines)
    paper.deferred_lines = lines if rng.chance(DEFERRED_SHARE) else []
    if not paper.deferred_lines:
        print_metadata_lines(paper, lines)
        paper.print_separator()


def _label(paper: ReceiptPaper, key: str) -> str:
    return paper.in_case(paper.context.label(key))


def _date_and_time_lines(paper: ReceiptPaper, receipt: ReceiptData, colon: str) -> list[list[RichTextRun]]:
    """The date with or without its label, the time beside it, joined to it, or on a line of its own."""
    context, rng = paper.context, paper.context.rng
    day, time = _date_field(paper, receipt), _time_field(rng, receipt)
    date_line: list[RichTextRun] = [day]
    if rng.chance(0.5):
        date_line = [_label(paper, "r_date").rstrip(": "), colon, day]
    if rng.chance(0.07):
        weekday = context.words("r_days")[receipt.purchase_date.weekday()]
        date_line.insert(-1, weekday + rng.pick((" ", ", ", ". ")))
    lines = [date_line]
    form = rng.random()
    if form < 0.48:
        date_line += [rng.pick((" ", "  ", "   ", " - ", "", ", ", "/")), time]
    elif form < 0.54:
        date_line[-1:] = [time, rng.pick((" ", "  ", "   ")), day]
    elif form < 0.8:
        label = [_label(paper, "r_time").rstrip(": "), colon] if rng.chance(0.6) else []
        lines.append([*label, time])
    return lines


def _date_field(paper: ReceiptPaper, receipt: ReceiptData) -> FieldText:
    locale, rng, day = paper.context.locale, paper.context.rng, receipt.purchase_date
    pattern = rng.pick(MONTH_NAME_PATTERNS) if rng.chance(MONTH_NAME_SHARE) else locale.date_pattern
    text = date_text(day, pattern, locale.language)
    text = text.replace("..", ".").replace(".'", "'").replace(".-", "-")  # names of months may end with a point
    if rng.chance(0.06) and "/" in text:
        text = text.replace("/", rng.pick((" / ", "-", ".")))
    return FieldText(text, ("date",), day.isoformat())


def _distractor_date(paper: ReceiptPaper, receipt: ReceiptData, colon: str) -> list[RichTextRun]:
    """A second date: the same day printed again, or one before or after it that is not the purchase."""
    context, rng = paper.context, paper.context.rng
    if rng.chance(0.6):
        printed: RichTextRun = _date_field(paper, receipt)
        if rng.chance(0.4):
            printed = context.locale.format_date(receipt.purchase_date + timedelta(days=rng.pick((-1, 1, 1, 2))))
        return [_label(paper, "r_other_date"), colon, printed]
    later = receipt.purchase_date + timedelta(days=rng.pick((7, 14, 30, 90, 365)))
    return [_label(paper, "r_later_date"), colon, context.locale.format_date(later)]


def _time_field(rng: SeededRandom, receipt: ReceiptData) -> FieldText:
    hour, minute, second = receipt.purchase_time.hour, receipt.purchase_time.minute, receipt.purchase_time.second
    hour_of_12, half = hour % 12 or 12, "AM" if hour < 12 else "PM"
    text = rng.pick(
        (
            f"{hour:02d}:{minute:02d}",
            f"{hour:02d}:{minute:02d}:{second:02d}",
            f"{hour_of_12}:{minute:02d} {half}",
            f"{hour_of_12:02d}:{minute:02d}:{second:02d} {half.lower()}",
            f"{hour:02d}:{minute:02d}",
            f"{hour}:{minute:02d}",
            f"{hour_of_12:02d}:{minute:02d}{half}",
            f"{hour_of_12}:{minute:02d}{half.lower()}",
            f"{hour:02d}.{minute:02d}",
        )
    )
    printed_second = second if text.count(":") == 2 else 0
    normalised = f"{hour:02d}:{minute:02d}" + (f":{printed_second:02d}" if printed_second else "")
    return FieldText(text, ("time",), normalised)


def print_metadata_lines(paper: ReceiptPaper, lines: Sequence[list[RichTextRun]]) -> None:
    """Lines one below the other; some receipts pair them, some join two or three."""
    rng, rest = paper.context.rng, list(lines)
    paired, joined = rng.chance(0.35), rng.chance(0.3)
    while rest:
        line = list(rest.pop(0))
        while joined and rest and rng.chance(0.6) and len(line) < MAX_JOINED_RUNS:
            line += [rng.pick(("  ", " ", "   ")), *rest.pop(0)]
        if paired and rest and rng.chance(0.6):
            paper.print_label_and_value(line, rest.pop(0))
        else:
            paper.print_line(line, rng.pick(("left",) * 8 + ("centre",)))
