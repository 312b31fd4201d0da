"""How small print may get before it is no longer read: what PRINT_HEIGHT of
docpipe/extractors/generative/page_selection.py is set by.

    python -m benchmarks.accuracy.print_height [--count 4] [--data ../shared/data]

In: documents drawn by docpipe, clean with a text layer and worn as scans; with --data also real receipts with labels.
Out: a Markdown table for each: at each height of the small print, how much of the truth is still found on the picture
that a model would be given, and how many tokens the picture is. Docpipe's OCR reads the pictures. It stands in for a
vision-language model; it enlarges small lines before it reads them, as models do not.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import fmean, median

from docpipe.data import Page
from docpipe.extractors.generative import page_selection
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.read.ocr import Ocr
from docpipe.read.order import in_reading_order
from docpipe.render import Renderer
from docpipe.samples import SampleDocument, degrade_page, draw
from docpipe.samples.pictures import rasterise

HEIGHTS = (5, 6, 8, 10, 12, 14, 16, 20, 24, 32)  # pixels of a line of small print
PATCHES = (28, 32)  # pixels of a token's side: Qwen2.5-VL, Qwen3-VL
KINDS = ("invoice", "receipt", "form")
SEED = 9_300_000  # training ends below 900,000; other benchmarks and the calibration have theirs below this
FINE_DPI = 300.0  # so that print of 8 points can be 32 pixels high
WEAR = 0.7
MIN_LETTERS = 4  # shorter texts are found on any page by chance
SMALL_RATIO = 1.15  # to the height of the lowest value: still as small


@dataclass(frozen=True)
class PrintedText:
    text: str
    is_small: bool


@dataclass(frozen=True)
class Source:
    """A file, and what its first page prints: values, and everything else."""

    path: Path
    values: tuple[PrintedText, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class MeasuredPage:
    """A page with the words that docpipe reads on it (their heights choose the picture's size), and what it prints."""

    page: Page
    values: tuple[PrintedText, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Reread:
    """One page at one size: which of its values and texts were found, and how high small print is by OCR's boxes."""

    size: tuple[int, int]
    is_whole: bool
    values: tuple[bool, ...]
    small_values: tuple[bool, ...]
    texts: tuple[bool, ...]
    print_by_ocr: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4, help="documents of each kind")
    parser.add_argument("--data", type=Path, help="folder of the labelled documents (shared/data)")
    parser.add_argument("--receipts", type=int, default=12, help="real receipts")
    options = parser.parse_args()
    ocr = Ocr(threads=1)
    with Renderer() as renderer, tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
        folder = Path(name)
        reader = PageReader(renderer, threads=1)
        rasteriser = PageRasteriser(renderer, dpi=FINE_DPI)
        sources = {
            "drawn, clean, heights by the text layer": _drawn(folder, options.count, worn=False),
            "drawn, worn, heights by OCR": _drawn(folder, options.count, worn=True),
        }
        if options.data is not None:
            sources["real receipts, heights by OCR"] = _labelled(options.data / "receipts", options.receipts)
        for title, of_kind in sources.items():
            pages = []
            for source in of_kind:
                document = ingest(source.path, renderer=renderer)
                page = reader.read(document, next(rasteriser.pages(document)))
                pages.append(MeasuredPage(page, source.values, source.texts))
            print("\n".join(table(title, pages, ocr)), flush=True)


def _drawn(folder: Path, count: int, *, worn: bool) -> Iterator[Source]:
    for kind in KINDS:
        for seed in range(SEED, SEED + count):
            sample = draw(kind, seed, fonts="standard")
            path = folder / f"{kind}-{seed}.pdf"
            path.write_bytes(sample.pdf)
            with Renderer() as renderer:  # all that is printed, from the text layer
                document = ingest(path, renderer=renderer)
                page = PageReader(renderer).read(document, next(PageRasteriser(renderer).pages(document)))
            if worn:
                path = path.with_suffix(".png")
                degrade_page(rasterise(sample, FINE_DPI)[0], seed, strength=WEAR)[0].save(path)
            yield Source(path, _values(sample), tuple(_long_texts(word.text for word in page.words)))


def _values(sample: SampleDocument) -> tuple[PrintedText, ...]:
    """The lines of the values on the first page."""
    printed: dict[str, float] = {}
    for placed in sample.printed_values:
        if placed.page == 1:
            for text, box in zip(placed.text.split("\n"), placed.boxes, strict=False):
                printed[text] = min(printed.get(text, 1.0), box.bottom - box.top)
    lowest = min(printed.values(), default=0.0)
    return tuple(PrintedText(text, printed[text] <= SMALL_RATIO * lowest) for text in _long_texts(printed))


def _labelled(folder: Path, count: int) -> Iterator[Source]:
    with (folder / "labels.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, islice(lines, count)):
            values = tuple(PrintedText(text, is_small=False) for text in _long_texts(map(str, row["fields"].values())))
            yield Source(folder / row["file"], values, tuple(_long_texts(line["text"] for line in row["words"])))


def _long_texts(texts: Iterator[str] | dict[str, float] | map[str]) -> Iterator[str]:
    return (text for text in texts if len(comparable(text)) >= MIN_LETTERS)


def comparable(text: str) -> str:
    """Blanks and case aside, every character counts: a lost decimal point is another amount."""
    return "".join(text.split()).casefold()


def longer_side(page: Page, height: int) -> int:
    """The picture's longer side at which the page's small print is that high; larger pictures there are none."""
    longer = max(page.width, page.height)
    return min(longer, round(longer * height / page_selection.small_print_height(page)))


def read_again(measured: MeasuredPage, longer: int, ocr: Ocr) -> Reread:
    """The page at that size, read by OCR."""
    page = measured.page
    assert page.image is not None
    picture = page.image.open(max_side=longer)
    reading = ocr.read(picture)
    width, height = picture.size if reading.rotation % 180 == 0 else picture.size[::-1]
    words = in_reading_order(reading.runs, aspect=width / height, slope=reading.slope)
    text = comparable("".join(word.text for word in words))
    return Reread(
        size=picture.size,
        is_whole=longer == max(page.width, page.height),
        values=tuple(comparable(value.text) in text for value in measured.values),
        small_values=tuple(comparable(value.text) in text for value in measured.values if value.is_small),
        texts=tuple(comparable(printed) in text for printed in measured.texts),
        print_by_ocr=page_selection.small_print_height(replace(page, words=tuple(words), width=width, height=height)),
    )


def tokens(size: tuple[int, int], patch: int) -> int:
    """Of a model that takes pictures of any size, cut to whole patches."""
    return max(1, round(size[0] / patch)) * max(1, round(size[1] / patch))


def table(title: str, pages: Sequence[MeasuredPage], ocr: Ocr) -> Iterator[str]:
    counts = f"{sum(len(page.values) for page in pages)} values, {sum(len(page.texts) for page in pages)} texts"
    yield f"\n### {title}: {len(pages)} pages, {counts}\n"
    patches = "".join(f" tokens of {patch} px |" for patch in PATCHES)
    yield f"| small print, px | megapixels |{patches} values | smallest values | all print | by OCR's boxes | whole |"
    yield "|---|---|" + "---|" * (len(PATCHES) + 5)
    known: dict[tuple[int, int], Reread] = {}  # by page and side: a page that is whole already is not read again
    for height in HEIGHTS:
        keys = [(number, longer_side(measured.page, height)) for number, measured in enumerate(pages)]
        for number, longer in keys:
            if (number, longer) not in known:
                known[number, longer] = read_again(pages[number], longer, ocr)
        yield _line(height, [known[key] for key in keys])


def _line(height: int, rereads: Sequence[Reread]) -> str:
    cells = [
        str(height),
        f"{fmean(reread.size[0] * reread.size[1] for reread in rereads) / 1e6:.2f}",
        *(f"{fmean(tokens(reread.size, patch) for reread in rereads):.0f}" for patch in PATCHES),
        _share([was_found for reread in rereads for was_found in reread.values]),
        _share([was_found for reread in rereads for was_found in reread.small_values]),
        _share([was_found for reread in rereads for was_found in reread.texts]),
        f"{median(reread.print_by_ocr for reread in rereads):.1f}",
        str(sum(reread.is_whole for reread in rereads)),
    ]
    return f"| {' | '.join(cells)} |"


def _share(was_found: Sequence[bool]) -> str:
    return f"{sum(was_found) / len(was_found):.3f}" if was_found else ""


if __name__ == "__main__":
    main()
