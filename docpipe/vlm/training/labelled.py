"""Real documents with truth become examples: the truth as text is found among the words that were read.

In: the labels of `shared/data` and the pages as the pipeline reads them. Out: one `Example` per page. A value that is
not found on any page is left unknown, never absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Box, Page, Word
from docpipe.protocols import Conventions, Kind
from docpipe.schema import load_schema
from docpipe.vlm.encode import CANVAS_HEIGHT, CANVAS_WIDTH, canvas
from docpipe.vlm.training.drawn import PICTURE_SIDE, kind_by_name
from docpipe.vlm.training.examples import Example, Span
from docpipe.vlm.training.match import exact_spans, likely_spans, plain
from docpipe.vlm.training.split import Part, part_of

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
    known = {path for found in labels for path in found}
    for page, found in zip(kept, labels, strict=True):
        complete = {path: found.get(path, []) for path in known}
        assert page.image is not None  # noqa: S101 - filtered above
        example = _example(labelled, page.words, page.height / page.width, complete)
        yield example, canvas(page.image.open(max_side=PICTURE_SIDE))


def _example(labelled: Labelled, words: tuple[Word, ...], aspect: float, labels: dict[str, list[Span]]) -> Example:
    kinds = {path: kind_by_name(path) for path in labels}
    return Example(labelled.origin, labelled.group, labelled.schema, aspect, words, labels, labelled.prompts, kinds)


def _found(labelled: Labelled, words: Sequence[Word]) -> dict[str, list[Span]]:
    """Template path -> spans, for the values that are found on these words."""
    lines: dict[int, list[str]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.text)
    schema = load_schema("invoice" if labelled.schema != "receipt" else "receipt")
    conventions = schema.conventions([" ".join(line) for line in lines.values()])
    if labelled.day_first is not None:
        conventions = Conventions(labelled.day_first, conventions.decimal_mark, conventions.language)
    spans = {path: spans_of(words, value, path, conventions) for path, value in labelled.values.items()}
    return {path: found for path, found in spans.items() if found}


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


def _einvoices(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "einvoices" / "labels.jsonl"):
        if not row["trainable"] or row["layout"] != "invoice":
            continue
        visible = row["visible_in_text_layer"]
        values = {
            ours: _typed(ours, row["fields"][theirs])
            for theirs, ours in INVOICE_NAMES.items()
            if row["fields"].get(theirs) and visible.get(theirs, True)
        }
        part = _folder(part_of(row["family"], row["file"]))
        path = data / "einvoices" / row["file"]
        yield Labelled("einvoices", row["family"], part, "invoice", {k: v for k, v in values.items() if v}, path)


def _ad_orders(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "adbuy" / "labels.jsonl"):
        values = {AD_ORDER_NAMES[k]: v for k, v in row["fields"].items() if k in AD_ORDER_NAMES and v}
        part = _folder(part_of(plain(str(values.get("advertiser", row["file"]))), row["file"]))
        path = data / "adbuy" / row["file"]
        yield Labelled("ad_orders", row["file"], part, "ad_order", values, path, day_first=False)


LABELLED: Mapping[str, Callable[[Path], Iterator[Labelled]]] = {
    "receipts": _receipts, "transcripts": _transcripts, "einvoices": _einvoices, "ad_orders": _ad_orders,
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
    return tuple(words)
