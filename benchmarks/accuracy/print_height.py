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

from docpipe.data import Page, Word
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
LETTERS_LEAST = 4  # shorter texts are found on any page by chance
SMALLEST = 1.15  # times the height of the lowest value: still as small


@dataclass(frozen=True)
class Value:
    text: str
    small: bool


@dataclass(frozen=True)
class Sheet:
    """A page with the words that docpipe reads on it (their heights choose the picture's size), and what is printed
    there: values, and everything else."""

    page: Page
    values: tuple[Value, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """One page at one size: which of its values and texts were found, and where small print stands by OCR's boxes."""

    size: tuple[int, int]
    is_whole: bool
    values: tuple[bool, ...]
    small: tuple[bool, ...]
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
        seen = {
            "drawn, clean, heights by the text layer": _drawn(folder, options.count, worn=False),
            "drawn, worn, heights by OCR": _drawn(folder, options.count, worn=True),
        }
        if options.data is not None:
            seen["real receipts, heights by OCR"] = _labelled(options.data / "receipts", options.receipts)
        for title, sources in seen.items():
            sheets = []
            for path, values, texts in sources:
                document = ingest(path, renderer=renderer)
                sheets.append(Sheet(reader.read(document, next(rasteriser.pages(document))), values, texts))
            print("\n".join(table(title, sheets, ocr)), flush=True)


Source = tuple[Path, tuple[Value, ...], tuple[str, ...]]


def _drawn(folder: Path, count: int, *, worn: bool) -> Iterator[Source]:
    for kind in KINDS:
        for seed in range(SEED, SEED + count):
            drawn = draw(kind, seed, fonts="standard")
            path = folder / f"{kind}-{seed}.pdf"
            path.write_bytes(drawn.pdf)
            with Renderer() as renderer:  # all that is printed, from the text layer
                document = ingest(path, renderer=renderer)
                page = PageReader(renderer).read(document, next(PageRasteriser(renderer).pages(document)))
            if worn:
                path = path.with_suffix(".png")
                degrade_page(rasterise(drawn, FINE_DPI)[0], seed, strength=WEAR)[0].save(path)
            yield path, _values(drawn), tuple(_kept(word.text for word in page.words))


def _values(drawn: SampleDocument) -> tuple[Value, ...]:
    """The lines of the values on the first page."""
    printed: dict[str, float] = {}
    for placed in drawn.printed_values:
        if placed.page == 1:
            for text, box in zip(placed.text.split("\n"), placed.boxes, strict=False):
                printed[text] = min(printed.get(text, 1.0), box.bottom - box.top)
    lowest = min(printed.values(), default=0.0)
    return tuple(Value(text, printed[text] <= SMALLEST * lowest) for text in _kept(printed))


def _labelled(folder: Path, count: int) -> Iterator[Source]:
    with (folder / "labels.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, islice(lines, count)):
            values = tuple(Value(text, small=False) for text in _kept(map(str, row["fields"].values())))
            yield folder / row["file"], values, tuple(_kept(line["text"] for line in row["words"]))


def _kept(texts: Iterator[str] | dict[str, float] | map[str]) -> Iterator[str]:
    return (text for text in texts if len(bare(text)) >= LETTERS_LEAST)


def bare(text: str) -> str:
    """Blanks and case aside, every character counts: a lost decimal point is another amount."""
    return "".join(text.split()).casefold()


def side(sheet: Sheet, height: int) -> int:
    """The picture's longer side at which the page's small print is that high; larger pictures there are none."""
    longer = max(sheet.page.width, sheet.page.height)
    return min(longer, round(longer * height / page_selection.small_print_height(sheet.page)))


def look(sheet: Sheet, longer: int, ocr: Ocr) -> Look:
    """The page at that size, read by OCR."""
    page = sheet.page
    assert page.image is not None
    picture = page.image.open(max_side=longer)
    reading = ocr.read(picture)
    wide, high = picture.size if reading.rotation % 180 == 0 else picture.size[::-1]
    words = in_reading_order(reading.runs, aspect=wide / high, slope=reading.slope)
    found = bare("".join(word.text for word in words))
    return Look(
        picture.size,
        longer == max(page.width, page.height),
        tuple(bare(value.text) in found for value in sheet.values),
        tuple(bare(value.text) in found for value in sheet.values if value.small),
        tuple(bare(text) in found for text in sheet.texts),
        _by_ocr(page, words, (wide, high)),
    )


def _by_ocr(page: Page, words: Sequence[Word], size: tuple[int, int]) -> float:
    return page_selection.small_print_height(replace(page, words=tuple(words), width=size[0], height=size[1]))


def tokens(size: tuple[int, int], patch: int) -> int:
    """Of a model that takes pictures of any size, cut to whole patches."""
    return max(1, round(size[0] / patch)) * max(1, round(size[1] / patch))


def table(title: str, sheets: Sequence[Sheet], ocr: Ocr) -> Iterator[str]:
    counted = f"{sum(len(sheet.values) for sheet in sheets)} values, {sum(len(sheet.texts) for sheet in sheets)} texts"
    yield f"\n### {title}: {len(sheets)} pages, {counted}\n"
    patches = "".join(f" tokens of {patch} px |" for patch in PATCHES)
    yield f"| small print, px | megapixels |{patches} values | smallest values | all print | by OCR's boxes | whole |"
    yield "|---|---|" + "---|" * (len(PATCHES) + 5)
    known: dict[tuple[int, int], Look] = {}  # a page that is whole already is not read again
    for height in HEIGHTS:
        keys = [(number, side(sheet, height)) for number, sheet in enumerate(sheets)]
        for number, longer in keys:
            if (number, longer) not in known:
                known[number, longer] = look(sheets[number], longer, ocr)
        looks = [known[key] for key in keys]
        shares = [
            _share([one for each in looks for one in getattr(each, name)]) for name in ("values", "small", "texts")
        ]
        costs = [f"{fmean(tokens(each.size, patch) for each in looks):.0f}" for patch in PATCHES]
        pixels = fmean(each.size[0] * each.size[1] for each in looks) / 1e6
        boxes = median(each.print_by_ocr for each in looks)
        whole = sum(each.is_whole for each in looks)
        yield f"| {' | '.join([str(height), f'{pixels:.2f}', *costs, *shares, f'{boxes:.1f}', str(whole)])} |"


def _share(found: Sequence[bool]) -> str:
    return f"{sum(found) / len(found):.3f}" if found else ""


if __name__ == "__main__":
    main()
