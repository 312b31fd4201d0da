"""Where the rows of a table are printed: truth rows without boxes become spans with row numbers.

In: the words of all pages and the truth rows in their order down the document. Out: for each page and column the spans
of its cells with their rows. A column of which one cell is not found, or could be two, is left unknown: a wrong label
costs more than a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from docpipe.data import Word
from docpipe.schema import load_schema
from docpipe.schema_ports import Conventions, Kind
from docpipe.vlm.training.data.align_labels import exact_spans, match_key
from docpipe.vlm.training.data.examples import Span
from docpipe.vlm.training.data.print_lines import (
    PrintedCell,
    PrintedColumn,
    PrintedLine,
    agreeing_columns,
    has_name_near,
    printed_lines,
)
from docpipe.vlm.training.data.printed_names import find_names

TruthRow = Mapping[str, object]  # column -> Decimal, the article's name, or the code of a unit

MAX_CELL_WORDS = 4  # "1 234,50 €"
NAME_POINTS = 2  # a line beside which the name begins is surely the row's
MIN_POINTS = 3  # that a line needs to be the row's: a name and a number, or three numbers; a tax with its "%" two
NUMBER_KINDS: Mapping[str, Kind] = {
    path.rpartition(".")[2]: load_schema("invoice").spec(path).kind
    for path in (
        "line_items[].quantity", "line_items[].unit_price", "line_items[].tax_rate", "line_items[].amount",
        "tax_breakdown[].rate", "tax_breakdown[].net", "tax_breakdown[].tax",
    )
}  # fmt: skip
RATE_COLUMNS = ("tax_rate", "rate")
_PIECES = "stk stck st stück stueck stücke pc pcs piece pieces pièce pièces pce unit units unité unités ea each einheit"
_UNITS: Mapping[str, str] = {
    "C62": _PIECES, "H87": _PIECES, "PCE": _PIECES, "EA": _PIECES, "NAR": _PIECES, "XPP": _PIECES,
    "LTR": "l ltr liter liters litre litres", "MLT": "ml", "KGM": "kg kilo kilogramm", "GRM": "g gr", "TNE": "t to",
    "MTR": "m lfm mtr meter", "CMT": "cm", "MMT": "mm", "KMT": "km", "MTK": "m² m2 qm", "MTQ": "m³ m3 cbm",
    "HUR": "h std stunde stunden hour hours hr hrs heure heures", "MIN": "min", "KWH": "kwh",
    "DAY": "tag tage day days jour jours", "MON": "monat monate month months mois",
    "ANN": "jahr jahre year years an ans",
    "SET": "set sets", "LS": "psch pauschal pauschale forfait", "XBX": "karton kartons box boxes", "XPK": "pack paket",
}  # fmt: skip
UNITS: Mapping[str, frozenset[str]] = {code: frozenset(printed.split()) for code, printed in _UNITS.items()}
_AMOUNT = re.compile(
    r"\(?[-−–+]?\s*(?:EUR|USD|GBP|CHF)?\s*[^\w\s(]?\s*[-−–+]?[\d.,'’ ]*\d[-−–]?\s*(?:EUR|[€$£%])?\)?[:;]?"
)


@dataclass(frozen=True, slots=True)
class TruthTable:
    """A list of the truth: `name` is the column that holds words, `anchors` are the columns that every row's line
    must print, `left_of` the pairs of columns of which the first stands left of the second."""

    path: str
    name: str | None
    anchors: tuple[str, ...] = ()
    left_of: tuple[tuple[str, str], ...] = ()


LINE_ITEMS = TruthTable("line_items", "description", (), (("unit_price", "amount"), ("quantity", "amount")))
TAX_BREAKDOWN = TruthTable("tax_breakdown", None, ("rate", "tax"), (("rate", "tax"), ("net", "tax")))
TABLES: Mapping[str, TruthTable] = {table.path: table for table in (LINE_ITEMS, TAX_BREAKDOWN)}
LINE_ITEM_COLUMNS = {
    "name": "description", "quantity": "quantity", "unit": "unit", "unit_price": "unit_price", "vat_rate": "tax_rate",
    "line_total": "amount",
}  # fmt: skip
TAX_COLUMNS = {"rate": "rate", "basis": "net", "tax": "tax"}


@dataclass(frozen=True, slots=True)
class CellSpan:
    row: int
    span: Span


CellsOfPage = dict[str, list[CellSpan]]  # by column


@dataclass(frozen=True, slots=True)
class _RowMatch:
    """A line that may print a row: how much speaks for it, and the possible cells of each column."""

    points: int
    cells: dict[str, list[PrintedCell]]


def truth_row(item: Mapping[str, str], columns: Mapping[str, str]) -> TruthRow:
    """A name and a unit's code stay text, the rest are numbers. `columns`: name in the labels -> column."""
    texts = {column: item[label_name] for label_name, column in columns.items() if item.get(label_name)}
    return {column: text if column in ("description", "unit") else Decimal(text) for column, text in texts.items()}


