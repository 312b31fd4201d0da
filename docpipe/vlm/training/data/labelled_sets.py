"""The sets of labelled documents that may be trained on, as shared/data/README.md describes them.

In: the folder of the sets and the name of one. Out: `TrainingDocument`s with their values by our paths.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from docpipe.data import Box, Word
from docpipe.read.split_words import split_words
from docpipe.samples.content.field_descriptions import field_descriptions
from docpipe.samples.seeded_random import SeededRandom
from docpipe.vlm.training.data.align_labels import match_key
from docpipe.vlm.training.data.align_tables import LINE_ITEM_COLUMNS, TAX_COLUMNS, truth_row
from docpipe.vlm.training.data.from_samples import group_by_name
from docpipe.vlm.training.data.labelled import TrainingDocument
from docpipe.vlm.training.data.split import part_of

# name in the labels -> our path
RECEIPT_PATHS = {"company": "merchant_name", "date": "date", "address": "merchant_address", "total": "total"}
INVOICE_PATHS = {
    "invoice_number": "invoice_number", "issue_date": "issue_date", "due_date": "due_date",
    "order_number": "purchase_order", "buyer_reference": "buyer_reference", "seller_name": "seller_name",
    "seller_vat_id": "seller_vat_id",
    "buyer_name": "buyer_name", "buyer_vat_id": "buyer_vat_id", "iban": "iban", "net_total": "net_total",
    "tax_total": "tax_total", "gross_total": "gross_total", "prepaid": "prepaid_amount", "due_amount": "amount_due",
    "seller_address": "seller_address", "buyer_address": "buyer_address",
}  # fmt: skip
REGISTRATION_PATHS = ("form_type", "registrant_name", "signer_first", "signer_last", "file_date")
AD_ORDER_PATHS = ("contract_num", "advertiser", "gross_amount", "flight_from", "flight_to")
MAX_PLACES = 4  # of a value on a page: an issue date in every row is the date of the deliveries


@dataclass(frozen=True, slots=True)
class TranscribedLine:
    text: str
    box: Box


def load_labelled(data: Path, name: str) -> list[TrainingDocument]:
    """The documents of one set."""
    return list(LABELLED_SETS[name](data))


def _receipts(data: Path) -> Iterator[TrainingDocument]:
    for name in ("labels.jsonl", "labels_extra.jsonl"):
        for label in _json_lines(data / "receipts" / name):
            path = data / "receipts" / label["file"]
            yield _receipt(label, label["file"], path=path, origin="receipts")


def _transcripts(data: Path) -> Iterator[TrainingDocument]:
    """SROIE receipts of which only the lines are known. They are used for training alone."""
    for label in _json_lines(data / "receipts" / "labels_text_only.jsonl"):
        width, height = label["width"], label["height"]
        lines = [
            TranscribedLine(w["text"], Box(*(v / s for v, s in zip(w["box"], (width, height) * 2, strict=True))))
            for w in label["words"]
        ]
        words = words_of_lines(lines)
        document = _receipt(label, label["id"], words=words, aspect=height / width, origin="transcripts")
        if document.part == "train":
            yield document


def _receipt(label: dict[str, Any], name: str, **source: Any) -> TrainingDocument:
    seller = match_key(label["fields"].get("company", name))
    values = {RECEIPT_PATHS[k]: v for k, v in label["fields"].items() if k in RECEIPT_PATHS and v}
    return TrainingDocument(
        group=seller, part=part_of(seller, name), schema="receipt", values=values, day_first=True, **source
    )


def _einvoices(
    data: Path, layout: str = "invoice", origin: str = "einvoices", *, from_picture: bool = False
) -> Iterator[TrainingDocument]:
    for label in _json_lines(data / "einvoices" / "labels.jsonl"):
        if not label["trainable"] or label["layout"] != layout:
            continue
        fields, visible = label["fields"], label["visible_in_text_layer"]
        values = {
            path: _typed(path, fields[label_name])
            for label_name, path in INVOICE_PATHS.items()
            if fields.get(label_name) and visible.get(label_name, True)
        }
        tables = {
            "line_items": [truth_row(item, LINE_ITEM_COLUMNS) for item in fields.get("line_items", ())],
            "tax_breakdown": [truth_row(item, TAX_COLUMNS) for item in fields.get("vat_breakdown", ())],
        }
        yield TrainingDocument(
            origin=origin,
            group=label["family"],
            part=part_of(label["family"], label["file"]),
            schema="invoice",
            values={path: value for path, value in values.items() if value},
            path=data / "einvoices" / label["file"],
            tables=tables,
            from_picture=from_picture,
            max_places=MAX_PLACES,
        )


def _ad_orders(data: Path, *, from_picture: bool = False) -> Iterator[TrainingDocument]:
    for label in _json_lines(data / "adbuy" / "labels.jsonl"):
        if from_picture and (label["full_page_image"] or not label["text_layer"]):
            continue  # a scan: read from its picture anyway
        values = {k: v for k, v in label["fields"].items() if k in AD_ORDER_PATHS and v}
        yield TrainingDocument(
            origin="ad_orders",
            group=label["file"],
            part=part_of(match_key(str(values.get("advertiser", label["file"]))), label["file"]),
            schema="ad_order",
            values=values,
            path=data / "adbuy" / label["file"],
            day_first=False,
            from_picture=from_picture,
        )


def _register_forms(data: Path) -> Iterator[TrainingDocument]:
    for label in _json_lines(data / "register_forms" / "labels.jsonl"):
        values = {k: _typed(k, v) for k, v in label["fields"].items() if k in REGISTRATION_PATHS and v}
        registrant = match_key(str(values.get("registrant_name", label["file"])))
        prompts = field_descriptions(SeededRandom(zlib.crc32(label["file"].encode())), "registration")
        yield TrainingDocument(
            origin="register_forms",
            group=registrant,
            part=part_of(registrant, label["file"]),
            schema="registration",
            values=values,
            path=data / "register_forms" / label["file"],
            day_first=False,
            prompts={path: prompts[path] for path in values},
            max_places=MAX_PLACES,
        )


LABELLED_SETS: Mapping[str, Callable[[Path], Iterator[TrainingDocument]]] = {
    "receipts": _receipts,
    "transcripts": _transcripts,
    "einvoices": _einvoices,
    "ad_orders": _ad_orders,
    "einvoices_pictures": partial(_einvoices, from_picture=True),
    "ad_orders_pictures": partial(_ad_orders, from_picture=True),
    "einvoices_sheets": partial(_einvoices, layout="xml_visualisation", origin="einvoice_sheets"),
    "register_forms": _register_forms,
}


def _typed(path: str, value: Any) -> object:
    """XML truth: ISO dates and decimal strings become values; an address becomes one line."""
    group = group_by_name(path)
    if isinstance(value, dict):
        return " ".join(str(value[k]) for k in ("line1", "postcode", "city") if value.get(k))
    if group == "date":
        return date.fromisoformat(value)
    if group == "number":
        return Decimal(value) or None
    return value


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def words_of_lines(lines: Sequence[TranscribedLine]) -> tuple[Word, ...]:
    """Transcribed lines with boxes (fractions of the page) become words; a line's width is shared by its letters."""
    words = []
    for number, line in enumerate(lines):
        left, width = line.box.left, (line.box.right - line.box.left) / max(1, len(line.text))
        for match in re.finditer(r"\S+", line.text):
            box = Box(left + match.start() * width, line.box.top, left + match.end() * width, line.box.bottom)
            words.append(Word(match.group(), box, 1.0, "textlayer", number))
    return split_words(words)
