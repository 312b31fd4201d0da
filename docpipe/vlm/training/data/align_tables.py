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
from docpipe.vlm.training.data.align_labels import exact_spans, plain
from docpipe.vlm.training.data.examples import Span
from docpipe.vlm.training.data.print_lines import Cell, Line, agreeing_columns, find_titles, lines_of, title_near

Row = Mapping[str, object]  # column -> Decimal, the article's name, or the code of a unit
Cells = dict[str, list[tuple[int, Span]]]  # column -> row number and span of each cell on one page

LONGEST_CELL = 4  # words: "1 234,50 €"
NAME_WEIGHT = 2  # a line beside which the name begins is surely the row's
FEWEST = 3  # points that a line needs to be the row's: a name and a number, or three numbers; a tax with its "%" two
NUMBERS: Mapping[str, Kind] = {
    path.rpartition(".")[2]: load_schema("invoice").spec(path).kind
    for path in (
        "line_items[].quantity", "line_items[].unit_price", "line_items[].tax_rate", "line_items[].amount",
        "tax_breakdown[].rate", "tax_breakdown[].net", "tax_breakdown[].tax",
    )
}  # fmt: skip
RATES = ("tax_rate", "rate")
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
class Table:
    """A list of the truth: `name` is the column that holds words, `anchors` are the columns that every row's line
    must print, `leftwards` the pairs of columns of which the first stands left of the second."""

    path: str
    name: str | None
    anchors: tuple[str, ...] = ()
    leftwards: tuple[tuple[str, str], ...] = ()


LINE_ITEMS = Table("line_items", "description", (), (("unit_price", "amount"), ("quantity", "amount")))
TAX_BREAKDOWN = Table("tax_breakdown", None, ("rate", "tax"), (("rate", "tax"), ("net", "tax")))
TABLES: Mapping[str, Table] = {table.path: table for table in (LINE_ITEMS, TAX_BREAKDOWN)}
GOODS_NAMES = {
    "name": "description", "quantity": "quantity", "unit": "unit", "unit_price": "unit_price", "vat_rate": "tax_rate",
    "line_total": "amount",
}  # fmt: skip
TAX_NAMES = {"rate": "rate", "basis": "net", "tax": "tax"}


def truth_row(item: Mapping[str, str], names: Mapping[str, str]) -> Row:
    """A name and a unit's code stay text, the rest are numbers."""
    said = {ours: item[theirs] for theirs, ours in names.items() if item.get(theirs)}
    return {path: text if path in ("description", "unit") else Decimal(text) for path, text in said.items()}


def table_cells(
    table: Table, rows: Sequence[Row], pages: Sequence[Sequence[Word]], conventions: Conventions
) -> list[Cells]:
    """For each page the cells of the columns that are surely known; a column that no row prints has no cells."""
    lines = lines_of(pages)
    kept = [{column: value for column, value in row.items() if value not in (None, "")} for row in rows]
    kept = [row for row in kept if row]
    scored = [_scored_lines(table, row, lines, conventions) for row in kept]
    chosen = lines_in_order([{at: points for at, (points, _) in found.items()} for found in scored])
    if not chosen:
        return [{} for _ in pages]
    found = [dict(scored[row][at][1]) for row, at in enumerate(chosen)]
    columns = agreeing_columns(found, table.leftwards)
    if not all(len(columns.get(anchor, ())) == len(kept) for anchor in table.anchors):
        return [{} for _ in pages]
    if table.name is not None:
        names = [str(row.get(table.name, "")) for row in kept]
        taken = [[cells[row] for cells in columns.values()] for row in range(len(kept))]
        titles = find_titles(lines, chosen, names, taken)
        columns |= {table.name: titles} if titles else {}
    absent = _absent_columns(kept, lines[chosen[0] : chosen[-1] + 2], columns, conventions)
    return _by_page(columns, absent, len(pages))


def lines_in_order(scored: Sequence[Mapping[int, int]]) -> list[int]:
    """One line a row, downwards, with the most points in all; [] where a row has none or two choices are as good."""
    best: dict[int, tuple[int, int, list[int]]] = {-1: (0, 1, [])}  # last line -> points, number of ways, the lines
    for options in scored:
        reached: dict[int, tuple[int, int, list[int]]] = {}
        for at, points in options.items():
            before = [state for last, state in best.items() if last < at]
            if before:
                most = max(state[0] for state in before)
                equal = [state for state in before if state[0] == most]
                reached[at] = (most + points, sum(state[1] for state in equal), [*equal[0][2], at])
        best = reached
    if not best or not scored:
        return []
    most = max(state[0] for state in best.values())
    winners = [state for state in best.values() if state[0] == most]
    return winners[0][2] if sum(state[1] for state in winners) == 1 else []