def align_table(
    table: TruthTable, rows: Sequence[TruthRow], pages: Sequence[Sequence[Word]], conventions: Conventions
) -> list[CellsOfPage]:
    """For each page the cells of the columns that are surely known; a column that no row prints has no cells."""
    lines = printed_lines(pages)
    known_rows = [{column: value for column, value in row.items() if value not in (None, "")} for row in rows]
    known_rows = [row for row in known_rows if row]
    matches = [_row_matches(table, row, lines, conventions) for row in known_rows]
    row_lines = lines_in_order([{line: match.points for line, match in of_row.items()} for of_row in matches])
    if not row_lines:
        return [{} for _ in pages]
    cells_of_rows = [matches[row][line].cells for row, line in enumerate(row_lines)]
    columns = agreeing_columns(cells_of_rows, table.left_of)
    if not all(len(columns.get(anchor, ())) == len(known_rows) for anchor in table.anchors):
        return [{} for _ in pages]
    if table.name is not None:
        texts = [str(row.get(table.name, "")) for row in known_rows]
        cells = [[column[row] for column in columns.values()] for row in range(len(known_rows))]
        names = find_names(lines, row_lines, texts, cells)
        columns |= {table.name: names} if names else {}
    absent = _absent_columns(known_rows, lines[row_lines[0] : row_lines[-1] + 2], columns, conventions)
    return _by_page(columns, absent, len(pages))


@dataclass(frozen=True, slots=True)
class _LinePath:
    """Lines chosen for the first rows."""

    points: int
    path_count: int  # choices with as many points that end on the same line
    lines: tuple[int, ...]


def lines_in_order(points_of_rows: Sequence[Mapping[int, int]]) -> list[int]:
    """Of each row: line -> points. Out: one line a row, downwards, with the most points in all; [] where a row has none
    or two choices are as good."""
    paths: dict[int, _LinePath] = {-1: _LinePath(0, 1, ())}  # by their last line
    for points_of_lines in points_of_rows:
        longer: dict[int, _LinePath] = {}
        for line, points in points_of_lines.items():
            best = _best_paths([path for last, path in paths.items() if last < line])
            if best:
                path_count = sum(path.path_count for path in best)
                longer[line] = _LinePath(best[0].points + points, path_count, (*best[0].lines, line))
        paths = longer
    best = _best_paths(list(paths.values())) if points_of_rows else []
    return list(best[0].lines) if sum(path.path_count for path in best) == 1 else []


def _best_paths(paths: Sequence[_LinePath]) -> list[_LinePath]:
    most = max((path.points for path in paths), default=0)
    return [path for path in paths if path.points == most]


def _row_matches(
    table: TruthTable, row: TruthRow, lines: Sequence[PrintedLine], conventions: Conventions
) -> dict[int, _RowMatch]:
    """Of the lines that may print this row."""
    matches = {}
    for number, line in enumerate(lines):
        cells = {column: cells_of(line, column, value, conventions) for column, value in row.items()}
        if not all(cells.get(anchor) for anchor in table.anchors):
            continue
        points = _assignable_columns(cells)
        if table.name is not None and has_name_near(lines, number, str(row.get(table.name, ""))):
            points += NAME_POINTS
        has_percent = any("%" in word.word.text for anchor in table.anchors for cell in cells[anchor] for word in cell)
        if points >= min(MIN_POINTS - has_percent, len(row)) and any(cells.values()):
            matches[number] = _RowMatch(points, cells)
    return matches


