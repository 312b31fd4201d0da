"""Which documents are kept aside, so that figures come from what the network has not seen.

In: an example's origin, seller and own name. Out: `train`, `seller` (its seller is kept aside altogether) or `document`
(its seller may be known, the document is not). Decided by a hash: the same everywhere, for ever.
"""

from __future__ import annotations

import zlib
from typing import Literal

Part = Literal["train", "seller", "document"]

SELLERS_ASIDE = 0.15
DOCUMENTS_ASIDE = 0.10


def part_of(group: str, name: str) -> Part:
    if _share(f"seller:{group}") < SELLERS_ASIDE:
        return "seller"
    return "document" if _share(f"document:{name}") < DOCUMENTS_ASIDE else "train"


def _share(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32
