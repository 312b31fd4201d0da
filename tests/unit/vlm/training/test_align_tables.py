"""Line items and rows of taxes are found among words: pages are laid out by hand, one list of cells a line."""

from __future__ import annotations

from decimal import Decimal

from docpipe.data import Box, Word
from docpipe.schema_ports import Conventions
from docpipe.vlm.training.data.align_tables import LINE_ITEMS, TAX_BREAKDOWN, TruthTable, align_table, lines_in_order

GERMAN = Conventions(True, ",", "de")
PITCH = 0.02  # from line to line
LETTER = 0.008
X = {"pos": 0.08, "name": 0.14, "count": 0.5, "unit": 0.56, "rate": 0.62, "price": 0.72, "amount": 0.86}
LineTexts = dict[str, str]


def page_of(lines: list[LineTexts]) -> list[Word]:
    """Texts at the columns of X; blanks part words."""
    words = []
    for number, line in enumerate(lines):
        top = 0.1 + number * PITCH
        for column, text in line.items():
            left = X[column]
            for part in text.split():
                box = Box(left, top, left + LETTER * len(part), top + 0.01)
                words.append(Word(part, box, 1.0, "textlayer", number))
                left = box.right + LETTER * 0.8
    return words


def item(name: str, count: str, price: str, amount: str, **more: str) -> dict[str, object]:
    numbers = {"quantity": count, "unit_price": price, "amount": amount}
    return {"description": name, **{column: Decimal(text) for column, text in numbers.items()}, **more}


def printed(table: TruthTable, rows: list[dict[str, object]], *pages: list[LineTexts]) -> dict[str, dict[int, str]]:
    """Column -> row -> the text of its cell, over all pages."""
    words = [page_of(lines) for lines in pages]
    texts: dict[str, dict[int, str]] = {}
    for page, cells in zip(words, align_table(table, rows, words, GERMAN), strict=True):
        for column, cell_spans in cells.items():
            column_texts = {cell.row: " ".join(page[i].text for i in cell.span) for cell in cell_spans}
            texts[column] = texts.get(column, {}) | column_texts
    return texts


TEA = {"name": "Grüner Tee", "count": "2", "unit": "Stk.", "price": "10,00", "amount": "20,00"}
CUP = {"name": "Tasse weiß", "count": "4", "unit": "Stk.", "price": "5,00", "amount": "20,00"}
TWO = [item("Grüner Tee", "2", "10", "20.00", unit="C62"), item("Tasse weiß", "4", "5", "20.00", unit="H87")]


def test_equal_amounts_go_to_the_rows_of_their_names() -> None:
    texts = printed(LINE_ITEMS, TWO, [{"name": "Artikel", "amount": "Betrag"}, TEA, CUP, {"amount": "40,00"}])
    assert texts == {
        "description": {0: "Grüner Tee", 1: "Tasse weiß"}, "quantity": {0: "2", 1: "4"}, "unit": {0: "Stk.", 1: "Stk."},
        "unit_price": {0: "10,00", 1: "5,00"}, "amount": {0: "20,00", 1: "20,00"},
    }  # fmt: skip


def test_one_cell_that_is_not_printed_leaves_its_column_unknown() -> None:
    cup = {column: text for column, text in CUP.items() if column != "price"}
    texts = printed(LINE_ITEMS, TWO, [TEA, cup])
    assert "unit_price" not in texts
    assert texts["amount"] == {0: "20,00", 1: "20,00"}


def test_a_price_and_an_amount_in_one_printed_number_are_both_unknown() -> None:
    rows = [item("Grüner Tee", "1", "10", "10", unit="C62")]
    texts = printed(LINE_ITEMS, rows, [{"name": "Grüner Tee", "count": "1", "unit": "Stk.", "amount": "10,00"}])
    assert texts == {"description": {0: "Grüner Tee"}, "quantity": {0: "1"}, "unit": {0: "Stk."}}


