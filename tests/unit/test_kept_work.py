"""Another run with other settings does not read pages again: the same result, from what an earlier run kept."""

from __future__ import annotations

import json
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from docpipe.batch.batch_worker import BatchPlan, DocumentWorker
from docpipe.batch.messages import FileTask, Finished
from docpipe.cascade import Cascade
from docpipe.components import ModelName
from docpipe.config import load_settings
from docpipe.data import Answer, Box, Candidate, Document, Evidence, Issue, Page, Widget, Word
from docpipe.extractors.generative.picture_extractor import PictureExtractor
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.kept_work import KeptReader, KeptWork, with_kept_answers
from docpipe.render import Renderer
from docpipe.render.source_file import SourceFile
from docpipe.samples import draw
from docpipe.schema import load_schema
from docpipe.serialise import answer_from_json, answer_to_json, page_from_json, page_to_json
from docpipe.store import SqlStore
from tests.support.command_line import FinishedRun, docpipe_run, draw_invoice, workplace
from tests.support.fake_backend import FakeBackend, replying_with
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of
from tests.support.stored import document

WORD = Word("Käse\udc80", Box(0.1, 0.2, 1 / 3, 0.1 + 0.2), 0.98765432101234567, "ocr", 3)


class NeverReads:
    """A reader and an extractor that nobody may ask."""

    name, batch_size = "scripted:never", 1

    def read(self, document: Document, page: Page) -> Page:
        raise AssertionError(f"page {page.number} is read again")

    def read_words(self, page: Page, boxes: Any) -> list[Word]:
        raise AssertionError(f"words of page {page.number} are read again")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A picture of a receipt that lies on its side."""
    (tmp_path / "receipt.pdf").write_bytes(draw("receipt", 5, fonts="standard").pdf)
    with closing(Renderer()) as renderer:
        source = SourceFile(tmp_path / "receipt.pdf", "application/pdf")
        picture = renderer.draw(source, 1, max_side=1_600).image
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "receipt.png")
    return tmp_path / "receipt.png"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A PDF with a text layer, of which single words are read again from the picture."""
    (tmp_path / "invoice.pdf").write_bytes(draw("invoice", 7, fonts="standard").pdf)
    return tmp_path / "invoice.pdf"


def worker_of(accept_error: str, schema: str) -> DocumentWorker:
    settings = load_settings({"DOCPIPE_ACCEPT_ERROR": accept_error})
    return BatchPlan(load_schema(schema), ModelName.parse("embedded"), settings)()


def processed(worker: DocumentWorker, path: Path, kept: dict[str, bytes]) -> Finished:
    return worker.process(FileTask(path), lambda _: kept)


@pytest.mark.parametrize(("name", "schema"), [("scan", "receipt"), ("layer", "invoice")])
def test_with_another_error_allowed_the_result_is_the_same_as_if_all_was_read_again(name, schema, request):
    path = request.getfixturevalue(name)
    with closing(worker_of("0.2", schema)) as worker:
        first = processed(worker, path, {})
    with closing(worker_of("0.01", schema)) as worker:
        anew = processed(worker, path, {}).extraction
        components = worker.components
        worker.components = replace(
            components,
            parts=replace(
                components.parts,
                reader=NeverReads(),
                extractor=Named(components.parts.extractor.name),
            ),
        )
        again = processed(worker, path, dict(first.kept)).extraction
    assert first.extraction.run_key != again.run_key == anew.run_key
    assert again.fields == anew.fields
    assert again.issues == anew.issues
    assert {field.path for field in again.fields if field.value is not None}
    assert sum(field.accepted for field in again.fields) < sum(field.accepted for field in first.extraction.fields)


