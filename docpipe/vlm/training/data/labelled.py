"""Real documents with truth become examples: the truth as text is found among the words that were read.

In: the labels of `shared/data` and the pages as the pipeline reads them. Out: one `Example` per page. A value that is
not found on any page is left unknown, never absent.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Box, Page, Word
from docpipe.read.split_words import unglued
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.dice import SeededRandom
from docpipe.schema import load_schema
from docpipe.schema_ports import Conventions, Kind
from docpipe.vlm.encode import CANVAS_HEIGHT, CANVAS_WIDTH, canvas
from docpipe.vlm.training.data.align_labels import exact_spans, flights, likely_spans, plain
from docpipe.vlm.training.data.align_tables import (
    GOODS_NAMES,
    TABLES,
    TAX_NAMES,
    Row,
    table_cells,
    truth_row,
    without_goods,
)
from docpipe.vlm.training.data.examples import Example, Span
from docpipe.vlm.training.data.from_samples import PICTURE_SIDE, kind_by_name
from docpipe.vlm.training.data.split import Part, part_of

LONGEST_TYPED = 4  # words of a date or an amount: "13. November 2017", "RM 1 234,50"
RECEIPT_NAMES = {"company": "merchant_name", "date": "date", "address": "merchant_address", "total": "total"}
INVOICE_NAMES = {
    "invoice_number": "invoice_number", "issue_date": "issue_date", "due_date": "due_date",
    "order_number": "purchase_order", "buyer_reference": "buyer_reference", "seller_name": "seller_name",
    "seller_vat_id": "seller_vat_id",
    "buyer_name": "buyer_name", "buyer_vat_id": "buyer_vat_id", "iban": "iban", "net_total": "net_total",
    "tax_total": "tax_total", "gross_total": "gross_total", "prepaid": "prepaid_amount", "due_amount": "amount_due",
    "seller_address": "seller_address", "buyer_address": "buyer_address",
}  # fmt: skip
REGISTRATION_NAMES = ("form_type", "registrant_name", "signer_first", "signer_last", "file_date")
MOST_PLACES = 4  # of a value on a page: an issue date in every row is the date of the deliveries
SIGNER = ("signer_first", "signer_last")
TITLE_SHARE = 0.8  # of the largest print's height
MIDDLE_NAMES = 2  # words between a first and a last name
AD_ORDER_NAMES = {n: n for n in ("contract_num", "advertiser", "gross_amount", "flight_from", "flight_to")}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A real document: its file (or its transcribed words), and its values by our paths, as printed or typed."""

    origin: str
    group: str
    part: str  # the folder it goes to: train, aside_seller, aside_document
    schema: str
    values: Mapping[str, object]
    path: Path | None = None
    words: tuple[Word, ...] = ()
    aspect: float = 1.0
    day_first: bool | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)  # list path -> rows, down the document
    most_places: int | None = None  # a value printed more often on a page is also something else there: left unknown
    pixels: bool = False  # to be read from a picture of the pages, without their text layer


def load_labelled(data: Path, what: str) -> list[Labelled]:
    """The documents of one set that may be trained on."""
    return list(LABELLED[what](data))


def labelled_examples(labelled: Labelled, pages: Sequence[Page]) -> Iterator[tuple[Example, NDArray[np.float32]]]:
    if labelled.path is None:
        white = np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32)
        yield _example(labelled, labelled.words, labelled.aspect, _found(labelled, labelled.words)), white
        return
    kept = [page for page in pages if page.image is not None and page.words]
    labels = [_found(labelled, page.words) for page in kept]
    if labelled.origin == "ad_orders":
        labels = flights(labels, [page.words for page in kept])
    known = {path for found in labels for path in found}
    for page, found, (cells, rows) in zip(kept, labels, _tables(labelled, kept), strict=True):
        complete = without_goods({path: found.get(path, []) for path in known}, cells)
        if labelled.most_places is not None:
            complete = {path: spans for path, spans in complete.items() if len(spans) <= labelled.most_places}
        assert page.image is not None  # noqa: S101 - filtered above
        example = _example(labelled, page.words, page.height / page.width, complete | cells)
        yield replace(example, rows=rows), canvas(page.image.open(max_side=PICTURE_SIDE))


def _example(labelled: Labelled, words: tuple[Word, ...], aspect: float, labels: dict[str, list[Span]]) -> Example:
    kinds = {path: kind_by_name(path) for path in labels}
    return Example(labelled.origin, labelled.group, labelled.schema, aspect, words, labels, labelled.prompts, kinds)


