"""Cells of a workbook: values as Excel keeps them, formats, colours and links.

In: values. Out: what openpyxl writes. Text from a document is never a formula.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from docpipe.export.flat import Mark

MAX_TEXT = 32_767  # characters of a cell
EXACT_DIGITS = 15  # Excel calculates with doubles; longer numbers stay text
FIRST_YEAR = 1900
DATE, DATE_TIME, TIME = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss"

AMBER, RED, GREEN = (PatternFill("solid", start_color=colour) for colour in ("FFEB9C", "FFC7CE", "C6EFCE"))
FILLS: Mapping[Mark, PatternFill | None] = {"accepted": None, "to_check": AMBER, "unparsed": RED, "missing": RED}
STATUS_FILLS: Mapping[str, PatternFill] = {"complete": GREEN, "needs_review": AMBER, "failed": RED}
STATUS_TEXTS: Mapping[str, str] = {"complete": "complete", "needs_review": "to review", "failed": "failed"}
HEADING_FILL = PatternFill("solid", start_color="1F3A5F")
FONT_NAME = "Calibri"
HEADING_FONT = Font(FONT_NAME, 11, bold=True, color="FFFFFF")
LINK_FONT = Font(FONT_NAME, 11, color="0563C1", underline="single")
TOP = Alignment(vertical="top")
WRAPPED = Alignment(vertical="top", wrap_text=True)
EDGE = Border(bottom=Side("hair", color="C9CED6"))


class ExcelValue(NamedTuple):
    """`number_format` None: as it is."""

    content: Any
    number_format: str | None = None


def excel_value(value: object) -> ExcelValue:
    """The value as Excel keeps it. What Excel cannot keep exactly becomes text."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Decimal) and value.is_finite() and len(value.as_tuple().digits) <= EXACT_DIGITS:
        decimals = max(0, -int(value.as_tuple().exponent))
        return ExcelValue(value, "#,##0." + "0" * decimals if decimals else "#,##0")
    if value is None or (isinstance(value, int | float) and math.isfinite(value) and abs(value) < 10**EXACT_DIGITS):
        return ExcelValue(value)
    if isinstance(value, datetime) and value.year >= FIRST_YEAR:
        return ExcelValue(value.replace(tzinfo=None), DATE_TIME)
    if isinstance(value, date) and not isinstance(value, datetime) and value.year >= FIRST_YEAR:
        return ExcelValue(value, DATE)
    if isinstance(value, time):
        return ExcelValue(value.replace(tzinfo=None), TIME)
    text = ILLEGAL_CHARACTERS_RE.sub("", str(value)).encode("utf-8", "replace").decode()
    return ExcelValue(text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…")


def cell(sheet: Any, value: object, *, fill: PatternFill | None = None, wrap: bool = False) -> Any:
    content, number_format = excel_value(value)
    made = WriteOnlyCell(sheet, value=content)
    if isinstance(content, str):
        made.data_type = "s"  # never a formula, never an error value, whatever it looks like
    elif number_format is not None:
        made.number_format = number_format
    made.alignment = WRAPPED if wrap else TOP
    made.border = EDGE
    if fill is not None:
        made.fill = fill
    return made


def heading(sheet: Any, text: str) -> Any:
    made = cell(sheet, text, fill=HEADING_FILL, wrap=True)
    made.font = HEADING_FONT
    return made


def link(sheet: Any, text: str, target: str) -> Any:
    """A text that opens a file: a path, absolute or from the workbook's folder."""
    made = cell(sheet, text)
    made.hyperlink = target
    made.value, made.data_type = excel_value(text).content, "s"  # openpyxl puts the target there
    made.font = LINK_FONT
    return made
