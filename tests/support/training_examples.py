"""Small examples for training: receipts of four lines."""

from __future__ import annotations

from docpipe.data import Box, Word
from docpipe.vlm.training.data.examples import Example

SHOPS = {"Blauwal": "8.20", "Northwind": "19.99", "Kaktus": "7.05", "Harbour": "4.40"}  # name -> total


def receipt(shop: str, total: str) -> Example:
    """One line item, a total, and no tax."""
    texts = [[shop], ["Tea", "3.10"], ["Total", total], ["Thank", "you"]]
    words = tuple(
        Word(text, Box(0.1 + 0.3 * column, 0.1 * line, 0.3 + 0.3 * column, 0.1 * line + 0.05), 0.99, "ocr", line)
        for line, row in enumerate(texts)
        for column, text in enumerate(row)
    )
    items = {"items[].description": [(1,)], "items[].amount": [(2,)]}
    labels = {"merchant_name": [(0,)], "total": [(4,)], "tax": [], **items}
    rows = dict.fromkeys(items, (0,))
    return Example("test", shop, "receipt", 1.6, words, labels, kinds={"merchant_name": "name"}, rows=rows)
