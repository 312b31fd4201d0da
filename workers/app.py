"""The Celery application, as `celery -A workers.app worker` looks for it in a checkout of this repository."""

from docpipe.workers.app import app  # noqa: F401 - Celery takes it from here
