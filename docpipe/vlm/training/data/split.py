"""Which documents are held out, so that figures come from what the network has not seen.

In: an example's seller and own name. Out: `train`, `holdout_seller` (its seller is held out altogether) or
`holdout_document` (its seller may be known, the document is not). Decided by a hash: the same everywhere, for ever.
"""

from __future__ import annotations

import zlib
from typing import Literal, get_args

Part = Literal["train", "holdout_seller", "holdout_document"]
PARTS: tuple[Part, ...] = get_args(Part)

HOLDOUT_SELLER_SHARE = 0.15
HOLDOUT_DOCUMENT_SHARE = 0.10


def part_of(seller: str, name: str) -> Part:
    if _share(f"seller:{seller}") < HOLDOUT_SELLER_SHARE:
        return "holdout_seller"
    return "holdout_document" if _share(f"document:{name}") < HOLDOUT_DOCUMENT_SHARE else "train"


def _share(text: str) -> float:
    """A number from 0 to 1 that looks random."""
    return zlib.crc32(text.encode()) / 2**32
