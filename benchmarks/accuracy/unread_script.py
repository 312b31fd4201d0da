"""Is a page in a script that docpipe does not read named as such, and no other page?

    python -m benchmarks.accuracy.unread_script [--pages 24] [--part report] [--data FOLDER …]

In: bills drawn in many scripts (script_pages.py says which fonts are needed); with --data folders of real documents,
all of them in scripts that are read. Out: Markdown tables. For each script the pages that get the issue
`unread_script`; those of them that OCR did not read (of the rest the embedded network did not learn what OCR read); the
smallest and the largest share of their print that was not read; pages that were taken for upside down. The same for
Latin bills with some lines in Cyrillic, and the false alarms of each folder.
`--part choose` has the pages on which the thresholds of docpipe/read/legibility.py and docpipe/unread_script.py were
chosen, and how legible their lines are. `report` has other phrases, fonts and seeds, and three scripts on which nothing
was chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.accuracy.script_pages import MixedScripts, Part, draw_page, script_texts
from docpipe.data import Page
from docpipe.errors import DocpipeError
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.read.legibility import unread_lines
from docpipe.read.ocr import Ocr, OcrResult
from docpipe.render import Renderer
from docpipe.unread_script import is_unread, lines_in_other_scripts

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # of a Latin page's lines, in Cyrillic
DOCUMENT_SUFFIXES = frozenset((".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"))
QUANTILES = (0.02, 0.1, 0.5, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=24, help="drawn of each script")
    parser.add_argument("--part", choices=("choose", "report"), default="report")
    parser.add_argument(
        "--data", type=Path, nargs="*", default=[], help="folders of documents in scripts that are read"
    )
    arguments = parser.parse_args()
    if arguments.pages:
        measure_drawn(arguments.pages, arguments.part)
    if arguments.pages and arguments.part == "choose":
        measure_lines(arguments.pages)
    if arguments.data:
        measure_real(arguments.data)


def measure_drawn(pages: int, part: Part) -> None:
    ocr, texts = Ocr(), script_texts(part)
    print("| script | pages | named | of them as not read | share not read | upside down |\n|---|---|---|---|---|---|")
    for text in texts.values():
        _print_row(text.name, [ocr.read(draw_page(text, number, part)) for number in range(pages)])
    for share in SHARES if "Cyrillic" in texts else ():
        mixture = MixedScripts(texts["Cyrillic"], share)
        drawn = (draw_page(texts["Latin"], number, part, mixture) for number in range(pages))
        _print_row(f"Latin, {share:.0%} Cyrillic", [ocr.read(page) for page in drawn])


def _print_row(name: str, results: Sequence[OcrResult]) -> None:
    by_ocr = sum(result.unread.is_substantial for result in results)
    named = sum(result.unread.is_substantial or _is_unlearned(result) for result in results)
    shares = [result.unread.share for result in results]
    turned = sum(result.rotation != 0 for result in results)
    print(
        f"| {name} | {len(results)} | {named} | {by_ocr} | {min(shares):.2f} to {max(shares):.2f} | {turned} |",
        flush=True,
    )


def _is_unlearned(result: OcrResult) -> bool:
    """OCR reads Chinese, Japanese and some Greek letters, and the embedded network did not learn them."""
    lines = (" ".join(word.text for word in run.words) for run in result.runs)
    return lines_in_other_scripts(lines).is_substantial


def measure_lines(pages: int) -> None:
    """Of the lines that say something about their script."""
    ocr = Ocr()
    print("\n| script | lines | legibility of all but the lowest 2 %, 10 %, 50 %, 90 % |\n|---|---|---|")
    for text in script_texts("choose").values():
        pictures = (np.asarray(draw_page(text, number, "choose")) for number in range(pages))
        lines = [line for picture in pictures for line in ocr.recognised(picture, ocr.regions(picture))]
        legibilities = [line.legibility for line in lines if unread_lines([line]).lines]
        quantiles = " ".join(f"{value:.2f}" for value in np.quantile(legibilities or [0.0], QUANTILES))
        print(f"| {text.name} | {len(legibilities)} | {quantiles} |", flush=True)


def measure_real(folders: Iterable[Path]) -> None:
    print(
        "\n| folder | files | pages | not read by OCR | words that the network did not learn |\n|---|---|---|---|---|"
    )
    with Renderer() as renderer:
        reader = PageReader(renderer, threads=1)
        for folder in folders:
            files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in DOCUMENT_SUFFIXES)
            pages = [page for path in files for page in _pages(path, renderer, reader)]
            by_ocr = sum(is_unread(page.issues) for page in pages)
            unlearned = sum(lines_in_other_scripts(page.lines).is_substantial for page in pages)
            print(f"| {folder.name} | {len(files)} | {len(pages)} | {by_ocr} | {unlearned} |", flush=True)


def _pages(path: Path, renderer: Renderer, reader: PageReader) -> Iterator[Page]:
    """Those of a file that can be read; alarms are named on standard output."""
    try:
        document = ingest(path, renderer=renderer)
        for page in PageRasteriser(renderer).pages(document):
            read = reader.read(document, page)
            if is_unread(read.issues) or lines_in_other_scripts(read.lines).is_substantial:
                print(f"<!-- {path.name}, page {page.number} -->", flush=True)
            yield read
    except DocpipeError as error:
        print(f"<!-- {path.name}: {error.message} -->")


if __name__ == "__main__":
    main()
