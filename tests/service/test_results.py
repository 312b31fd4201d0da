"""What the workers make of documents is what `docpipe run` makes of them: each value, and each refusal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pikepdf
import pytest
from PIL import Image

from docpipe import pipeline
from docpipe.api import extract
from docpipe.components import Components, ModelName, load_components
from docpipe.config import load_settings
from docpipe.errors import InputError
from docpipe.result import record
from docpipe.samples import draw
from docpipe.samples.pictures import image_pdf, rasterise
from docpipe.schema import load_schema
from docpipe.service.job_actions import job_result
from docpipe.store.jobs.usage import UsageStore
from docpipe.store.tables import extractions
from docpipe.workers.outcomes import PASSWORD_HINT
from tests.support.serving import (
    ANSWER,
    count_rows,
    extraction_of,
    pdf,
    run_job,
    scripted_model,
    service_in,
    submit_pdf,
    task_runner,
)


@pytest.fixture(scope="module")
def components() -> Iterator[Components]:
    """What a process of `docpipe run` works with."""
    components = load_components(ModelName("embedded"), load_settings({}), threads=1)
    yield components
    components.close()


def scanned(schema: str, seed: int) -> bytes:
    return image_pdf(rasterise(draw(schema, seed, fonts="standard"), 150), 150)


SAMPLES = {
    "an invoice": ("invoice", lambda: draw("invoice", 7_000_401, fonts="standard").pdf),
    "a scanned receipt": ("receipt", lambda: scanned("receipt", 7_000_402)),
    "a form": ("form", lambda: draw("form", 7_000_403, fonts="standard").pdf),
    "an invoice of which nobody said so": ("auto", lambda: draw("invoice", 7_000_404, fonts="standard").pdf),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_document_gives_what_docpipe_run_gives(tmp_path, redis_url, components, sample):
    name, make = SAMPLES[sample]
    content = make()
    (tmp_path / "it.pdf").write_bytes(content)
    schema = load_schema(name)
    expected = pipeline.extract(components.open(tmp_path / "it.pdf"), schema, components.parts, components.policy)
    with service_in(tmp_path, broker_url=redis_url, model="embedded") as service, task_runner(service) as runner:
        job = run_job(runner, submit_pdf(service, content, "it.pdf", schema=name))
        assert (job.state, job.status, job.run_key) == ("done", expected.status, expected.run_key)
        stored = extraction_of(service, job)
        assert len(expected.fields) > 3
        assert replace(stored, timings=expected.timings) == expected, "value by value, and each as sure"
        assert stored.timings.keys() == expected.timings.keys()
        expected_record = record(expected, "it.pdf", schema.chosen(expected.schema))
        assert {**job_result(service, job), "timings": expected_record["timings"]} == expected_record


def test_a_document_is_counted_once_with_its_pages_and_values(runner, service):
    job = run_job(runner, submit_pdf(service, pdf(pages=2)))
    (row,) = UsageStore(service.database).sums("schema", "outcome")
    valued = [field for field in extraction_of(service, job).fields if field.value is not None]
    assert (row["schema"], row["outcome"], row["documents"], row["pages"]) == ("invoice", "needs_review", 1.0, 2.0)
    assert row["fields"] == len(valued) == len({*ANSWER, "currency"}), "the page says it beside its amounts"
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
def test_a_document_that_cannot_be_processed_fails_as_on_the_command_line(tmp_path, redis_url, monkeypatch, code):
    content = BAD[code]()
    monkeypatch.setenv("DOCPIPE_MAX_PAGES", "3")
    with pytest.raises(InputError) as caught:
        extract(content, "invoice", model=scripted_model(tmp_path))
    with service_in(tmp_path, broker_url=redis_url, max_pages=3) as service, task_runner(service) as runner:
        job = submit_pdf(service, content, "bad.pdf")
        runner.prepare(job.id)
        job = service.jobs.get(job.id)
        hint = PASSWORD_HINT if code == "encrypted" else caught.value.hint  # workers can be given no password
        error = {"code": code, "message": caught.value.message, "hint": hint}
        assert (job.state, job.error) == ("failed", error)
        assert job_result(service, job)["error"] == error
        assert (job_result(service, job)["status"], job_result(service, job)["file"]) == ("failed", "bad.pdf")
        assert service.store.get(job.document_id).error == error, "`docpipe run` and export see it as well"
        runner.understand(job.id)
        assert service.jobs.get(job.id) == job


def test_what_docpipe_run_has_read_already_is_not_worked_out_again(tmp_path, service, runner, monkeypatch):
    (tmp_path / "bill.pdf").write_bytes(pdf())
    components = load_components(ModelName.parse(service.settings.model), service.settings, threads=1)
    document, schema = components.open(tmp_path / "bill.pdf"), load_schema("invoice")
    service.store.add(document)
    extracted = pipeline.extract(document, schema, components.parts, components.policy)
    service.store.save(extracted, schema)
    components.close()
    monkeypatch.setattr(pipeline, "understand_many", lambda *_, **__: pytest.fail("it was worked out again"))
    job = run_job(runner, submit_pdf(service))
    assert (job.state, job.run_key) == ("done", extracted.run_key)
    assert job_result(service, job)["run_key"] == extracted.run_key
    assert count_rows(service.database, extractions) == 1


def test_a_picture_goes_through_as_well_as_a_pdf(runner, service):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(buffer, "PNG")
    job = run_job(runner, submit_pdf(service, buffer.getvalue(), "photo.png"))
    assert job.state == "done"
    assert "page_blank" in {issue.code for issue in extraction_of(service, job).issues}


def test_an_error_of_the_extractors_answer_fails_the_document_at_once(tmp_path, redis_url):
    model = scripted_model(tmp_path, [{"when": "nowhere", **ANSWER}])
    with service_in(tmp_path, broker_url=redis_url, model=model) as service, task_runner(service) as runner:
        job = run_job(runner, submit_pdf(service))
        assert (job.state, job.error["code"], job.attempts) == ("failed", "answer", 1)
