"""A field's path is cut and put together in one place."""

from __future__ import annotations

import pickle

import pytest

from docpipe.paths import FieldPath, words_of

PATHS = [
    # path, list, row number, leaf, row, template, steps
    ("gross_total", None, None, "gross_total", "", "gross_total", ("gross_total",)),
    ("seller.name", None, None, "seller.name", "", "seller.name", ("seller", "name")),
    ("items[12].amount", "items", 12, "amount", "items[12]", "items[].amount", ("items", 12, "amount")),
    ("items[0].price.net", "items", 0, "price.net", "items[0]", "items[].price.net", ("items", 0, "price", "net")),
    ("a.b[1].c", "a.b", 1, "c", "a.b[1]", "a.b[].c", ("a", "b", 1, "c")),
    ("items[].amount", "items", None, "amount", "", "items[].amount", ("items", "amount")),
    ("items[3]", "items", 3, "", "items[3]", "items[]", ("items", 3)),
    ("a.tags[]", "a.tags", None, "", "", "a.tags[]", ("a", "tags")),
]


@pytest.mark.parametrize(("text", "list_path", "number", "leaf", "row", "template", "steps"), PATHS)
def test_a_path_is_taken_apart_and_put_together(text, list_path, number, leaf, row, template, steps):
    path = FieldPath.parse(text)
    assert path == FieldPath(list_path, number, leaf)
    assert str(path) == text
    assert (path.row, path.template, path.steps) == (row, template, steps)
    assert path.is_cell == ("[" in text)
    assert path.is_column == ("[]" in text)
    assert pickle.loads(pickle.dumps(path)) == path


@pytest.mark.parametrize("text", [path[0] for path in PATHS if "[]" not in path[0]])
def test_steps_make_the_same_path(text):
    assert str(FieldPath.of_steps(FieldPath.parse(text).steps)) == text


def test_a_cell_moves_to_another_row_and_a_single_field_stays():
    assert str(FieldPath.parse("items[2].price.net").renumbered(7)) == "items[7].price.net"
    assert str(FieldPath.parse("items[].amount").renumbered(0)) == "items[0].amount"
    assert str(FieldPath.parse("items[5].amount").renumbered(None)) == "items[].amount"
    assert str(FieldPath.parse("gross_total").renumbered(7)) == "gross_total"


@pytest.mark.parametrize("text", ["", "a[x].b", "a[1", "a]1[", "[3].a", "a[1][2].b", "a[-1].b", "a[1]b"])
def test_what_is_no_path_is_a_field_that_no_schema_has(text):
    path = FieldPath.parse(text)
    assert (path.is_cell, str(path), path.template) == (False, text, text)


def test_a_column_of_plain_values_has_a_heading():
    assert [FieldPath.parse(path).column for path in ("items[].price.net", "tags[2]", "tags[]")] == [
        "price.net",
        "value",
        "value",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("due_date", "due date"), ("dueDate", "due date"), ("DueDate", "due date"), ("sellerVATId", "seller VAT id"),
        ("IBAN", "IBAN"), ("IBANs", "IBANs"), ("totalEUR", "total EUR"), ("Rechnungsnummer", "Rechnungsnummer"),
        ("fälligAm", "fällig am"), ("gross_totalEUR", "gross total EUR"), ("line2", "line2"), ("a", "a"), ("", ""),
    ],
)  # fmt: skip
def test_a_name_becomes_words(name, words):
    assert words_of(name) == words
