"""Taking files in: what a file is comes from its bytes, every refusal says why, and no file is lost."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError, UnsupportedError
from docpipe.ingest import find_files, ingest
from docpipe.render import Limits, Renderer


def pdf(path: Path, pages: int = 1) -> Path:
    canvas = Canvas(str(path), invariant=1)
    for number in range(1, pages + 1):
        canvas.drawString(72, 700, f"Invoice page {number}")
        canvas.showPage()
    canvas.save()
    return path


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_document_is_known_by_the_sha256_of_its_bytes(tmp_path, renderer):
    path = pdf(tmp_path / "a.pdf", pages=3)
    document = ingest(path, renderer=renderer)
    assert document.id == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (document.name, document.size, document.page_count) == ("a.pdf", path.stat().st_size, 3)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/tiff"), ("WEBP", "image/webp")],
)
def test_what_an_image_is_comes_from_its_bytes_not_from_its_name(tmp_path, renderer, kind, media_type):
    path = tmp_path / "scan.pdf"
    path.write_bytes(encoded(kind))
    document = ingest(path, renderer=renderer)
    assert (document.media_type, document.page_count) == (media_type, 1)


def test_a_pdf_may_have_any_name_and_junk_before_its_header(tmp_path, renderer):
    plain = pdf(tmp_path / "plain.pdf").read_bytes()
    path = tmp_path / "Rechnung ä中.txt"
    path.write_bytes(b"junk from a mail gateway\r\n" + plain)
    assert ingest(path, renderer=renderer).media_type == "application/pdf"


def docx() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (docx(), "a Word document"),
        (b"PK\x03\x04" + b"\0" * 60, "a zip archive"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"Dear Sir, please find attached", "a text file"),
        (b"GIF89a" + b"\0" * 60, "a GIF image"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1", "an AVIF image"),
        (b"From: a@example.org\r\nSubject: invoice\r\n", "an e-mail"),
        (bytes(range(256)), "an unknown kind"),
    ],
)
def test_a_file_that_is_no_document_is_refused_and_named(tmp_path, renderer, content, words):
    path = tmp_path / "invoice.pdf"
    path.write_bytes(content)
    with pytest.raises(UnsupportedError, match=words) as caught:
        ingest(path, renderer=renderer)
    assert "Convert it to PDF" in caught.value.hint


def test_an_empty_file_is_corrupt_and_says_so(tmp_path, renderer):
    path = tmp_path / "a.jpg"
    path.touch()
    with pytest.raises(CorruptError, match="empty"):
        ingest(path, renderer=renderer)


def test_a_folder_a_missing_file_and_a_pipe_are_refused_without_waiting(tmp_path, renderer):
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path, "folder"), (tmp_path / "none.pdf", "no such file"), (tmp_path / "pipe", "pipe")):
        with pytest.raises(InputError, match=words) as caught:
            ingest(path, renderer=renderer)
        assert caught.value.hint


def test_an_encrypted_pdf_opens_with_its_password_only(tmp_path, renderer):
    path = tmp_path / "locked.pdf"
    with pikepdf.open(pdf(tmp_path / "open.pdf")) as file:
        file.save(path, encryption=pikepdf.Encryption(user="secret", owner="owner"))
    with pytest.raises(EncryptedError, match="encrypted") as caught:
        ingest(path, renderer=renderer)
    assert "--password" in caught.value.hint
    with pytest.raises(EncryptedError, match="password is wrong"):
        ingest(path, renderer=renderer, password="guess")
    document = ingest(path, renderer=renderer, password="secret")
    assert document.page_count == 1
    assert "secret" not in repr(document)


def test_a_pdf_without_pages_is_corrupt(tmp_path, renderer):
    path = tmp_path / "none.pdf"
    with pikepdf.new() as file:
        file.save(path)
    with pytest.raises(CorruptError, match="page"):
        ingest(path, renderer=renderer)


def test_limits_on_bytes_pages_and_pixels_are_kept(tmp_path):
    three_pages = pdf(tmp_path / "three.pdf", pages=3)
    picture = tmp_path / "large.png"
    Image.new("1", (400, 300)).save(picture)
    with Renderer(Limits(max_pages=2, max_pixels=100_000)) as renderer:
        with pytest.raises(TooLargeError, match="3 pages"):
            ingest(three_pages, renderer=renderer)
        with pytest.raises(TooLargeError, match="400 x 300 pixels"):
            ingest(picture, renderer=renderer)
    with Renderer(Limits(max_bytes=100)) as renderer, pytest.raises(TooLargeError, match="bytes"):
        ingest(three_pages, renderer=renderer)


def test_a_folder_gives_every_file_in_order_and_skips_only_hidden_files_and_sidecars(tmp_path):
    for name in ("b.pdf", "a.txt", "sub/c.pdf", ".DS_Store", ".git/config", "Thumbs.db", "sub/desktop.ini"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path])] == ["a.txt", "b.pdf", "sub/c.pdf"]


def test_a_hidden_file_that_is_named_is_taken_and_a_missing_one_is_not_lost(tmp_path):
    hidden = tmp_path / ".scan.pdf"
    hidden.write_bytes(b"x")
    missing = tmp_path / "missing.pdf"
    assert list(find_files([hidden, missing])) == [hidden, missing]


def test_a_file_named_twice_comes_once_but_a_copy_comes_too(tmp_path):
    for name in ("a.pdf", "copy of a.pdf"):
        (tmp_path / name).write_bytes(b"same")
    assert len(list(find_files([tmp_path, tmp_path / "a.pdf", str(tmp_path)]))) == 2


def test_links_that_loop_end_and_a_dangling_link_is_reported(tmp_path, renderer):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "lost.pdf").symlink_to(tmp_path / "gone.pdf")
    assert list(find_files([tmp_path])) == [tmp_path / "lost.pdf"]
    with pytest.raises(InputError, match="no such file"):
        ingest(tmp_path / "lost.pdf", renderer=renderer)