class Named(NeverReads):
    """An extractor with this name, of which nobody may ask anything."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_the_words_are_used_for_another_schema_too(layer):
    with closing(worker_of("0.01", "invoice")) as worker:
        kept = dict(processed(worker, layer, {}).kept)
    with closing(worker_of("0.01", "receipt")) as worker:
        anew = processed(worker, layer, {})
        words = {key: content for key, content in kept.items() if key.startswith("page ")}
        again = processed(worker, layer, words)
    assert again.extraction.fields == anew.extraction.fields
    assert words
    assert not words.keys() & again.kept.keys()


def test_a_second_run_takes_what_the_first_has_kept_and_force_reads_again(tmp_path):
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf")
    assert docpipe_run(tmp_path, "docs", "--accept-error", "0.02").code == 0
    with SqlStore(f"sqlite:///{tmp_path / 'test.db'}") as store:
        (stored,) = store.results()
        ((preparation_key,),) = set(_query(store, "SELECT preparation_key FROM kept_work"))
        entries = store.kept_work(stored.document.id, preparation_key)
        page = json.loads(zlib.decompress(entries["page 1"]))
        assert [word[0] for word in page["words"]][:2] == ["Nordwind", "Papier"]
        page["words"] = [["R-9999" if word[0] == "R-2041" else word[0], *word[1:]] for word in page["words"]]
        changed = {"page 1": zlib.compress(json.dumps(page).encode())}
        store.keep_work(stored.document.id, preparation_key, changed)
    result = run_again(tmp_path, "0.01")
    assert "R-2041" not in quotes(result.lines()["a.pdf"])
    forced = run_again(tmp_path, "0.01", "--force")
    assert "R-2041" in quotes(forced.lines()["a.pdf"])
    later = run_again(tmp_path, "0.03")
    assert "R-2041" in quotes(later.lines()["a.pdf"]), "what was read again is kept instead"


def run_again(folder: Path, accept_error: str, *options: str) -> FinishedRun:
    return docpipe_run(folder, "docs", "--accept-error", accept_error, "--output", "out.jsonl", *options)


def quotes(record: dict[str, Any]) -> str:
    """All texts of evidence in a line of a result file."""
    return json.dumps(record["fields"]["invoice_number"]["evidence"])


def _query(store: SqlStore, sql: str) -> list[tuple[Any, ...]]:
    with store._engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_nothing_is_kept_where_the_setting_says_so(tmp_path):
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf")
    assert docpipe_run(tmp_path, "docs", DOCPIPE_KEEP_WORK="false").query("SELECT count(*) FROM kept_work") == [(0,)]


def test_entries_are_of_one_preparation_and_go_with_their_document(database_url):
    with SqlStore(database_url) as store:
        store.add(document())
        store.keep_work(document().id, "6 dpi=200", {"page 1": b"a", "page 2": b"b"})
        store.keep_work(document().id, "6 dpi=200", {"page 1": b"c"})
        assert store.kept_work(document().id, "6 dpi=200") == {"page 1": b"c", "page 2": b"b"}
        assert store.kept_work(document().id, "7 dpi=200") == {}
        store.keep_work(document().id, "7 dpi=200", {"page 1": b"d"})
        assert store.kept_work(document().id, "6 dpi=200") == {}, "no later run asks for them"


def test_pages_and_answers_come_back_the_same():
    widget = Widget("a.b", "Name", "text", Box(0, 0, 1, 1), "Ä")
    page = Page(2, 300, 400, 200.5, None, (WORD,), 90, False, (Issue("c", "m", "info", page=2),), (widget,))
    assert page_from_json(json.loads(json.dumps(page_to_json(page)))) == page
    quote = Evidence(1, WORD.box, "x", "normalised")
    candidate = Candidate("a[0].b", "x", 1 / 3, (quote,), {"margin": 0.1})
    answer = Answer((candidate,), {"b": 2 / 3}, "length", 7, 2, (Issue("c", "m"),), "invoice", 3, 0.25)
    assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer


@pytest.mark.parametrize("content", [b"", b"\x00", zlib.compress(b"{"), zlib.compress(b"[1]"), zlib.compress(b"{}")])
def test_an_entry_that_cannot_be_read_is_read_again(content):
    class Reads:
        def read(self, document: Document, page: Page) -> Page:
            return replace(page, words=(WORD,))

    kept = KeptWork({"page 1": content})
    assert KeptReader(Reads(), kept).read(document(), page_of([])).words == (WORD,)
    assert kept.new.keys() == {"page 1"}


def test_a_page_that_could_not_be_read_is_tried_again():
    unreadable = replace(page_of([]), issues=(Issue("page_unreadable", "too slow", "error", page=1),))

    class Fails:
        def read(self, document: Document, page: Page) -> Page:
            return unreadable

    kept = KeptWork()
    assert KeptReader(Fails(), kept).read(document(), page_of([])) == unreadable
    assert not kept.new


def test_each_model_of_a_cascade_is_asked_the_same_only_once_and_costs_only_once():
    schema = load_schema("receipt")
    backend = FakeBackend(replying_with({"total": "80.90"}, tokens_in=100))
    cascade = Cascade(ScriptedExtractor({"total": "8.90"}), PictureExtractor(backend))
    pages = [with_blank_image(page_of(["Total 80.90"]))]
    kept = KeptWork()
    first = with_kept_answers(cascade, kept, (1_280,))
    paid = first.second.extract(pages, schema.only(["total"]))
    assert first.extract(pages, schema).candidates[0].text == "8.90"
    again = with_kept_answers(cascade, KeptWork(kept.new), (1_280,))
    (free,) = again.second.extract_many([pages], schema.only(["total"]))
    assert again.first.extract(pages, schema).candidates[0].text == "8.90"
    assert len(backend.prompts) == 1
    assert (paid.tokens_in, free.tokens_in) == (100, 0)
    assert free.candidates == paid.candidates
    again.second.extract(pages, schema.only(["date"]))
    assert len(backend.prompts) == 2, "another question"