def _assignable_columns(cells: Mapping[str, Sequence[PrintedCell]]) -> int:
    """How many columns can have a cell of their own on the line: a largest matching, by augmenting paths."""
    column_of: dict[PrintedCell, str] = {}

    def assign(column: str, visited: set[PrintedCell]) -> bool:
        for cell in cells[column]:
            if cell not in visited:
                visited.add(cell)
                if cell not in column_of or assign(column_of[cell], visited):
                    column_of[cell] = column
                    return True
        return False

    return sum(assign(column, set()) for column in cells)


def cells_of(line: PrintedLine, column: str, value: object, conventions: Conventions) -> list[PrintedCell]:
    """Where this line prints the value of a column; names are looked for by `find_names`."""
    if column == "unit":
        spellings = UNITS.get(str(value), frozenset())
        return [(word,) for word in line if match_key(word.word.text) in spellings]
    kind = NUMBER_KINDS.get(column)
    if kind is None or not isinstance(value, Decimal):
        return []
    words = [replace(word.word, line=0) for word in line]

    def is_equal(text: str) -> bool:
        if not _AMOUNT.fullmatch(text.strip()) or (column not in RATE_COLUMNS and "%" in text):
            return False
        read = kind.parse(text, conventions).value  # a credit note may print its amounts without the sign
        return isinstance(read, Decimal) and abs(read) == abs(value)

    spans = exact_spans(words, is_equal, MAX_CELL_WORDS)
    return [_with_percent(line, span) if column in RATE_COLUMNS else tuple(line[i] for i in span) for span in spans]


def _with_percent(line: PrintedLine, span: Span) -> PrintedCell:
    """`19 %`: the sign belongs to the rate, as in drawn documents."""
    after = span[-1] + 1
    has_percent = after < len(line) and line[after].word.text.startswith("%")
    return tuple(line[i] for i in (*span, after)) if has_percent else tuple(line[i] for i in span)


def _absent_columns(
    rows: Sequence[TruthRow],
    lines: Sequence[PrintedLine],
    columns: Mapping[str, PrintedColumn],
    conventions: Conventions,
) -> list[str]:
    """Rates and units that are surely not printed, because no line of the table shows one. OCR may have lost them, so
    only text layers are sure. Prices and amounts may be printed otherwise (gross, before discount): never sure."""
    if any(word.word.source != "textlayer" for line in lines for word in line):
        return []
    cell_words = {word.key for column in columns.values() for cell in column for word in cell}
    other_words = [tuple(word for word in line if word.key not in cell_words) for line in lines]
    absent = []
    if "tax_rate" not in columns and all("tax_rate" in row for row in rows):
        rates = {row["tax_rate"] for row in rows}
        if not any(cells_of(line, "tax_rate", rate, conventions) for line in other_words for rate in rates):
            absent.append("tax_rate")
    if "unit" not in columns and all("unit" in row for row in rows):
        texts = {match_key(word.word.text) for line in other_words for word in line}
        if not any(texts & spellings for spellings in UNITS.values()):
            absent.append("unit")
    return absent


def _by_page(columns: Mapping[str, PrintedColumn], absent: Sequence[str], page_count: int) -> list[CellsOfPage]:
    pages: list[CellsOfPage] = [{column: [] for column in (*columns, *absent)} for _ in range(page_count)]
    for column, cells in columns.items():
        for row, cell in enumerate(cells):
            span = tuple(sorted(word.index for word in cell))
            pages[cell[0].page][column].append(CellSpan(row, span))
    return pages


def without_line_items(labels: dict[str, list[Span]], cells: Mapping[str, list[Span]]) -> dict[str, list[Span]]:
    """The same number in a line item is not the document's total, where the total is printed elsewhere too."""
    line_items = {span for path, spans in cells.items() if path.startswith("line_items") for span in spans}
    others = {path: [span for span in spans if span not in line_items] for path, spans in labels.items()}
    return {path: others[path] or spans for path, spans in labels.items()}
