"""What one document may cost. In: nothing. Out: `Limits`, with defaults that have reasons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond one of these a document is refused; the run goes on.

    max_bytes      512 MiB: a 1,000-page scan at 300 dpi has 100 to 300 MB.
    max_pages      2,000: more is a book or a trap (5,000 entries fit into 30 KB); OCR would need an hour.
    max_pixels     80 million per image: A3 at 600 dpi has 70 million, a phone photo 12 to 50 million;
                   decoded to RGB that is 320 MB, which fits into memory_bytes.
    seconds        10 per request (open, draw one page, read its characters): a busy computer draws
                   a heavy page in 1 to 2 s, and two lost requests still end within 30 s.
    memory_bytes   1 GiB of address space for the decoder process.
    """

    max_bytes: int = 512 * 1024**2
    max_pages: int = 2_000
    max_pixels: int = 80_000_000
    seconds: float = 10.0
    memory_bytes: int = 1024**3
