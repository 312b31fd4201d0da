"""The workers of the service: a Celery app, its tasks, and what a task does with a job."""