def _tables(
    labelled: Labelled, pages: Sequence[Page]
) -> list[tuple[dict[str, list[Span]], dict[str, tuple[int, ...]]]]:
    """For each page: template path -> spans of the cells that are known, and template path -> their rows."""
    made: list[tuple[dict[str, list[Span]], dict[str, tuple[int, ...]]]] = [({}, {}) for _ in pages]
    conventions = _conventions(labelled, [page.words for page in pages])
    for name, truth in labelled.tables.items():
        found = table_cells(TABLES[name], truth, [page.words for page in pages], conventions)
        for (spans, rows), columns in zip(made, found, strict=True):
            for column, cells in columns.items():
                spans[f"{name}[].{column}"] = [span for _, span in cells]
                rows[f"{name}[].{column}"] = tuple(row for row, _ in cells)
    return made


def _conventions(labelled: Labelled, pages: Sequence[Sequence[Word]]) -> Conventions:
    lines: dict[tuple[int, int], list[str]] = {}
    for number, words in enumerate(pages):
        for word in words:
            lines.setdefault((number, word.line), []).append(word.text)
    schema = load_schema("invoice" if labelled.schema != "receipt" else "receipt")
    conventions = schema.conventions([" ".join(line) for line in lines.values()])
    if labelled.day_first is None:
        return conventions
    return Conventions(labelled.day_first, conventions.decimal_mark, conventions.language)


def _found(labelled: Labelled, words: Sequence[Word]) -> dict[str, list[Span]]:
    """Template path -> spans, for the values that are found on these words."""
    conventions = _conventions(labelled, [words])
    spans = {path: spans_of(words, value, path, conventions) for path, value in labelled.values.items()}
    if set(SIGNER) & set(spans):
        spans |= dict(zip(SIGNER, _full_names(words, *(spans.get(path, []) for path in SIGNER)), strict=True))
    if "form_type" in spans:
        spans["form_type"] = _titles(words, spans["form_type"])
    return {path: found for path, found in spans.items() if found}


def _titles(words: Sequence[Word], spans: Sequence[Span]) -> list[Span]:
    """Of all places that name the type of a form those that are its title: with a capital, and the largest."""
    capital = [span for span in spans if words[span[0]].text[:1].isupper()]
    heights = [max(words[i].box.bottom - words[i].box.top for i in span) for span in capital]
    return [span for span, height in zip(capital, heights, strict=True) if height >= TITLE_SHARE * max(heights)]