def _scored_lines(
    table: Table, row: Row, lines: Sequence[Line], conventions: Conventions
) -> dict[int, tuple[int, dict[str, list[Cell]]]]:
    """Line -> points and candidates of each column, for the lines that may print this row."""
    found = {}
    for at, line in enumerate(lines):
        cells = {column: cells_of(line, column, value, conventions) for column, value in row.items()}
        if not all(cells.get(anchor) for anchor in table.anchors):
            continue
        points = _different(cells)
        if table.name is not None and title_near(lines, at, str(row.get(table.name, ""))):
            points += NAME_WEIGHT
        signed = any("%" in place.word.text for anchor in table.anchors for cell in cells[anchor] for place in cell)
        if points >= min(FEWEST - signed, len(row)) and any(cells.values()):
            found[at] = (points, cells)
    return found


def _different(cells: Mapping[str, Sequence[Cell]]) -> int:
    """How many columns can have a cell of their own on the line."""
    owners: dict[Cell, str] = {}

    def settle(column: str, seen: set[Cell]) -> bool:
        for cell in cells[column]:
            if cell not in seen:
                seen.add(cell)
                if cell not in owners or settle(owners[cell], seen):
                    owners[cell] = column
                    return True
        return False

    return sum(settle(column, set()) for column in cells)


def cells_of(line: Line, column: str, value: object, conventions: Conventions) -> list[Cell]:
    """Where this line prints the value of a column; names are looked for by `find_titles`."""
    if column == "unit":
        forms = UNITS.get(str(value), frozenset())
        return [(place,) for place in line if plain(place.word.text) in forms]
    kind = NUMBERS.get(column)
    if kind is None or not isinstance(value, Decimal):
        return []
    words = [replace(place.word, line=0) for place in line]

    def same(text: str) -> bool:
        if not _AMOUNT.fullmatch(text.strip()) or (column not in RATES and "%" in text):
            return False
        read = kind.parse(text, conventions).value  # a credit note may print its amounts without the sign
        return isinstance(read, Decimal) and abs(read) == abs(value)

    spans = exact_spans(words, same, LONGEST_CELL)
    return [_with_percent(line, span) if column in RATES else tuple(line[i] for i in span) for span in spans]


def _with_percent(line: Line, span: Span) -> Cell:
    """`19 %`: the sign belongs to the rate, as in drawn documents."""
    after = span[-1] + 1
    signed = after < len(line) and line[after].word.text.startswith("%")
    return tuple(line[i] for i in (*span, after)) if signed else tuple(line[i] for i in span)


def _absent_columns(
    rows: Sequence[Row], lines: Sequence[Line], columns: Mapping[str, Sequence[Cell]], conventions: Conventions
) -> list[str]:
    """Rates and units that are surely not printed, because no line of the table shows one. OCR may have lost them, so
    only text layers are sure. Prices and amounts may be printed otherwise (gross, before discount): never sure."""
    if any(place.word.source != "textlayer" for line in lines for place in line):
        return []
    taken = {place.key for cells in columns.values() for cell in cells for place in cell}
    free = [tuple(place for place in line if place.key not in taken) for line in lines]
    absent = []
    if "tax_rate" not in columns and all("tax_rate" in row for row in rows):
        rates = {row["tax_rate"] for row in rows}
        if not any(cells_of(line, "tax_rate", rate, conventions) for line in free for rate in rates):
            absent.append("tax_rate")
    if "unit" not in columns and all("unit" in row for row in rows):
        words = {plain(place.word.text) for line in free for place in line}
        if not any(words & forms for forms in UNITS.values()):
            absent.append("unit")
    return absent


def _by_page(columns: Mapping[str, Sequence[Cell]], absent: Sequence[str], pages: int) -> list[Cells]:
    made: list[Cells] = [{column: [] for column in (*columns, *absent)} for _ in range(pages)]
    for column, cells in columns.items():
        for row, cell in enumerate(cells):
            made[cell[0].page][column].append((row, tuple(sorted(place.index for place in cell))))
    return made


def without_goods(labels: dict[str, list[Span]], cells: Mapping[str, list[Span]]) -> dict[str, list[Span]]:
    """The same number in a row of goods is not the document's total, where the total is printed elsewhere too."""
    goods = {span for path, spans in cells.items() if path.startswith("line_items") for span in spans}
    kept = {path: [span for span in spans if span not in goods] for path, spans in labels.items()}
    return {path: kept[path] or spans for path, spans in labels.items()}
