"""Documents become folders of examples, in parallel:
`python -m docpipe.vlm.training.data.prepare drawn --count 2000 --out runs/examples`.

In: seeds, or a folder of labelled documents. Out: `train_*`, `holdout_seller_*`, `holdout_document_*` folders of
examples. Words come from the pipeline's own reader, so the network learns what it will be given.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from docpipe.data import Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.samples import QUESTIONNAIRE, SCHEMAS, draw
from docpipe.vlm.training.data.examples import PicturedExample, write_examples
from docpipe.vlm.training.data.from_samples import Warp, sample_examples
from docpipe.vlm.training.data.labelled import TrainingDocument, labelled_examples
from docpipe.vlm.training.data.labelled_sets import LABELLED_SETS, load_labelled
from docpipe.vlm.training.data.pictures import write_picture
from docpipe.vlm.training.data.split import PARTS

log = logging.getLogger(__name__)
Work = TypeVar("Work")
DRAWN = "drawn"
SHARES = {"invoice": 0.42, "receipt": 0.18, "form": 0.2}  # of the drawn documents; the other types share the rest
MAX_SCANNED_PAGES = 2  # of a drawn document
LOG_EVERY = 50  # documents


@dataclass(frozen=True, slots=True)
class ReadingTools:
    renderer: Renderer
    rasteriser: PageRasteriser
    reader: PageReader


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """A document to be drawn; `scanned`: degraded and read by OCR, otherwise through its text layer."""

    seed: int
    scanned: bool
    schema: str  # "": one by chance


@cache
def tools_of_process() -> ReadingTools:
    """Made once in each worker process."""
    renderer = Renderer()
    return ReadingTools(renderer, PageRasteriser(renderer), PageReader(renderer))


def read_file(path: Path) -> list[Page]:
    """The pages of a file as the pipeline reads them."""
    tools = tools_of_process()
    document = ingest(path, renderer=tools.renderer)
    return [tools.reader.read(document, page) for page in tools.rasteriser.pages(document)]


def read_drawn(spec: SampleSpec) -> list[PicturedExample]:
    """The examples of one drawn document."""
    schema, name = spec.schema or _schema_of(spec.seed), str(spec.seed)
    sample = draw(schema, spec.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.pdf"
        path.write_bytes(sample.pdf)
        pages = read_file(path)
        if not spec.scanned:
            return list(sample_examples(sample, pages, origin=f"drawn_{schema}", name=name))
        examples: list[PicturedExample] = []
        for page in pages[:MAX_SCANNED_PAGES]:
            scanned, warp = _scanned(page, Path(folder), spec.seed)
            if scanned.rotation == 0:
                warps = {page.number: warp}
                examples += sample_examples(sample, [scanned], origin=f"scanned_{schema}", name=name, warps=warps)
        return examples


def _schema_of(seed: int) -> str:
    others = [schema for schema in SCHEMAS if schema not in SHARES]
    shares = [SHARES.get(schema, (1 - sum(SHARES.values())) / max(1, len(others))) for schema in SCHEMAS]
    random = np.random.default_rng(seed)
    return SCHEMAS[int(random.choice(len(SCHEMAS), p=np.array(shares) / sum(shares)))]


def _scanned(page: Page, folder: Path, seed: int) -> tuple[Page, Warp]:
    from docpipe.samples.degrade.page import degrade_page  # heavy: Pillow and SciPy

    assert page.image is not None  # noqa: S101 - drawn pages always draw
    image, warp = degrade_page(page.image.open(), seed)
    path = folder / f"scan{page.number}.png"
    image.save(path)
    return replace(read_file(path)[0], number=page.number), warp


def read_labelled(document: TrainingDocument) -> list[PicturedExample]:
    """The examples of one real document; a transcript without an image has its words with it."""
    if document.path is None or not document.from_picture:
        return list(labelled_examples(document, read_file(document.path) if document.path else []))
    with tempfile.TemporaryDirectory() as folder:
        write_picture(document.path, Path(folder) / "pages.tiff", tools_of_process().renderer)
        return list(labelled_examples(document, read_file(Path(folder) / "pages.tiff")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=[DRAWN, *LABELLED_SETS], help="drawn documents, or a set of labelled ones")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of the labelled documents (shared/data)")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--scanned", type=float, default=0.0, help="share of the drawn documents that is scanned and read by OCR"
    )
    parser.add_argument("--schema", choices=["", *SCHEMAS, QUESTIONNAIRE], default="", help="draw only such documents")
    parser.add_argument("--part", choices=PARTS, default="train")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if options.source != DRAWN and options.data is None:
        parser.error(f"{options.source} needs --data")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.source == DRAWN:
        seeds = range(options.first_seed, options.first_seed + options.count)
        specs = [SampleSpec(seed, (seed % 1000) / 1000 < options.scanned, options.schema) for seed in seeds]
        examples = _in_parallel(read_drawn, specs, options.jobs)
        name = "_".join(filter(None, (options.part, DRAWN, options.schema, str(options.first_seed))))
    else:
        documents = [d for d in load_labelled(options.data, options.source) if d.part == options.part]
        examples = _in_parallel(read_labelled, documents, options.jobs)
        name = f"{options.part}_{options.source}"
    log.info("%d examples", write_examples(options.out / name, examples))


def _in_parallel(
    read: Callable[[Work], Iterable[PicturedExample]], work: list[Work], processes: int
) -> Iterator[PicturedExample]:
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done, examples in enumerate(pool.imap_unordered(read, work, chunksize=4), 1):
            if done % LOG_EVERY == 0:
                log.info("%d of %d", done, len(work))
            yield from examples


if __name__ == "__main__":
    main()
