"""What docpipe's OCR costs beside plain RapidOCR, and whether it reads as much.

    python -m benchmarks.speed.ocr [FOLDER] [--labels LABELS.jsonl] [--pages 12] [--threads 2] [--rounds 2]

In: documents drawn by docpipe, or a folder. Out: seconds per page of both from one interleaved run, their ratio, our
time by stage, and the share of true values found by each (letters and digits only), where they are known.
Both get the same pixels in memory; their models are loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.speed.documents import scans
from benchmarks.speed.timing import PlainRapidOcr
from docpipe.ingest import find_files
from docpipe.read.ocr import Ocr
from docpipe.read.order import in_reading_order

PLAIN, OURS = "plain", "ours"  # the two that are compared, as the table calls them


@dataclass(frozen=True)
class ScannedPage:
    """A page as pixels, and the values printed in its document (other pages may hold some of them)."""

    image: Image.Image
    values: tuple[str, ...]


@dataclass
class OcrFigures:
    """For each of the two: `seconds` by page and round, and how many of the `values` are in its text. `stages` are
    seconds of our work over all pages and rounds."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {PLAIN: [], OURS: []})
    values_found: dict[str, int] = field(default_factory=lambda: {PLAIN: 0, OURS: 0})
    values: int = 0
    stages: dict[str, float] = field(default_factory=dict)


class DocpipeOcr:
    """Docpipe's OCR with a stop watch on its two networks. With several threads the recogniser's seconds are those
    of all threads divided by their number."""

    def __init__(self, threads: int) -> None:
        self._ocr = Ocr(threads=threads)
        self.stages = {"detector": 0.0, "recogniser": 0.0}
        models: Any = self._ocr.models
        models.text_map = self._timed(models.text_map, "detector", 1)
        models.characters = self._timed(models.characters, "recogniser", threads)

    def _timed(self, function: Callable[[Any], Any], stage: str, threads: int) -> Callable[[Any], Any]:
        def timed(pixels: Any) -> Any:
            started = time.perf_counter()
            output = function(pixels)
            self.stages[stage] += (time.perf_counter() - started) / threads
            return output

        return timed

    def read(self, image: Image.Image) -> str:
        result = self._ocr.read(image)
        width, height = image.size if result.rotation % 180 == 0 else image.size[::-1]
        words = in_reading_order(result.runs, aspect=width / height, slope=result.slope)
        return " ".join(word.text for word in words)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
        folder = Path(name)
        if options.folder is None:
            truth = _drawn(folder / "drawn", options.pages)
        else:
            truth = dict.fromkeys(find_files([options.folder]), ()) | _labels(options.folder, options.labels)
        pages = list(_first_pages(truth, folder / "scans", options.pages))
    for line in _report(_measure(pages, options.threads, options.rounds), len(pages), options.threads):
        print(line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--labels", type=Path, help='lines of {"file": …, "fields": {…}}')
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


def _drawn(folder: Path, count: int) -> dict[Path, tuple[str, ...]]:
    from docpipe.samples import SCHEMAS, draw  # heavy: reportlab

    folder.mkdir(parents=True)
    truth = {}
    for number in range(count):
        schema = SCHEMAS[number % len(SCHEMAS)]
        drawn = draw(schema, number, fonts="standard")
        path = folder / f"{schema}-{number}.pdf"
        path.write_bytes(drawn.pdf)
        truth[path] = tuple(placed.text for placed in drawn.printed_values if placed.page == 1)
    return truth


def _labels(folder: Path, labels: Path | None) -> dict[Path, tuple[str, ...]]:
    if labels is None:
        return {}
    by_name = {path.name: path for path in find_files([folder])}
    rows = [json.loads(line) for line in labels.read_text().splitlines()]
    return {
        by_name[Path(row["file"]).name]: tuple(_texts(row["fields"]))
        for row in rows
        if Path(row["file"]).name in by_name
    }


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    children: Iterable[object] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _texts(child)


def _first_pages(truth: dict[Path, tuple[str, ...]], folder: Path, max_pages: int) -> Iterator[ScannedPage]:
    """The first page of each document, those with known values first."""
    for number, path in enumerate(sorted(truth, key=lambda path: not truth[path])[:max_pages]):
        for picture in scans([path], folder / str(number), 1):
            with Image.open(picture) as image:
                yield ScannedPage(image.convert("RGB"), truth[path])


def _measure(pages: list[ScannedPage], threads: int, rounds: int) -> OcrFigures:
    figures, plain, ours = OcrFigures(), PlainRapidOcr(), DocpipeOcr(threads)
    readers: dict[str, Callable[[Image.Image], str]] = {
        PLAIN: lambda image: plain.read(np.ascontiguousarray(np.asarray(image)[:, :, ::-1])),
        OURS: ours.read,
    }
    for read in readers.values():
        read(pages[0].image)
    ours.stages = dict.fromkeys(ours.stages, 0.0)
    for number in range(rounds):
        for page in pages:
            for name, read in readers.items():
                started = time.perf_counter()
                text = _letters(read(page.image))
                figures.seconds[name].append(time.perf_counter() - started)
                if number == 0:
                    figures.values_found[name] += sum(_letters(value) in text for value in page.values)
    figures.values = sum(len(page.values) for page in pages)
    figures.stages = ours.stages | {"rest": sum(figures.seconds[OURS]) - sum(ours.stages.values())}
    return figures


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _report(figures: OcrFigures, pages: int, threads: int) -> Iterator[str]:
    plain, ours = figures.seconds[PLAIN], figures.seconds[OURS]
    yield f"{pages} pages, {len(ours) // pages} rounds, {threads} threads for ours; plain RapidOCR takes all cores"
    yield "| | seconds per page | values found |"
    yield "|---|---|---|"
    for name, seconds in figures.seconds.items():
        share = f"{figures.values_found[name]} of {figures.values}" if figures.values else "not known"
        yield f"| {name} | {sum(seconds) / len(seconds):.2f} | {share} |"
    ratios = [our_seconds / plain_seconds for our_seconds, plain_seconds in zip(ours, plain, strict=True)]
    yield f"ratio of the sums {sum(ours) / sum(plain):.2f}, median of the pages {median(ratios):.2f}"
    for stage, stage_seconds in figures.stages.items():
        yield f"ours, {stage}: {stage_seconds / len(ours):.2f} s per page"


if __name__ == "__main__":
    main()