def test_of_equal_price_and_amount_the_left_one_is_the_price() -> None:
    rows = [item("Grüner Tee", "1", "10", "10", unit="C62")]
    texts = printed(LINE_ITEMS, rows, [{"pos": "1", **TEA, "count": "1", "amount": "10,00"}])
    assert texts["unit_price"] == texts["amount"] == {0: "10,00"}
    assert texts["quantity"] == {0: "1"}


def test_the_quantity_is_beside_the_unit_and_not_the_number_of_the_row() -> None:
    rows = [item("Grüner Tee", "1", "20", "20", unit="C62")]
    words = page_of([{"pos": "1", **TEA, "count": "1", "price": "20,00"}])
    (cells,) = align_table(LINE_ITEMS, rows, [words], GERMAN)
    (cell,) = cells["quantity"]
    assert (cell.row, words[cell.span[0]].box.left) == (0, X["count"])


def test_a_name_goes_on_below_and_ends_before_what_is_not_in_the_truth() -> None:
    rows = [item("Grüner Tee aus Japan", "2", "10", "20"), item("Tasse weiß", "4", "5", "20")]
    lines = [TEA, {"name": "aus Japan"}, {"name": "GTIN 4012345001235"}, {**CUP, "name": "Tasse weiß: mit Henkel"}]
    texts = printed(LINE_ITEMS, rows, lines)
    assert texts["description"] == {0: "Grüner Tee aus Japan", 1: "Tasse weiß:"}


def test_rows_go_on_over_the_page() -> None:
    words = [page_of([TEA]), page_of([{"name": "Seite 2"}, CUP])]
    first, second = align_table(LINE_ITEMS, TWO, words, GERMAN)
    assert [cell.row for cell in first["amount"]] == [0]
    assert [cell.row for cell in second["amount"]] == [1]


def test_a_truth_that_is_not_printed_labels_nothing() -> None:
    assert printed(LINE_ITEMS, TWO, [TEA, {"name": "Danke für Ihren Einkauf"}]) == {}


def test_rates_that_no_line_shows_are_known_to_be_absent() -> None:
    rows = [{**row, "tax_rate": Decimal(19)} for row in TWO]
    assert printed(LINE_ITEMS, rows, [TEA, CUP])["tax_rate"] == {}
    assert "tax_rate" not in printed(LINE_ITEMS, rows, [TEA, {**CUP, "rate": "19 %"}])
    shown = printed(LINE_ITEMS, rows, [{**TEA, "rate": "19 %"}, {**CUP, "rate": "19 %"}])
    assert shown["tax_rate"] == {0: "19 %", 1: "19 %"}


def test_taxes_need_their_rate_and_their_amount() -> None:
    rows: list[dict[str, object]] = [
        {"rate": Decimal(7), "net": Decimal("160"), "tax": Decimal("11.20")},
        {"rate": Decimal(19), "net": Decimal("336"), "tax": Decimal("63.84")},
    ]
    lines = [
        {"name": "Steuer 7%", "price": "160,00", "amount": "11,20"},
        {"name": "Steuer 19%", "price": "336,00", "amount": "63,84"},
    ]
    line_item = {"name": "Gestaltung", "rate": "7%", "price": "160,00", "amount": "160,00"}
    texts = printed(TAX_BREAKDOWN, rows, [line_item, *lines])
    assert texts["rate"] == {0: "7%", 1: "19%"}
    assert texts["net"] == {0: "160,00", 1: "336,00"}
    assert texts["tax"] == {0: "11,20", 1: "63,84"}
    assert printed(TAX_BREAKDOWN, rows, [line_item, lines[0]]) == {}


def test_lines_are_chosen_downwards_and_only_when_one_choice_is_best() -> None:
    assert lines_in_order([{3: 2, 5: 4}, {4: 9, 7: 3}]) == [3, 4]
    assert lines_in_order([{3: 2, 5: 2}, {7: 3}]) == []
    assert lines_in_order([{3: 2}, {2: 3}]) == []
    assert lines_in_order([]) == []
