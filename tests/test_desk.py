"""A worker's desk, in this process: a document goes through and gives what `docpipe run` gives; whatever goes wrong on the
way ends in SQL, with its reason."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pikepdf
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from PIL import Image

from docpipe import pipeline
from docpipe.api import Kit, choose_kit, extract
from docpipe.data import Extraction
from docpipe.errors import DocpipeError, InputError, MissingError, StoreError
from docpipe.render import Limits
from docpipe.result import record
from docpipe.samples import draw
from docpipe.samples.pictures import image_pdf, rasterise
from docpipe.schema import load_schema
from docpipe.service import Service
from docpipe.store.blobs import original_key, prefix_of
from docpipe.store.jobs import MOST_ATTEMPTS, MOST_SETBACKS, Job, JobStore
from docpipe.store.prepared import picture_key
from docpipe.store.service_tables import jobs
from docpipe.store.sql import SqlStore
from docpipe.store.tables import documents, extractions
from docpipe.store.usage import UsageStore
from tests.serving import SCRIPT, lease_over, pdf, rows, script, serving, set_of, submit, wait_over
from workers import desk as module
from workers.desk import Desk

AS_SURE = 0.05  # of a confidence: the workers' pictures are smaller than those that `docpipe run` draws anew


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def service(folder: Path, redis_url: str) -> Iterator[Service]:
    with serving(folder, broker_url=redis_url) as service:
        yield service


@contextmanager
def at(service: Service) -> Iterator[Desk]:
    desk = Desk(service)
    try:
        yield desk
    finally:
        desk._renderer.close()
        for kit in desk._kits.values():
            kit.close()


@pytest.fixture
def desk(service: Service) -> Iterator[Desk]:
    with at(service) as desk:
        yield desk


def worked(desk: Desk, job: Job) -> Job:
    """After both stages."""
    desk.prepare(job.id)
    desk.understand(job.id)
    found = desk.service.jobs.get(job.id)
    assert found is not None
    return found


def result(service: Service, job: Job) -> Extraction:
    return service.store.find(job.run_key).extraction


@pytest.fixture(scope="module")
def kit() -> Iterator[Kit]:
    """What a process of `docpipe run` works with."""
    kit = choose_kit("embedded", 0.01, Limits(), threads=1)
    yield kit
    kit.close()


def scanned(schema: str, seed: int) -> bytes:
    return image_pdf(rasterise(draw(schema, seed, fonts="standard"), 150), 150)


SAMPLES = {
    "an invoice": ("invoice", lambda: draw("invoice", 7_000_401, fonts="standard").pdf),
    "a scanned receipt": ("receipt", lambda: scanned("receipt", 7_000_402)),
    "a form": ("form", lambda: draw("form", 7_000_403, fonts="standard").pdf),
    "an invoice of which nobody said so": ("auto", lambda: draw("invoice", 7_000_404, fonts="standard").pdf),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_document_gives_what_docpipe_run_gives(folder, redis_url, kit, sample):
    name, make = SAMPLES[sample]
    content = make()
    (folder / "it.pdf").write_bytes(content)
    schema = load_schema(name)
    expected = pipeline.extract(kit.open(folder / "it.pdf"), schema, kit.parts, kit.judge)
    with serving(folder, broker_url=redis_url, model="embedded") as service, at(service) as desk:
        job = worked(desk, submit(service, content, "it.pdf", schema=name))
        assert (job.state, job.status, job.run_key) == ("done", expected.status, expected.run_key)
        found = result(service, job)
        assert len(expected.fields) > 3
        assert [_without_numbers(field) for field in found.fields] == [_without_numbers(f) for f in expected.fields]
        for one, other in zip(found.fields, expected.fields, strict=True):
            assert one.confidence == pytest.approx(other.confidence, abs=AS_SURE), one.path
        assert {issue.code for issue in found.issues} == {issue.code for issue in expected.issues}
        facts = {"fields": (), "issues": (), "timings": {}}
        assert replace(found, **facts) == replace(expected, **facts)
        assert found.timings.keys() == expected.timings.keys()
        answer = service.answer(job)
        told = record(found, "it.pdf", schema.chosen(found.schema))
        assert answer == told and answer["fields"].keys() == record(expected, "it.pdf", schema)["fields"].keys()


def _without_numbers(field: Any) -> Any:
    return replace(field, confidence=0.0, signals={})


def test_a_document_is_counted_once_with_its_pages_and_values(desk, service):
    job = worked(desk, submit(service, pdf(pages=2)))
    (row,) = UsageStore(service.database).sums("schema", "outcome")
    valued = [field for field in result(service, job).fields if field.value is not None]
    assert (row["schema"], row["outcome"], row["documents"], row["pages"]) == ("invoice", "needs_review", 1.0, 2.0)
    assert row["fields"] == len(valued) == len(SCRIPT)
    assert row["read_seconds"] > 0.0


def locked() -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as file:
        file.save(buffer, encryption=pikepdf.Encryption(user="u", owner="o"))
    return buffer.getvalue()


BAD = {
    "encrypted": locked,
    "corrupt": lambda: pdf()[:400],
    "unsupported": lambda: b"MZ a program",
    "too_large": lambda: pdf(pages=4),
}


@pytest.mark.parametrize("code", BAD)
def test_a_document_that_cannot_be_processed_fails_as_on_the_command_line(folder, redis_url, monkeypatch, code):
    content = BAD[code]()
    monkeypatch.setenv("DOCPIPE_MAX_PAGES", "3")
    with pytest.raises(InputError) as caught:
        extract(content, "invoice", model=script(folder))
    with serving(folder, broker_url=redis_url, max_pages=3) as service, at(service) as desk:
        job = submit(service, content, "bad.pdf")
        desk.prepare(job.id)
        job = service.jobs.get(job.id)
        error = {"code": code, "message": caught.value.message, "hint": caught.value.hint}
        assert (job.state, job.error) == ("failed", error)
        assert service.answer(job)["error"] == error
        assert (service.answer(job)["status"], service.answer(job)["file"]) == ("failed", "bad.pdf")
        assert service.store.get(job.document_id).error == error, "`docpipe run` and export see it as well"
        desk.understand(job.id)
        assert service.jobs.get(job.id) == job


def test_an_original_that_is_gone_fails_and_says_so(desk, service):
    job = submit(service)
    service.blobs.delete(original_key(job.id))
    desk.prepare(job.id)
    failed = service.jobs.get(job.id)
    assert (failed.state, failed.error["code"]) == ("failed", "missing")
    assert "DOCPIPE_BLOB_URL" in failed.error["hint"]


def test_an_original_that_is_not_the_one_that_was_taken_in_fails_and_says_so(desk, service):
    job = submit(service)
    service.blobs.put(original_key(job.id), pdf("another document"))
    desk.prepare(job.id)
    failed = service.jobs.get(job.id)
    assert (failed.state, failed.error["code"]) == ("failed", "missing")
    assert "damaged" in failed.error["message"] and "bill.pdf" in failed.error["message"]


def lose_pages(service: Service, job: Job) -> None:
    service.blobs.delete(f"{prefix_of(job.id)}/pages.json")


def damage_pages(service: Service, job: Job) -> None:
    service.blobs.put(f"{prefix_of(job.id)}/pages.json", b'{"format": 1')


def damage_picture(service: Service, job: Job) -> None:
    content = service.blobs.get(picture_key(job.id, 1))
    service.blobs.put(picture_key(job.id, 1), content[: len(content) // 2])


@pytest.mark.parametrize("damage", [lose_pages, damage_pages, damage_picture])
def test_pages_that_are_lost_between_the_stages_are_read_again(folder, redis_url, damage):
    model = "embedded" if damage is damage_picture else script(folder)
    with serving(folder, broker_url=redis_url, model=model) as service, at(service) as desk:
        job = submit(service)
        desk.prepare(job.id)
        damage(service, job)
        desk.understand(job.id)
        again = service.jobs.get(job.id)
        assert (again.state, again.attempts, again.error["code"]) == ("queued", 0, "missing")
        wait_over(service.database, job)
        done = worked(desk, job)
        assert (done.state, done.error) == ("done", None)


def test_pages_that_are_lost_again_and_again_end_in_quarantine(desk, service):
    job = submit(service)
    desk.prepare(job.id)
    lose_pages(service, job)
    set_of(service.database, job, setbacks=MOST_SETBACKS)
    desk.understand(job.id)
    ended = service.jobs.get(job.id)
    assert (ended.state, ended.error["code"]) == ("quarantined", "missing")


def away_for(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, times: int) -> list[int]:
    """The database does not answer this so many times; who counts the calls."""
    whole, calls = getattr(kind, name), [0]

    def answer(*given, **more):
        calls[0] += 1
        if calls[0] <= times:
            raise StoreError("the server is starting up")
        return whole(*given, **more)

    monkeypatch.setattr(kind, name, answer)
    monkeypatch.setattr(module, "WAITS", (0.01, 0.01, 0.01, 0.01))
    return calls


@pytest.mark.parametrize(
    ("kind", "name"), [(JobStore, "claim"), (JobStore, "hand_on"), (SqlStore, "save"), (JobStore, "finish")]
)
def test_a_database_that_starts_again_is_waited_for_and_no_work_is_thrown_away(desk, service, monkeypatch, kind, name):
    job = submit(service)
    calls = away_for(monkeypatch, kind, name, 3)
    read = []
    whole = pipeline.understand
    monkeypatch.setattr(pipeline, "understand", lambda *given, **more: read.append(1) or whole(*given, **more))
    done = worked(desk, job)
    assert (done.state, done.attempts, done.setbacks) == ("done", 1, 0)
    assert calls[0] > 3
    assert read == [1]
    assert UsageStore(service.database).sums()[0]["documents"] == 1.0


def test_a_database_that_stays_away_is_left_to_the_keeper(desk, service, monkeypatch):
    job = submit(service)
    desk.prepare(job.id)
    away_for(monkeypatch, JobStore, "finish", 99)
    desk.understand(job.id)
    waiting = service.jobs.get(job.id)
    assert (waiting.state, waiting.attempts, waiting.setbacks) == ("prepared", 0, 1)
    monkeypatch.undo()
    wait_over(service.database, job)
    desk.understand(job.id)
    assert service.jobs.get(job.id).state == "done"
    assert rows(service.database, extractions) == 1


def test_a_model_that_is_away_costs_the_document_no_attempt(folder, redis_url):
    with serving(folder, broker_url=redis_url, model=f"scripted:{folder / 'later.json'}") as service:
        with at(service) as desk:
            job = submit(service)
            assert (worked(desk, job).state, service.jobs.get(job.id).setbacks) == ("prepared", 1)
            (folder / "later.json").write_text("{}")
            wait_over(service.database, job)
            desk.understand(job.id)
            assert service.jobs.get(job.id).state == "done"


SCHEMA = """
from pydantic import BaseModel, Field, model_validator

