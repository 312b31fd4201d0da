"""The renderer: hostile files cost one decoder process and one document, and the text layer comes as it
is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from benchmarks.service.servers import wait_until
from docpipe.errors import CorruptError, InputError, TooLargeError
from docpipe.render import PDF, Limits, Renderer, SourceFile
from docpipe.render.decoder_process import PACKAGE_ROOT
from tests.support.processes import is_alive

PNG = "image/png"
PATIENT = Limits(seconds=300.0)  # no sound file needs so long, however busy the computer is


@pytest.fixture
def letter(tmp_path: Path) -> SourceFile:
    path = tmp_path / "letter.pdf"
    canvas = Canvas(str(path), pagesize=(400, 600))
    canvas.setFont("Helvetica", 20)
    canvas.drawString(40, 540, "Total 12.50")
    canvas.showPage()
    canvas.save()
    return SourceFile(path, PDF)


def decoder_pid(renderer: Renderer) -> int:
    return renderer._decoder.pid


def test_a_page_is_drawn_at_the_size_that_was_asked_for(renderer, letter):
    drawing = renderer.draw(letter, 1, max_side=900)
    assert drawing.image.size == (600, 900)
    assert drawing.image.mode == "RGB"
    assert drawing.image.getpixel((5, 5)) == (255, 255, 255)
    assert drawing.image.convert("L").getextrema()[0] < 60


def test_the_last_drawing_serves_smaller_ones_and_cannot_be_spoilt(renderer, letter):
    large = renderer.draw(letter, 1, max_side=900)
    large.image.paste("red", (0, 0, 600, 900))
    small = renderer.draw(letter, 1, max_side=300)
    assert small.image.size == (200, 300)
    assert small.image.getpixel((2, 2)) == (255, 255, 255)


def test_a_decoder_that_crashes_costs_one_request_and_the_next_one_works(letter, without_poppler):
    with Renderer(PATIENT) as renderer:
        renderer.sizes(letter)
        first = decoder_pid(renderer)
        os.kill(first, signal.SIGSEGV)
        with pytest.raises(CorruptError, match="SIGSEGV"):
            renderer.draw(letter, 1, max_side=100)
        assert renderer.draw(letter, 1, max_side=100).image.size == (67, 100)
        assert decoder_pid(renderer) != first


def test_a_crash_keeps_its_name_where_the_system_takes_long_to_end_the_decoder(letter, without_poppler, monkeypatch):
    with Renderer(PATIENT) as renderer:
        renderer.sizes(letter)
        process = renderer._decoder._process
        end_of = process.wait

        def slow_wait(timeout: float | None = None) -> int:
            if timeout is not None:
                raise subprocess.TimeoutExpired(process.args, timeout)
            return end_of()

        monkeypatch.setattr(process, "wait", slow_wait)
        os.kill(process.pid, signal.SIGSEGV)
        with pytest.raises(CorruptError, match="SIGSEGV"):
            renderer.draw(letter, 1, max_side=100)


def test_the_decoder_knows_no_passwords_of_ours(letter, monkeypatch):
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", "postgresql://clerk:geheim@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    with Renderer(PATIENT) as renderer:
        renderer.sizes(letter)
        environment = Path(f"/proc/{renderer._decoder.pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"geheim" not in environment


def test_a_decoder_that_hangs_is_ended_at_the_deadline(letter):
    with Renderer(PATIENT) as renderer:
        renderer.sizes(letter)
        first = decoder_pid(renderer)
        os.kill(first, signal.SIGSTOP)
        renderer._decoder._seconds = 0.5  # of this decoder, which does nothing any more, and of no other
        with pytest.raises(TooLargeError, match=r"took longer than 0\.5 seconds"):
            renderer.draw(letter, 1, max_side=100)
        assert not is_alive(first)
        assert len(renderer.sizes(letter)) == 1


def test_a_file_that_needs_more_memory_than_allowed_is_refused_and_the_run_goes_on(tmp_path, letter):
    wide = tmp_path / "wide.png"
    Image.new("L", (9_000, 8_000)).save(wide)
    small = tmp_path / "small.png"
    Image.new("L", (90, 80)).save(small)
    with Renderer(replace(PATIENT, memory_bytes=200 * 1024**2)) as renderer:
        with pytest.raises(InputError, match="memory"):
            renderer.draw(SourceFile(wide, PNG), 1, max_side=8_000)
        assert renderer.draw(SourceFile(small, PNG), 1, max_side=90).image.size == (90, 80)


def test_the_decoder_ends_when_its_parent_is_killed(letter):
    script = (
        "import sys, time; from pathlib import Path; from docpipe.render import PDF, Renderer, SourceFile\n"
        "renderer = Renderer(); renderer.sizes(SourceFile(Path(sys.argv[1]), PDF))\n"
        "print(renderer._decoder.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(letter.path)]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as parent:
        decoder = int(parent.stdout.readline())
        assert is_alive(decoder)
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_alive(decoder), "the decoder ends with its parent")


def test_closing_ends_the_decoder_and_a_later_request_starts_another(letter):
    renderer = Renderer(PATIENT)
    renderer.sizes(letter)
    pid = decoder_pid(renderer)
    renderer.close()
    assert not is_alive(pid)
    assert len(renderer.sizes(letter)) == 1
    renderer.close()


def test_threads_that_share_a_renderer_get_their_own_answers(tmp_path):
    paths = []
    for side in (100, 200, 300, 400):
        paths.append(tmp_path / f"{side}.png")
        Image.new("L", (side, 50), 255).save(paths[-1])
    sizes: dict[Path, set[tuple[int, int]]] = {path: set() for path in paths}
    with Renderer(PATIENT) as renderer:

        def draw(path: Path) -> None:
            for _ in range(10):
                sizes[path].add(renderer.draw(SourceFile(path, PNG), 1, max_side=1_000).image.size)

        threads = [threading.Thread(target=draw, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [sizes[path] for path in paths] == [{(side, 50)} for side in (100, 200, 300, 400)]


def test_a_long_pdf_takes_no_more_memory_than_a_short_one(tmp_path):
    canvas = Canvas(str(tmp_path / "long.pdf"))
    for number in range(400):
        canvas.drawString(72, 700, f"Page {number}")
        canvas.showPage()
    canvas.save()

    def peak(pages: int) -> int:
        with Renderer(PATIENT) as renderer:
            for number in range(1, pages + 1):
                renderer.draw(SourceFile(tmp_path / "long.pdf", PDF), number, max_side=600)
            status = Path(f"/proc/{decoder_pid(renderer)}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])

    assert peak(400) < peak(20) + 15_000  # kB


def test_characters_have_their_text_place_size_and_direction(renderer, letter):
    layer = renderer.characters(letter, 1)
    assert layer.text == "Total 12.50"
    assert np.allclose(layer.size, 20) and np.allclose(layer.angle, 0)
    assert not layer.invisible.any() and not layer.unmapped.any()
    left, top, right, bottom = layer.boxes[0]
    assert 0.09 < left < right < 0.15
    assert bottom == pytest.approx(0.1, abs=0.002)
    assert 0.07 < top < 0.08
    assert (layer.loose[:, 1] == layer.loose[0, 1]).all()


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_boxes_lie_on_the_ink_of_a_turned_and_cropped_page(tmp_path, renderer, letter, rotation):
    path = tmp_path / "turned.pdf"
    with pikepdf.open(letter.path) as file:
        file.pages[0].CropBox = [20, 100, 390, 590]
        file.pages[0].Rotate = rotation
        file.save(path)
    picture = renderer.draw(SourceFile(path, PDF), 1, max_side=1_200).image.convert("L")
    layer = renderer.characters(SourceFile(path, PDF), 1)
    printed = layer.boxes[[not letter.isspace() for letter in layer.text]]
    left, top = printed[:, :2].min(axis=0) * picture.size
    right, bottom = printed[:, 2:].max(axis=0) * picture.size
    ink = picture.point(lambda value: 255 if value < 128 else 0).getbbox()
    assert np.allclose((left, top, right, bottom), ink, atol=3)
    assert np.allclose(layer.angle, rotation)


def test_the_hidden_layer_under_a_scan_is_known_as_invisible(tmp_path, renderer):
    path = tmp_path / "hidden.pdf"
    canvas = Canvas(str(path))
    canvas.drawString(72, 700, "seen")
    text = canvas.beginText(72, 650)
    text.setTextRenderMode(3)
    text.textLine("hidden")
    canvas.drawText(text)
    canvas.drawString(72, 5_000, "off the page")
    canvas.save()
    layer = renderer.characters(SourceFile(path, PDF), 1)
    visible = "".join(letter for letter, hidden in zip(layer.text, layer.invisible, strict=True) if not hidden)
    assert visible.strip() == "seen"
    assert "hidden" in layer.text


def test_what_was_typed_into_a_form_is_in_the_text_layer(tmp_path, renderer):
    path = tmp_path / "form.pdf"
    canvas = Canvas(str(path))
    canvas.drawString(72, 755, "Name:")
    canvas.acroForm.textfield(name="name", value="Maria Rossi", x=120, y=750, width=200, height=20)
    canvas.save()
    assert "Maria Rossi" in renderer.characters(SourceFile(path, PDF), 1).text


def test_images_have_no_characters(tmp_path, renderer):
    path = tmp_path / "a.png"
    Image.new("L", (90, 80)).save(path)
    layer = renderer.characters(SourceFile(path, PNG), 1)
    assert layer.text == "" and layer.boxes.shape == (0, 4)


def test_page_objects_tell_scans_from_text(tmp_path, renderer, letter):
    scan, path = tmp_path / "scan.png", tmp_path / "scan.pdf"
    Image.new("L", (850, 1_100), 255).save(scan)
    canvas = Canvas(str(path), pagesize=(612, 792))
    canvas.drawImage(str(scan), 0, 0, 612, 792)
    canvas.save()
    objects = renderer.page_objects(SourceFile(path, PDF), 1)
    assert objects.image_cover == pytest.approx(1.0) and objects.image_dpi == pytest.approx(100.0, abs=0.5)
    objects = renderer.page_objects(letter, 1)
    assert (objects.image_cover, objects.image_dpi, objects.texts) == (0.0, 0.0, 1)
