"""What it costs to keep a page's picture for larger models, and what the embedded network makes of it.

    python -m benchmarks.service.kept_pictures [--documents 6]

In: drawn invoices, receipts and forms, with a text layer and as scans of 200 dpi. Out: Markdown on standard output:
bytes and milliseconds a page at each size, and how many of the embedded network's answers from kept pictures differ
from those of `docpipe run`: where the picture of its own size is kept, and where a larger one is made smaller.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter

from docpipe import pipeline
from docpipe.components import Components, ModelName, load_components
from docpipe.config import load_settings
from docpipe.data import Extraction, PreparedDocument
from docpipe.samples import draw
from docpipe.samples.pictures import image_pdf, rasterise
from docpipe.schema import load_schema
from docpipe.store.blobs import Blobs
from docpipe.store.jobs.prepared_pages import StoredPages, load_pages, picture_key, save_pages

SCHEMAS = ("invoice", "receipt", "form")
FIRST_SEED = 7_000_600  # of drawings that nothing was trained on
SMALL_PICTURES, LARGE_PICTURES = ModelName.parse("embedded,hf:any").picture_sides
JOB = "ab" + "1" * 30
SIDES: Sequence[tuple[int, ...]] = ((SMALL_PICTURES,), (LARGE_PICTURES,), (SMALL_PICTURES, LARGE_PICTURES))


@dataclass
class PictureCost:
    """Of pages, by size."""

    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def measured(
    components: Components, blobs: Blobs, path: Path, schema: str, costs: dict[int, PictureCost]
) -> Iterator[tuple[str, int]]:
    """How many fields differ, by what was kept."""
    document, loaded_schema = components.open(path), load_schema(schema)
    run = pipeline.identify_run(document, loaded_schema, components.parts, components.policy)
    prepared = pipeline.prepare(document, rasteriser=components.parts.rasteriser, reader=components.parts.reader)

    def understood(pages: PreparedDocument) -> Extraction:
        return pipeline.understand(
            pages, loaded_schema, extractor=components.parts.extractor, run=run, policy=components.policy
        )

    components.renderer.close()  # forgets the last drawing, of which it would make a smaller one
    expected = {field.path: field for field in understood(prepared).fields}
    yield "fields", len(expected)
    for sides in SIDES:
        components.renderer.close()
        next(page for page in prepared.pages if page.image is not None).image.open(max_side=1)  # starts it
        started = perf_counter()
        save_pages(blobs, JOB, StoredPages(document, prepared.pages, prepared.timings), sides=sides)
        drawn = [page for page in prepared.pages if page.image is not None and not page.blank]
        if len(sides) == 1 and drawn:
            costs[sides[0]].seconds.append((perf_counter() - started) / len(drawn))
            costs[sides[0]].sizes += [len(blobs.get(picture_key(JOB, page.number))) for page in drawn]
        stored = load_pages(blobs, JOB)
        actual = {field.path: field for field in understood(PreparedDocument(stored.pages, stored.timings)).fields}
        name = " and ".join(f"{side:,}" for side in sides)
        both = [(expected[path], actual[path]) for path in expected if path in actual]
        yield f"{name}: values", len(expected) - sum(field.value == other.value for field, other in both)
        yield f"{name}: accepted", len(expected) - sum(field.accepted == other.accepted for field, other in both)
        yield f"{name}: confidence", len(expected) - sum(field.confidence == other.confidence for field, other in both)


def main() -> None:
    parser = argparse.ArgumentParser(description="What larger kept pictures cost.")
    parser.add_argument("--documents", type=int, default=6, help="of each sort")
    options = parser.parse_args()
    components = load_components(ModelName("embedded"), load_settings({}), threads=1)
    differ: Counter[str] = Counter()
    print("| kept pictures | bytes a page, mean and largest | milliseconds a page: draw, write |\n|---|---|---|")
    with TemporaryDirectory(prefix="docpipe-kept-") as folder:
        blobs = Blobs(f"{folder}/blobs")
        for sort in ("text layer", "scanned"):
            costs = {side: PictureCost() for side in (SMALL_PICTURES, LARGE_PICTURES)}
            for number in range(options.documents):
                schema = SCHEMAS[number % len(SCHEMAS)]
                drawing = draw(schema, FIRST_SEED + number, fonts="standard")
                path = Path(folder, f"{sort}-{number}.pdf")
                path.write_bytes(drawing.pdf if sort == "text layer" else image_pdf(rasterise(drawing, 200), 200))
                for label, count in measured(components, blobs, path, schema, costs):
                    differ[label] += count
            for side, cost in costs.items():
                sizes = f"{mean(cost.sizes):,.0f}, {max(cost.sizes):,}"
                print(f"| {sort}, {side:,} pixels | {sizes} | {1000 * mean(cost.seconds):.0f} |")
    components.close()
    print("\n| of the embedded network's fields | differ from `docpipe run` |\n|---|---|")
    for label, count in differ.items():
        print(f"| {label} | {count:,} |")


if __name__ == "__main__":
    main()
