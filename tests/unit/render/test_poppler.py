"""PDFs that PDFium refuses and Poppler reads, with the real programs: pages, passwords, limits, and what is said."""

from __future__ import annotations

import io
import json
import os
import signal
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import ImageChops
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from benchmarks.service.servers import wait_until
from docpipe.cli import invoke
from docpipe.data import Document, Page
from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import PDF, Limits, Renderer, SourceFile
from docpipe.store.blobs import Blobs
from docpipe.store.jobs.prepared_pages import StoredPages, load_pages, save_pages
from tests.support.poppler import needs_poppler, without_header

POINTS = (400, 600)
PATIENT = Limits(seconds=300.0)  # no sound file needs so long, however busy the computer is


def letter(pages: int = 1) -> bytes:
    """With its font inside: which fonts the system has does not matter."""
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=POINTS)
    for number in range(1, pages + 1):
        canvas.rect(300, 200, 60, 30, fill=1)
        canvas.setFont("Vera", 20)
        canvas.drawString(40, 540, f"Page {number}")
        canvas.drawString(40, 500, "Total 12.50")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def locked(pdf: bytes) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as file:
        file.save(buffer, encryption=pikepdf.Encryption(user="secret", owner="owner", R=6))
    return buffer.getvalue()


def endless() -> bytes:
    """A page of forms in forms, each drawn ten times by the one around it: 10**12 rectangles."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(letter())) as file:
        form = file.make_stream(b"0 0 10 10 re f")
        form.update({"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": [0, 0, 400, 600]})
        for _ in range(12):
            outer = file.make_stream(b"/F Do " * 10)
            outer.update({"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": [0, 0, 400, 600]})
            outer.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
            form = outer
        page = file.pages[0]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
        page.Contents = file.make_stream(b"/F Do")
        file.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return buffer.getvalue()


def write(path: Path, content: bytes) -> SourceFile:
    path.write_bytes(content)
    return SourceFile(path, PDF)


def pages_of(path: Path, renderer: Renderer, password: str | None = None) -> tuple[Document, list[Page]]:
    document = ingest(path, renderer=renderer, password=password)
    return document, list(PageRasteriser(renderer).pages(document))


def engines(page: Page) -> list[str]:
    return [issue.code for issue in page.issues if issue.code.startswith("drawn_by")]


def drawing_processes(decoder: int) -> list[int]:
    """Those of Poppler that this decoder process has started and that have not ended."""
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_drawing = b"-scale-to" in (folder / "cmdline").read_bytes()
            if is_drawing and os.getpgid(int(folder.name)) == decoder:
                processes.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return processes


def limits_of_process(pid: int) -> dict[str, int]:
    """The soft ones that are set, by the names that the system gives them."""
    rows = [line.split("  ", 1) for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]]
    return {name: int(soft) for name, (soft, *_) in ((name, rest.split()) for name, rest in rows) if soft.isdigit()}


@needs_poppler
def test_every_page_that_poppler_draws_says_so_and_is_read(tmp_path, renderer):
    write(tmp_path / "a.pdf", without_header(letter(pages=3)))
    document, pages = pages_of(tmp_path / "a.pdf", renderer)
    assert document.page_count == 3
    assert [(page.number, page.width, page.height, page.blank) for page in pages] == [
        (number, 1111, 1667, False) for number in (1, 2, 3)
    ]
    for page in pages:
        [issue] = page.issues
        assert (issue.code, issue.severity, issue.page) == ("drawn_by_poppler", "info", page.number)
    read = PageReader(renderer).read(document, pages[1])
    assert read.lines == ("Page 2", "Total 12.50")
    assert engines(read) == ["drawn_by_poppler"]


def test_a_page_that_pdfium_draws_says_nothing(tmp_path, renderer):
    write(tmp_path / "a.pdf", letter())
    _, [page] = pages_of(tmp_path / "a.pdf", renderer)
    assert page.issues == ()


@needs_poppler
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_poppler_draws_what_pdfium_would(tmp_path, renderer, rotation):
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(letter())) as file:
        file.pages[0].CropBox = [20, 100, 390, 590]
        file.pages[0].Rotate = rotation
        file.save(buffer)
    sound = write(tmp_path / "sound.pdf", buffer.getvalue())
    refused = write(tmp_path / "refused.pdf", without_header(buffer.getvalue()))
    assert renderer.sizes(refused) == renderer.sizes(sound)
    drawings = [renderer.draw(source, 1, max_side=500) for source in (sound, refused)]
    assert [drawing.engine for drawing in drawings] == ["pdfium", "poppler"]
    ours, theirs = (drawing.image.convert("L") for drawing in drawings)
    assert ours.size == theirs.size
    upright, upside_down = (np.asarray(ImageChops.difference(ours, other)) for other in (theirs, theirs.rotate(180)))
    assert upright.mean() < upside_down.mean() / 4  # not zero: edges are smoothed otherwise


@needs_poppler
@pytest.mark.parametrize("password", ["secret", "owner"])
def test_an_encrypted_pdf_that_only_poppler_reads_needs_its_password(tmp_path, renderer, password):
    path = tmp_path / "locked.pdf"
    write(path, without_header(locked(letter(pages=2))))
    with pytest.raises(EncryptedError, match="it is encrypted"):
        ingest(path, renderer=renderer)
    with pytest.raises(EncryptedError, match="password is wrong"):
        ingest(path, renderer=renderer, password="guess")
    document, pages = pages_of(path, renderer, password)
    assert document.page_count == 2
    assert [engines(page) for page in pages] == [["drawn_by_poppler"]] * 2
    assert not any(page.blank for page in pages)


@needs_poppler
def test_a_page_keeps_the_engine_that_drew_it_first(tmp_path, renderer):
    source = write(tmp_path / "a.pdf", without_header(letter()))
    _, [page] = pages_of(source.path, renderer)
    assert page.image.engine == "poppler"
    assert page.image.turned(90).open(max_side=300).size == (300, 200)
    with pytest.raises(CorruptError):
        renderer.draw(source, 1, max_side=200, engine="pdfium")


@needs_poppler
def test_a_decoder_that_crashes_is_replaced_and_poppler_draws_the_page(tmp_path):
    source = write(tmp_path / "a.pdf", letter())
    with Renderer(PATIENT) as renderer:
        renderer.sizes(source)
        os.kill(renderer._decoder.pid, signal.SIGSEGV)
        assert renderer.draw(source, 1, max_side=300).engine == "poppler"
        renderer.close()
        assert renderer.draw(source, 1, max_side=300).engine == "pdfium"


def test_without_poppler_a_pdf_that_pdfium_refuses_is_corrupt(tmp_path, without_poppler):
    write(tmp_path / "a.pdf", without_header(letter()))
    with Renderer(PATIENT) as renderer, pytest.raises(CorruptError, match="damaged"):
        ingest(tmp_path / "a.pdf", renderer=renderer)


@needs_poppler
def test_where_both_refuse_the_reason_is_pdfiums(tmp_path, renderer):
    write(tmp_path / "a.pdf", without_header(letter())[:200])
    with pytest.raises(CorruptError, match="the PDF is damaged and cannot be opened, or has no page"):
        ingest(tmp_path / "a.pdf", renderer=renderer)


@needs_poppler
def test_popplers_programs_have_our_limits_and_end_when_the_time_is_up(tmp_path, monkeypatch):
    """The time is up, here, as soon as a program draws."""
    source = write(tmp_path / "endless.pdf", without_header(endless()))
    limits, programs_limits = Limits(seconds=300.0, memory_bytes=600 * 1024**2), []

    def wait_for_a_program(seconds: float) -> bool:
        assert 0 < seconds <= limits.seconds
        wait_until(lambda: bool(drawing_processes(decoder.pid)), "Poppler draws", poll_seconds=0.02)
        programs_limits.extend(limits_of_process(pid) for pid in drawing_processes(decoder.pid))
        return False  # no response

    with Renderer(limits) as renderer:
        assert len(renderer.sizes(source)) == 1
        decoder = renderer._decoder
        monkeypatch.setattr(decoder._pipe, "poll", wait_for_a_program)
        with pytest.raises(TooLargeError, match="took longer than 300 seconds"):
            renderer.draw(source, 1, max_side=500, engine="poppler")
        assert programs_limits
        for program_limits in programs_limits:
            assert program_limits["Max address space"] == int(0.6 * limits.memory_bytes)
            assert limits.seconds <= program_limits["Max cpu time"] < limits.seconds + 60
        wait_until(lambda: not drawing_processes(decoder.pid), "the programs end a moment after they were killed")
        good = write(tmp_path / "good.pdf", without_header(letter()))
        assert renderer.draw(good, 1, max_side=300).engine == "poppler"


@needs_poppler
def test_a_drawing_that_needs_too_much_memory_is_refused_and_the_next_file_is_drawn(tmp_path, renderer):
    source = write(tmp_path / "a.pdf", without_header(letter()))
    with pytest.raises(InputError):
        renderer.draw(source, 1, max_side=30_000)
    assert renderer.draw(source, 1, max_side=300).image.size == (200, 300)


@needs_poppler
def test_the_note_is_in_the_pages_that_workers_hand_on(tmp_path, renderer):
    write(tmp_path / "a.pdf", without_header(letter()))
    document, pages = pages_of(tmp_path / "a.pdf", renderer)
    blobs = Blobs(f"file://{tmp_path}/blobs")
    save_pages(blobs, "job", StoredPages(document, pages, {}))
    assert [engines(page) for page in load_pages(blobs, "job").pages] == [["drawn_by_poppler"]]


@needs_poppler
def test_the_note_is_in_the_result_and_in_what_the_store_has_of_it(tmp_path, monkeypatch):
    write(tmp_path / "a.pdf", without_header(letter()))
    (tmp_path / "script.json").write_text('{"total": "12.50"}')
    monkeypatch.setenv("DOCPIPE_SECONDS", str(PATIENT.seconds))
    database, model = f"sqlite:///{tmp_path}/a.db", f"scripted:{tmp_path}/script.json"
    run = ["run", str(tmp_path / "a.pdf"), "--schema", "receipt", "--model", model, "--jobs", "1", "--db", database]
    assert invoke([*run, "--output", str(tmp_path / "run.jsonl")]) == 0
    assert invoke(["export", "--db", database, str(tmp_path / "export.jsonl")]) == 0
    for name in ("run.jsonl", "export.jsonl"):
        line = json.loads((tmp_path / name).read_text())
        [issue] = [issue for issue in line["issues"] if issue["code"] == "drawn_by_poppler"]
        assert (issue["severity"], issue["field"]) == ("info", None)
        assert "page 1 was drawn by Poppler" in issue["message"]
        assert line["fields"]["total"]["evidence"][0]["page"] == 1