class Bill(BaseModel):
    invoice_number: str | None = Field(None, description="number of the bill")

    @model_validator(mode="after")
    def has_a_bug(self):
        if self.invoice_number == "R-2041":
            {}["no such key"]
        return self
"""


def test_a_bug_in_a_rule_ends_after_three_attempts_and_other_documents_go_on(folder, redis_url):
    (folder / "bill.py").write_text(SCHEMA)
    answers = [{"when": "R-2041", **SCRIPT}, {"invoice_number": "R-2042"}]
    with serving(folder, broker_url=redis_url, model=script(folder, answers)) as service, at(service) as desk:
        bad = submit(service, schema=f"{folder}/bill.py:Bill")
        good = submit(service, pdf("Rechnung R-2042"), schema=f"{folder}/bill.py:Bill")
        desk.prepare(bad.id)
        for attempt in range(MOST_ATTEMPTS):
            assert service.jobs.get(bad.id).attempts == attempt
            desk.understand(bad.id)
            wait_over(service.database, bad)
        ended = service.jobs.get(bad.id)
        assert (ended.state, ended.attempts, ended.error["code"]) == ("quarantined", MOST_ATTEMPTS, "error")
        assert "KeyError: 'no such key'" in ended.error["message"] and "report" in ended.error["hint"]
        assert worked(desk, good).state == "done"


def test_a_schema_that_is_gone_when_its_turn_comes_fails_the_document(folder, service, desk):
    (folder / "bill.py").write_text(SCHEMA)
    job = submit(service, schema=f"{folder}/bill.py:Bill")
    (folder / "bill.py").unlink()
    failed = worked(desk, job)
    assert (failed.state, failed.error["code"]) == ("failed", "schema")


def test_a_stage_that_takes_too_long_is_given_back_with_that_reason(desk, service, monkeypatch):
    job = submit(service)

    def stop(*_: object, **__: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(pipeline, "prepare", stop)
    desk.prepare(job.id)
    waiting = service.jobs.get(job.id)
    assert (waiting.state, waiting.attempts) == ("queued", 1)
    assert "longer than 1800 seconds" in waiting.error["message"]
    assert "DOCPIPE_TASK_SECONDS" in waiting.error["hint"]


def test_a_worker_that_takes_longer_than_its_lease_keeps_the_job(folder, redis_url, monkeypatch):
    whole = pipeline.prepare
    others: list[Job | None] = []

    def slowly(*given: Any, **more: Any) -> Any:
        sleep(1.5)
        others.append(service.jobs.claim(job.id, "prepare", "other:1"))
        return whole(*given, **more)

    monkeypatch.setattr(pipeline, "prepare", slowly)
    with serving(folder, broker_url=redis_url, lease_seconds=1) as service, at(service) as desk:
        job = submit(service)
        desk.prepare(job.id)
        assert (others, service.jobs.get(job.id).state) == ([None], "prepared")


def test_a_worker_that_was_taken_for_dead_does_not_end_the_job_a_second_time(desk, service, monkeypatch):
    job = submit(service)
    desk.prepare(job.id)
    whole = pipeline.understand

    def meanwhile(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(pipeline, "understand", whole)
        lease_over(service.database, job)
        desk.understand(job.id)  # another worker has it and ends it
        return whole(*given, **more)

    monkeypatch.setattr(pipeline, "understand", meanwhile)
    desk.understand(job.id)
    assert service.jobs.get(job.id).state == "done"
    assert rows(service.database, extractions) == 1
    assert UsageStore(service.database).sums()[0]["documents"] == 1.0


def test_a_second_message_for_a_document_that_is_done_changes_nothing(desk, service):
    done = worked(desk, submit(service))
    assert worked(desk, done) == done
    assert UsageStore(service.database).sums()[0]["documents"] == 1.0


def test_what_docpipe_run_has_read_already_is_not_worked_out_again(folder, service, desk, monkeypatch):
    (folder / "bill.pdf").write_bytes(pdf())
    kit = choose_kit(service.settings.model, service.settings.accept_error, Limits(), threads=1)
    document, schema = kit.open(folder / "bill.pdf"), load_schema("invoice")
    service.store.add(document)
    made = pipeline.extract(document, schema, kit.parts, kit.judge)
    service.store.save(made, schema)
    kit.close()
    monkeypatch.setattr(pipeline, "understand", lambda *_, **__: pytest.fail("it was worked out again"))
    job = worked(desk, submit(service))
    assert (job.state, job.run_key) == ("done", made.run_key)
    assert service.answer(job)["run_key"] == made.run_key
    assert rows(service.database, extractions) == 1


@pytest.mark.parametrize("stage", ["prepare", "understand"])
def test_nothing_stays_of_a_job_that_is_deleted_while_it_is_worked_on(desk, service, monkeypatch, stage):
    job = submit(service)
    if stage == "understand":
        desk.prepare(job.id)
    whole = getattr(pipeline, stage)

    def meanwhile(*given: Any, **more: Any) -> Any:
        found = whole(*given, **more)
        assert service.delete(job.id)
        return found

    monkeypatch.setattr(pipeline, stage, meanwhile)
    monkeypatch.setattr(module, "WAITS", (0.01,))
    worked_on = getattr(desk, stage)
    worked_on(job.id)
    assert [rows(service.database, table) for table in (jobs, documents, extractions)] == [0, 0, 0]
    assert [path for path in Path(service.settings.blob_url).rglob("*") if path.is_file()] == []


def test_nothing_but_the_others_stays_of_a_job_that_is_deleted_while_it_is_worked_on(desk, service, monkeypatch):
    other = worked(desk, submit(service, schema="receipt"))
    job = submit(service)
    desk.prepare(job.id)
    whole = pipeline.understand

    def meanwhile(*given: Any, **more: Any) -> Any:
        found = whole(*given, **more)
        assert service.delete(job.id)
        return found

    monkeypatch.setattr(pipeline, "understand", meanwhile)
    desk.understand(job.id)
    assert rows(service.database, extractions) == 1, "its result would belong to nobody"
    assert service.answer(other) is not None


def test_the_answer_for_a_result_that_was_deleted_is_none(desk, service):
    first = worked(desk, submit(service))
    assert service.answer(first)["fields"]["gross_total"]["value"] == "119.00"
    assert service.delete(first.id)
    assert service.answer(first) is None
    assert not service.delete(first.id)


def test_a_result_belongs_to_the_document_and_not_to_the_job_that_was_first(desk, service):
    first, second = worked(desk, submit(service, name="a.pdf")), worked(desk, submit(service, name="b.pdf"))
    assert first.run_key == second.run_key
    service.delete(first.id)
    assert service.answer(second)["file"] == "b.pdf"
    with pytest.raises(MissingError):
        service.blobs.get(original_key(first.id))
    assert hashlib.sha256(service.blobs.get(original_key(second.id))).hexdigest() == second.document_id


def test_a_picture_goes_through_as_well_as_a_pdf(desk, service):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(buffer, "PNG")
    job = worked(desk, submit(service, buffer.getvalue(), "photo.png"))
    assert job.state == "done"
    assert "page_blank" in {issue.code for issue in result(service, job).issues}


def test_an_error_of_the_extractors_answer_fails_the_document_at_once(folder, redis_url):
    model = script(folder, [{"when": "nowhere", **SCRIPT}])
    with serving(folder, broker_url=redis_url, model=model) as service, at(service) as desk:
        job = worked(desk, submit(service))
        assert (job.state, job.error["code"], job.attempts) == ("failed", "answer", 1)
        assert isinstance(DocpipeError(job.error["message"]), DocpipeError)
