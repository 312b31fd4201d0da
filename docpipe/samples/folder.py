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
from docpipe.samples.canvas.canvas import Drawn, nest
from docpipe.samples.degrade.scan import scan, style_of
from docpipe.samples.pictures import image_pdf, rasterise

SCAN_DPI = 150.0
TRIES = 400  # seeds looked through for a document with the wanted trait; the rarest trait is one in fifty
PASSWORD = "sample"  # noqa: S105 of a sample document, printed in its truth

Wanted = Callable[[Drawn], bool]


def write_folder(out: Path, seed: int) -> list[Path]:
    """Writes all samples and gives their paths."""
    lines: list[dict[str, Any]] = []
    written: list[Path] = []

    def put(name: str, drawn: Drawn, data: bytes, **more: Any) -> None:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)
        lines.append(truth_line(name, drawn, **more))

    _invoices(put, seed)
    _receipts_and_forms(put, seed)
    with (out / "truth.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return written


def write_many(out: Path, schema: str, count: int, seed: int, *, worn: bool) -> None:
    """`docs/` with that many documents of one type, and `labels.jsonl`: for benchmarks and for fitting the confidence.
    Worn documents are image-only PDFs, as from a scanner or a phone."""
    (out / "docs").mkdir(parents=True, exist_ok=True)
    with (out / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for number in range(seed, seed + count):
            drawn = draw(schema, number, fonts="standard")
            name = f"docs/{schema}-{number}.pdf"
            data = drawn.pdf
            if worn:
                data = image_pdf([scan(page, number, strength=0.7)[0] for page in rasterise(drawn, SCAN_DPI)], SCAN_DPI)
            (out / name).write_bytes(data)
            labels.write(json.dumps(truth_line(name, drawn), ensure_ascii=False) + "\n")


def truth_line(name: str, drawn: Drawn, **more: Any) -> dict[str, Any]:
    """One line of truth: fields as printed, and normalised."""
    printed = nest({placed.path: placed.text for placed in reversed(drawn.placed)})
    return {
        "file": name,
        "schema": drawn.schema,
        "language": drawn.language,
        "pages": drawn.pages,
        "adds_up": drawn.adds_up,
        "fields": printed,
        "fields_norm": drawn.truth,
        **more,
    }


def _invoices(put: Callable[..., None], seed: int) -> None:
    german = _find("invoice", seed, lambda drawn: drawn.pages == 1 and drawn.adds_up, "de")
    put("invoices/rechnung.pdf", german, german.pdf)
    long = _find("invoice", seed + 1000, lambda drawn: drawn.pages == 2 and drawn.adds_up, "en")
    put("invoices/two-pages.pdf", long, long.pdf)
    wrong = _find("invoice", seed + 2000, lambda drawn: not drawn.adds_up and drawn.pages == 1, "en")
    put("invoices/wrong-total.pdf", wrong, wrong.pdf)
    french = _find("invoice", seed + 3000, lambda drawn: drawn.pages == 1 and drawn.adds_up, "fr")
    scanned = [scan(picture, seed, strength=0.6)[0] for picture in rasterise(french, SCAN_DPI)]
    put("invoices/facture-scan.pdf", french, image_pdf(scanned, SCAN_DPI))
    italian = _find("invoice", seed + 4000, lambda drawn: drawn.pages == 2 and drawn.adds_up, "it")
    first, *rest = (picture.convert("L") for picture in rasterise(italian, SCAN_DPI))
    put(
        "invoices/fattura.tiff",
        italian,
        _saved(first, "TIFF", save_all=True, append_images=rest, compression="tiff_lzw", dpi=(SCAN_DPI, SCAN_DPI)),
    )
    dutch = _find("invoice", seed + 5000, lambda drawn: drawn.pages == 1 and drawn.adds_up, "nl")
    sideways = [picture.rotate(90, expand=True) for picture in rasterise(dutch, SCAN_DPI)]
    put("invoices/factuur-sideways.pdf", dutch, image_pdf(sideways, SCAN_DPI))
    spanish = _find("invoice", seed + 6000, lambda drawn: drawn.pages == 1 and drawn.adds_up, "es")
    put(
        "invoices/factura-locked.pdf",
        spanish,
        image_pdf(rasterise(spanish, SCAN_DPI), SCAN_DPI, PASSWORD),
        password=PASSWORD,
    )


def _receipts_and_forms(put: Callable[..., None], seed: int) -> None:
    till = _find("receipt", seed, lambda drawn: drawn.adds_up and "merchant_name" in drawn.truth, "en")
    put("receipts/receipt.png", till, _saved(rasterise(till, 200.0)[0], "PNG"))
    photographed = _find("receipt", seed + 1000, lambda drawn: drawn.adds_up, "de")
    picture, style = rasterise(photographed, 250.0)[0], _photo_seed(seed)
    put("receipts/kassenbon-photo.jpg", photographed, _saved(scan(picture, style, strength=0.7)[0], "JPEG", quality=85))
    indonesian = _find("receipt", seed + 2000, lambda drawn: drawn.adds_up, "id")
    worn = scan(rasterise(indonesian, 200.0)[0], seed + 3, strength=0.5)[0]
    put("receipts/struk-scan.pdf", indonesian, image_pdf([worn], 200.0))
    form = _find("form", seed, lambda drawn: len(drawn.placed) > 12, "en")
    put("forms/form.pdf", form, form.pdf)
    filing = _find("form", seed + 1000, lambda drawn: len(drawn.placed) > 12, "en")
    put("forms/form-scan.png", filing, _saved(scan(rasterise(filing, SCAN_DPI)[0], seed + 5, strength=0.4)[0], "PNG"))


def _photo_seed(seed: int) -> int:
    """The next seed for which `scan` photographs instead of scanning."""
    return next(number for number in range(seed, seed + TRIES) if style_of(number) == "photo")


def _find(schema: str, seed: int, wanted: Wanted, language: str) -> Drawn:
    for number in range(seed, seed + TRIES):
        drawn = draw(schema, number, language=language, fonts="standard")
        if wanted(drawn):
            return drawn
    raise ValueError(f"no {schema} with the wanted trait in {TRIES} seeds from {seed}")


def _saved(picture: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