def _full_names(words: Sequence[Word], first: Sequence[Span], last: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """First and last names that stand together: alone, either may be anybody's."""
    pairs = [
        (a, b)
        for a in first
        for b in last
        if 0 < b[0] - a[-1] <= 1 + MIDDLE_NAMES and words[a[-1]].line == words[b[0]].line
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]


def spans_of(words: Sequence[Word], value: object, path: str, conventions: Conventions) -> list[Span]:
    """Every place that prints the value. Dates and amounts are compared as values, names by likeness."""
    group, kind = kind_by_name(path), _KINDS.get(kind_by_name(path))
    if kind is None:
        if group == "identifier":
            return exact_spans(words, lambda text: plain(text) == plain(str(value)), LONGEST_TYPED)
        return likely_spans(words, str(value))
    wanted = kind.parse(value, conventions).value if isinstance(value, str) else value
    if wanted is None:
        return []

    def same(text: str) -> bool:
        return _could_be(text, group) and kind.parse(text, conventions).value == wanted

    found = exact_spans(words, same, LONGEST_TYPED)
    if not found and isinstance(value, str):
        found = exact_spans(words, lambda text: plain(value) in plain(text), 1)
    return found


def _could_be(text: str, group: str) -> bool:
    """Cheap test before parsing: digits for numbers, digits and not too long for dates."""
    digits = sum(c.isdigit() for c in text)
    if group == "number":
        return digits >= 1 and len(re.sub(r"[^A-Za-z]", "", text)) <= 4
    return digits >= 2 and len(text) <= 24


def _receipts(data: Path) -> Iterator[Labelled]:
    for name in ("labels.jsonl", "labels_extra.jsonl"):
        for row in _rows(data / "receipts" / name):
            yield _receipt(row, row["file"], path=data / "receipts" / row["file"], origin="receipts")


def _transcripts(data: Path) -> Iterator[Labelled]:
    """SROIE receipts of which only the lines are known. They are used for training alone."""
    for row in _rows(data / "receipts" / "labels_text_only.jsonl"):
        width, height = row["width"], row["height"]
        lines = [
            (w["text"], tuple(v / s for v, s in zip(w["box"], (width, height) * 2, strict=True))) for w in row["words"]
        ]
        labelled = _receipt(row, row["id"], words=words_of_lines(lines), aspect=height / width, origin="transcripts")
        if labelled.part == "train":
            yield labelled


def _receipt(row: dict[str, Any], name: str, **where: Any) -> Labelled:
    group = plain(row["fields"].get("company", name))
    values = {RECEIPT_NAMES[k]: v for k, v in row["fields"].items() if k in RECEIPT_NAMES and v}
    return Labelled(
        group=group, part=_folder(part_of(group, name)), schema="receipt", values=values, day_first=True, **where
    )


def _einvoices(
    data: Path, layout: str = "invoice", origin: str = "einvoices", *, pixels: bool = False
) -> Iterator[Labelled]:
    for row in _rows(data / "einvoices" / "labels.jsonl"):
        if not row["trainable"] or row["layout"] != layout:
            continue
        fields, visible = row["fields"], row["visible_in_text_layer"]
        values = {
            ours: _typed(ours, fields[theirs])
            for theirs, ours in INVOICE_NAMES.items()
            if fields.get(theirs) and visible.get(theirs, True)
        }
        part = _folder(part_of(row["family"], row["file"]))
        tables = {
            "line_items": [truth_row(item, GOODS_NAMES) for item in fields.get("line_items", ())],
            "tax_breakdown": [truth_row(item, TAX_NAMES) for item in fields.get("vat_breakdown", ())],
        }
        known = {path: value for path, value in values.items() if value}
        path = data / "einvoices" / row["file"]
        yield Labelled(
            origin, row["family"], part, "invoice", known, path, tables=tables, pixels=pixels, most_places=MOST_PLACES
        )


def _ad_orders(data: Path, *, pixels: bool = False) -> Iterator[Labelled]:
    for row in _rows(data / "adbuy" / "labels.jsonl"):
        if pixels and (row["full_page_image"] or not row["text_layer"]):
            continue  # a scan: read from its pixels anyway
        values = {AD_ORDER_NAMES[k]: v for k, v in row["fields"].items() if k in AD_ORDER_NAMES and v}
        part = _folder(part_of(plain(str(values.get("advertiser", row["file"]))), row["file"]))
        path = data / "adbuy" / row["file"]
        yield Labelled("ad_orders", row["file"], part, "ad_order", values, path, day_first=False, pixels=pixels)


def _register_forms(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "register_forms" / "labels.jsonl"):
        values = {k: _typed(k, v) for k, v in row["fields"].items() if k in REGISTRATION_NAMES and v}
        group = plain(str(values.get("registrant_name", row["file"])))
        part = _folder(part_of(group, row["file"]))
        asked = field_descriptions(SeededRandom(zlib.crc32(row["file"].encode())), "registration")
        prompts = {path: asked[path] for path in values}
        path = data / "register_forms" / row["file"]
        yield Labelled(
            "register_forms", group, part, "registration", values, path, day_first=False, prompts=prompts,
            most_places=MOST_PLACES,
        )  # fmt: skip


LABELLED: Mapping[str, Callable[[Path], Iterator[Labelled]]] = {
    "receipts": _receipts, "transcripts": _transcripts, "einvoices": _einvoices, "ad_orders": _ad_orders,
    "einvoices_pictures": partial(_einvoices, pixels=True), "ad_orders_pictures": partial(_ad_orders, pixels=True),
    "einvoices_sheets": partial(_einvoices, layout="xml_visualisation", origin="einvoice_sheets"),
    "register_forms": _register_forms,
}  # fmt: skip
_KINDS: Mapping[str, Kind] = {
    "date": load_schema("receipt").spec("date").kind, "number": load_schema("receipt").spec("total").kind,
}  # fmt: skip


def _typed(path: str, value: Any) -> object:
    """XML truth: ISO dates and decimal strings become values; an address becomes one line."""
    group = kind_by_name(path)
    if isinstance(value, dict):
        return " ".join(str(value[k]) for k in ("line1", "postcode", "city") if value.get(k))
    if group == "date":
        return date.fromisoformat(value)
    if group == "number":
        return Decimal(value) or None
    return value


def _folder(part: Part) -> str:
    return part if part == "train" else f"aside_{part}"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def words_of_lines(lines: Sequence[tuple[str, tuple[float, float, float, float]]]) -> tuple[Word, ...]:
    """Transcribed lines with boxes (fractions of the page) become words; a line's width is shared by its letters."""
    words = []
    for number, (text, (left, top, right, bottom)) in enumerate(lines):
        width = (right - left) / max(1, len(text))
        for found in re.finditer(r"\S+", text):
            box = Box(left + found.start() * width, top, left + found.end() * width, bottom)
            words.append(Word(found.group(), box, 1.0, "textlayer", number))
    return unglued(words)
