"""Documents become folders of examples, in parallel:
`python -m docpipe.vlm.training.data.prepare drawn --count 2000 --out runs/examples`.

In: seeds, or a folder of labelled documents. Out: `train_*`, `aside_seller_*`, `aside_document_*` folders of examples.
Words come from the pipeline's own reader, so the network learns what it will be given.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.samples import CHECK_BOX_FORMS, SCHEMAS, draw
from docpipe.vlm.training.data.examples import Example, write_examples
from docpipe.vlm.training.data.from_samples import Warp, examples_of
from docpipe.vlm.training.data.labelled import LABELLED, Labelled, labelled_examples, load_labelled
from docpipe.vlm.training.data.pictures import write_picture

log = logging.getLogger(__name__)
Task = TypeVar("Task")
Pair = tuple[Example, NDArray[np.float32]]
SHARES = {"invoice": 0.42, "receipt": 0.18, "form": 0.2}  # of the drawn documents; the other types share the rest
SCAN_DPI = 150  # of the degraded pages; receipts and small print are drawn larger by the rasteriser

_reader: tuple[PageRasteriser, PageReader, Renderer] | None = None


def reader_of_process() -> tuple[PageRasteriser, PageReader, Renderer]:
    """One reader per process."""
    global _reader  # noqa: PLW0603 - made once in each worker process
    if _reader is None:
        renderer = Renderer()
        _reader = (PageRasteriser(renderer), PageReader(renderer), renderer)
    return _reader


def read_file(path: Path) -> list[Page]:
    """The pages of a file as the pipeline reads them."""
    rasteriser, reader, renderer = reader_of_process()
    document = ingest(path, renderer=renderer)
    return [reader.read(document, page) for page in rasteriser.pages(document)]


def drawn_examples(task: tuple[int, bool, str]) -> list[Pair]:
    """One drawn document by its seed; `scanned`: degraded and read by OCR, otherwise through its text layer. The last
    of a task is its schema, "" for one by chance."""
    seed, scanned, asked = task
    schema = asked or _schema_of(seed)
    drawn = draw(schema, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.pdf"
        path.write_bytes(drawn.pdf)
        pages = read_file(path)
        if not scanned:
            return list(examples_of(drawn, pages, origin=f"drawn_{schema}", name=str(seed)))
        found: list[Pair] = []
        for page in pages[:2]:
            photo, warp = _scanned(page, Path(folder), seed)
            if photo.rotation == 0:
                warps = {page.number: warp}
                found += examples_of(drawn, [photo], origin=f"scanned_{schema}", name=str(seed), warps=warps)
        return found


def _schema_of(seed: int) -> str:
    rest = [s for s in SCHEMAS if s not in SHARES]
    shares = [SHARES.get(s, (1 - sum(SHARES.values())) / max(1, len(rest))) for s in SCHEMAS]
    random = np.random.default_rng(seed)
    return SCHEMAS[int(random.choice(len(SCHEMAS), p=np.array(shares) / sum(shares)))]


def _scanned(page: Page, folder: Path, seed: int) -> tuple[Page, Warp]:
    from docpipe.samples.degrade.scan import degrade_page  # heavy: Pillow and SciPy

    assert page.image is not None  # noqa: S101 - drawn pages always draw
    image, warp = degrade_page(page.image.open(), seed)
    path = folder / f"scan{page.number}.png"
    image.save(path)
    return replace(read_file(path)[0], number=page.number), warp


def read_labelled(labelled: Labelled) -> list[Pair]:
    """The examples of one real document; a transcript without an image has its words with it."""
    if labelled.path is None or not labelled.pixels:
        return list(labelled_examples(labelled, read_file(labelled.path) if labelled.path else []))
    with tempfile.TemporaryDirectory() as folder:
        _, _, renderer = reader_of_process()
        write_picture(labelled.path, Path(folder) / "pages.tiff", renderer)
        return list(labelled_examples(labelled, read_file(Path(folder) / "pages.tiff")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["drawn", *LABELLED])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of the labelled documents (shared/data)")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--scanned", type=float, default=0.0, help="share of the drawn documents that is scanned and read by OCR"
    )
    parser.add_argument(
        "--schema", choices=["", *SCHEMAS, CHECK_BOX_FORMS], default="", help="draw only such documents"
    )
    parser.add_argument("--part", choices=["train", "aside_seller", "aside_document"], default="train")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if given.what == "drawn":
        seeds = range(given.first_seed, given.first_seed + given.count)
        tasks = [(seed, (seed % 1000) / 1000 < given.scanned, given.schema) for seed in seeds]
        pairs = _in_parallel(drawn_examples, tasks, given.jobs)
        named = (given.part, "drawn", given.schema, str(given.first_seed))
        written = write_examples(given.out / "_".join(filter(None, named)), pairs)
    else:
        kept = [labelled for labelled in load_labelled(given.data, given.what) if labelled.part == given.part]
        pairs = _in_parallel(read_labelled, list(kept), given.jobs)
        written = write_examples(given.out / f"{given.part}_{given.what}", pairs)
    log.info("%d examples", written)


def _in_parallel(work: Callable[[Task], Iterable[Pair]], tasks: list[Task], jobs: int) -> Iterator[Pair]:
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, pairs in enumerate(pool.imap_unordered(work, tasks, chunksize=4), 1):
            if done % 50 == 0:
                log.info("%d of %d", done, len(tasks))
            yield from pairs


if __name__ == "__main__":
    main()
