"""Number, date, time, cashier of a receipt, among numbers that only look like dates.

In: a roll and a till. Out: lines on the roll, or kept in `Roll.late` where the house prints them last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from docpipe.samples.canvas.canvas import Piece, Value
from docpipe.samples.content.locale_style import say_date
from docpipe.samples.content.receipt_data import Till
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.receipt.receipt_paper import Roll

LATE_SHARE = 0.18
NAMED_MONTH_SHARE = 0.25
NAMED_MONTH = (
    *("{mon}{dd}'{yy}", "{mon}{dd}'{yy}", "{dd}{mon}'{yy}", "{MON} {dd},{yyyy}", "{MON} {dd}, {yyyy}", "{dd}{MON}{yy}"),
    *("{dd}-{MON}-{yyyy}", "{dd} {mon} {yyyy}", "{dd} {mon} {yy}", "{mon}. {d}, {yyyy}", "{mon} {d}, {yyyy}"),
    *("{month} {d}, {yyyy}", "{dd}/{mon}/{yyyy}", "{dd}-{mon}-{yy}", "{dd} {MON} {yyyy}", "{mon} {dd} {yyyy}"),
)
LOOK_ALIKES = (
    *("%", "%#", "%###", "12/%", "%/1", "0%/%#/%", "#%-%##", "20%#0%%#-##", "1%.0%.%#", "%#0%1%", "%-%#-%###", "#####"),
    *("%#/%####", "?0%", "0%", "20%#%####/#", "%#:%#", "000%/###/##"),
)
Line = list[Piece]


def draw_meta(roll: Roll, till: Till) -> None:
    """One fact per line, in pairs, or run together."""
    sheet, dice = roll.sheet, roll.sheet.dice
    colon = dice.pick((": ", " : ", " ", ":", ": ", " # "))
    lines = _dated(roll, till, colon.replace(" # ", ": "))
    if dice.chance(0.75):
        lines.append([roll.say(sheet.word("r_no")), colon, till.number])
    if dice.chance(0.6):
        lines.append([roll.say(sheet.word("r_cashier")), colon, till.staff])
    if dice.chance(0.3):
        lines.append([roll.say(sheet.word("r_table")), colon, dice.pattern(dice.pick(("%", "%#", "0%", "?%")))])
    for _ in range(dice.pick((0, 0, 0, 1, 1, 2, 3))):
        number = dice.pattern(dice.pick(LOOK_ALIKES))
        lines.append(
            [roll.say(sheet.word("r_shift")), dice.pick((colon, " ")), number] if dice.chance(0.8) else [number]
        )
    if dice.chance(0.1):
        lines.append(_other_date(roll, till, colon))
    dice.shuffle(lines)
    roll.late = lines if dice.chance(LATE_SHARE) else []
    if not roll.late:
        meta_lines(roll, lines)
        roll.rule()


def _dated(roll: Roll, till: Till, colon: str) -> list[Line]:
    """The date with or without its label, the time beside it, glued to it, or on a line of its own."""
    sheet, dice = roll.sheet, roll.sheet.dice
    day, clock = _day(roll, till), _clock(dice, till)
    dated: Line = [day]
    if dice.chance(0.5):
        dated = [roll.say(sheet.word("r_date")).rstrip(": "), colon, day]
    if dice.chance(0.07):
        dated.insert(-1, words(sheet.manner.language)["r_days"][till.day.weekday()] + dice.pick((" ", ", ", ". ")))
    lines = [dated]
    kind = dice.random()
    if kind < 0.48:
        dated += [dice.pick((" ", "  ", "   ", " - ", "", ", ", "/")), clock]
    elif kind < 0.54:
        dated[-1:] = [clock, dice.pick((" ", "  ", "   ")), day]
    elif kind < 0.8:
        label = [roll.say(sheet.word("r_time")).rstrip(": "), colon] if dice.chance(0.6) else []
        lines.append([*label, clock])
    return lines


def _day(roll: Roll, till: Till) -> Value:
    manner, dice = roll.sheet.manner, roll.sheet.dice
    pattern = dice.pick(NAMED_MONTH) if dice.chance(NAMED_MONTH_SHARE) else manner.date_pattern
    text = say_date(till.day, pattern, manner.language).replace("..", ".").replace(".'", "'").replace(".-", "-")
    if dice.chance(0.06) and "/" in text:
        text = text.replace("/", dice.pick((" / ", "-", ".")))
    return Value(text, ("date",), till.day.isoformat())


def _other_date(roll: Roll, till: Till, colon: str) -> Line:
    """A second date: the same day printed again, or one before or after it that is not the purchase."""
    sheet, dice = roll.sheet, roll.sheet.dice
    if dice.chance(0.6):
        day = _day(roll, till)
        said: Piece = day
        if dice.chance(0.4):
            said = sheet.manner.date(till.day + timedelta(days=dice.pick((-1, 1, 1, 2))))
        return [roll.say(sheet.word("r_other_date")), colon, said]
    later = till.day + timedelta(days=dice.pick((7, 14, 30, 90, 365)))
    return [roll.say(sheet.word("r_later_date")), colon, sheet.manner.date(later)]


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
            f"{hour % 12 or 12:02d}:{rest}{'AM' if hour < 12 else 'PM'}",
            f"{hour % 12 or 12}:{rest}{'am' if hour < 12 else 'pm'}",
            f"{hour:02d}.{rest}",
        )
    )
    seconds = till.clock.second if text.count(":") == 2 else 0
    return Value(text, ("time",), f"{hour:02d}:{rest}" + (f":{seconds:02d}" if seconds else ""))


def meta_lines(roll: Roll, lines: Sequence[Line]) -> None:
    """Lines one below the other; some houses pair them, some run two or three together."""
    dice, rest = roll.sheet.dice, list(lines)
    paired, run = dice.chance(0.35), dice.chance(0.3)
    while rest:
        line = list(rest.pop(0))
        while run and rest and dice.chance(0.6) and len(line) < 9:
            line += [dice.pick(("  ", " ", "   ")), *rest.pop(0)]
        if paired and rest and dice.chance(0.6):
            roll.pair(line, rest.pop(0))
        else:
            roll.line(line, dice.pick(("left",) * 8 + ("centre",)))
