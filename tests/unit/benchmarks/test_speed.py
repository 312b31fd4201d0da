"""The benchmarks of speed: the main job runs under the clock, and a ratio comes with the right interval."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.speed.documents import drawn_pdfs
from benchmarks.speed.timing import whole_job
from benchmarks.speed.versus import ratio_interval
from docpipe.batch.batch_worker import BatchPlan
from docpipe.components import ModelName
from docpipe.config import load_settings
from docpipe.schema import load_schema


def test_the_main_job_is_timed_by_stage(tmp_path: Path) -> None:
    """However busy the computer is: under the limits that count by default a document may fail there."""
    settings = load_settings({"DOCPIPE_SECONDS": "600", "DOCPIPE_DOCUMENT_SECONDS": "600"})
    plan = BatchPlan(load_schema("invoice"), ModelName.parse(settings.model), settings)
    job = whole_job(drawn_pdfs(tmp_path / "drawn", 1), plan, 1, tmp_path / "run.db")
    assert (job.pages, job.failed) == (1, 0)
    assert all(job.stages[stage] > 0 for stage in ("rasterise", "read", "extract", "decide", "store"))
    assert 0 < job.start < job.wall


def test_the_main_job_has_the_limits_that_docpipe_run_has(tmp_path: Path) -> None:
    """A model that needs minutes for a document was given up after those of the embedded network."""
    settings = load_settings({"DOCPIPE_DOCUMENT_SECONDS": "1e-9", "DOCPIPE_PAGE_SECONDS": "1e-9"})
    plan = BatchPlan(load_schema("invoice"), ModelName.parse(settings.model), settings)
    assert whole_job(drawn_pdfs(tmp_path / "drawn", 1), plan, 1, tmp_path / "run.db").failed == 1


def test_the_interval_of_a_ratio_is_students_t_of_its_logarithms() -> None:
    found = ratio_interval([1.0, 2.0, 4.0], [1.1, 2.0, 4.4])
    logarithms = [math.log(1.1), 0.0, math.log(1.1)]
    mean = sum(logarithms) / 3
    spread = math.sqrt(sum((value - mean) ** 2 for value in logarithms) / 2 / 3)
    assert math.log(found.mean) == pytest.approx(mean)
    assert math.log(found.high) == pytest.approx(mean + 4.3027 * spread, abs=1e-4)  # t of 2 degrees of freedom
    assert math.log(found.low) == pytest.approx(mean - 4.3027 * spread, abs=1e-4)


def test_one_round_has_no_interval() -> None:
    found = ratio_interval([2.0], [1.0])
    assert (found.mean, found.low, found.high) == (pytest.approx(0.5), 0.0, math.inf)
