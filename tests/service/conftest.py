"""Fixtures that several tests of the service share: a service with a real Redis, a worker's task runner, the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe.service.service import Service
from docpipe.workers.task_runner import TaskRunner
from tests.support.serving import service_in, task_runner
from tests.support.web import Api, api_in


@pytest.fixture
def service(tmp_path: Path, redis_url: str) -> Iterator[Service]:
    with service_in(tmp_path, broker_url=redis_url) as service:
        yield service


@pytest.fixture
def runner(service: Service) -> Iterator[TaskRunner]:
    """A worker's, in this process."""
    with task_runner(service) as runner:
        yield runner


@pytest.fixture
def api(tmp_path: Path, redis_url: str) -> Iterator[Api]:
    with api_in(tmp_path, broker_url=redis_url) as api:
        yield api


@pytest.fixture
def api_on_both(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Api]:
    """On SQLite and on PostgreSQL."""
    with api_in(tmp_path, broker_url=redis_url, database_url=database_url) as api:
        yield api
