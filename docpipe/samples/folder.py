"""A folder of a dozen varied documents with their truth, for the first run.

In: a folder and a seed. Out: `invoices/`, `receipts/`, `forms/` and `truth.jsonl`, one line per file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docpipe.samples import draw
from docpipe.samples.canvas.canvas import SampleDocument, nested_values
from docpipe.samples.degrade.scan import capture_kind, degrade_page
from docpipe.samples.pictures import image_pdf, rasterise

SCAN_DPI = 150.0
MAX_TRIES = 400  # seeds looked through for a document with the wanted trait; the rarest trait is one in fifty
PASSWORD = "sample"  # noqa: S105 of a sample document, printed in its truth

Trait = Callable[[SampleDocument], bool]


def write_folder(out: Path, seed: int) -> list[Path]:
    """Writes all samples and gives their paths."""
    lines: list[dict[str, Any]] = []
    written: list[Path] = []

    def put(name: str, sample: SampleDocument, data: bytes, **more: Any) -> None:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)
        lines.append(truth_line(name, sample, **more))

    _invoices(put, seed)
    _receipts_and_forms(put, seed)
    with (out / "truth.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return written


def write_many(out: Path, schema: str, count: int, seed: int, *, degraded: bool) -> None:
    """`docs/` with that many documents of one type, and `labels.jsonl`: for benchmarks and for fitting the confidence.
    Worn documents are image-only PDFs, as from a scanner or a phone."""
    (out / "docs").mkdir(parents=True, exist_ok=True)
    with (out / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for number in range(seed, seed + count):
            sample = draw(schema, number, fonts="standard")
            name = f"docs/{schema}-{number}.pdf"
            data = sample.pdf
            if degraded:
                data = image_pdf(
                    [degrade_page(page, number, strength=0.7)[0] for page in rasterise(sample, SCAN_DPI)], SCAN_DPI
                )
            (out / name).write_bytes(data)
            labels.write(json.dumps(truth_line(name, sample), ensure_ascii=False) + "\n")


def truth_line(name: str, sample: SampleDocument, **more: Any) -> dict[str, Any]:
    """One line of truth: fields as printed, and normalised."""
    printed = nested_values({placed.path: placed.text for placed in reversed(sample.printed_values)})
    return {
        "file": name,
        "schema": sample.schema,
        "language": sample.language,
        "pages": sample.page_count,
        "adds_up": sample.adds_up,
        "fields": printed,
        "fields_norm": sample.truth,
        **more,
    }


def _invoices(put: Callable[..., None], seed: int) -> None:
    german = _find("invoice", seed, lambda sample: sample.page_count == 1 and sample.adds_up, "de")
    put("invoices/rechnung.pdf", german, german.pdf)
    long = _find("invoice", seed + 1000, lambda sample: sample.page_count == 2 and sample.adds_up, "en")
    put("invoices/two-pages.pdf", long, long.pdf)
    wrong = _find("invoice", seed + 2000, lambda sample: not sample.adds_up and sample.page_count == 1, "en")
    put("invoices/wrong-total.pdf", wrong, wrong.pdf)
    french = _find("invoice", seed + 3000, lambda sample: sample.page_count == 1 and sample.adds_up, "fr")
    scanned = [degrade_page(picture, seed, strength=0.6)[0] for picture in rasterise(french, SCAN_DPI)]
    put("invoices/facture-scan.pdf", french, image_pdf(scanned, SCAN_DPI))
    italian = _find("invoice", seed + 4000, lambda sample: sample.page_count == 2 and sample.adds_up, "it")
    first, *rest = (picture.convert("L") for picture in rasterise(italian, SCAN_DPI))
    put(
        "invoices/fattura.tiff",
        italian,
        _saved(first, "TIFF", save_all=True, append_images=rest, compression="tiff_lzw", dpi=(SCAN_DPI, SCAN_DPI)),
    )
    dutch = _find("invoice", seed + 5000, lambda sample: sample.page_count == 1 and sample.adds_up, "nl")
    sideways = [picture.rotate(90, expand=True) for picture in rasterise(dutch, SCAN_DPI)]
    put("invoices/factuur-sideways.pdf", dutch, image_pdf(sideways, SCAN_DPI))
    spanish = _find("invoice", seed + 6000, lambda sample: sample.page_count == 1 and sample.adds_up, "es")
    put(
        "invoices/factura-locked.pdf",
        spanish,
        image_pdf(rasterise(spanish, SCAN_DPI), SCAN_DPI, PASSWORD),
        password=PASSWORD,
    )


def _receipts_and_forms(put: Callable[..., None], seed: int) -> None:
    till = _find("receipt", seed, lambda sample: sample.adds_up and "merchant_name" in sample.truth, "en")
    put("receipts/receipt.png", till, _saved(rasterise(till, 200.0)[0], "PNG"))
    photographed = _find("receipt", seed + 1000, lambda sample: sample.adds_up, "de")
    picture, style = rasterise(photographed, 250.0)[0], _photo_seed(seed)
    put(
        "receipts/kassenbon-photo.jpg",
        photographed,
        _saved(degrade_page(picture, style, strength=0.7)[0], "JPEG", quality=85),
    )
    indonesian = _find("receipt", seed + 2000, lambda sample: sample.adds_up, "id")
    worn = degrade_page(rasterise(indonesian, 200.0)[0], seed + 3, strength=0.5)[0]
    put("receipts/struk-scan.pdf", indonesian, image_pdf([worn], 200.0))
    form = _find("form", seed, lambda sample: len(sample.printed_values) > 12, "en")
    put("forms/form.pdf", form, form.pdf)
    filing = _find("form", seed + 1000, lambda sample: len(sample.printed_values) > 12, "en")
    put(
        "forms/form-scan.png",
        filing,
        _saved(degrade_page(rasterise(filing, SCAN_DPI)[0], seed + 5, strength=0.4)[0], "PNG"),
    )


def _photo_seed(seed: int) -> int:
    """The next seed for which `scan` photographs instead of scanning."""
    return next(number for number in range(seed, seed + MAX_TRIES) if capture_kind(number) == "photo")


def _find(schema: str, seed: int, wanted: Trait, language: str) -> SampleDocument:
    for number in range(seed, seed + MAX_TRIES):
        sample = draw(schema, number, language=language, fonts="standard")
        if wanted(sample):
            return sample
    raise ValueError(f"no {schema} with the wanted trait in {MAX_TRIES} seeds from {seed}")


def _saved(picture: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
