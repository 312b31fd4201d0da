"""How many workers a model allows, and how long it may take. In: a model and the settings. Out: a `Pace`.

A model on this machine is loaded once, by one worker that has all cores: two would share one card, or one memory. One
behind an HTTP API takes no memory here, but time.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.batch.worker_pool import Deadlines
from docpipe.capacity import default_jobs, usable_cores
from docpipe.config import Settings

# Added to the settings' limits, which are for the embedded network. Generous: who waits for a large model on a
# processor, or for a busy provider, waits on purpose; a worker that hangs is still found.
LOADING_SECONDS = 3_600.0  # a download of 16 GB at 5 MB a second
LOCAL_DOCUMENT_SECONDS = 1_800.0
LOCAL_PAGE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`threads` of each worker's libraries."""

    jobs: int
    threads: int
    patience: Deadlines


def pace_of(model: str, settings: Settings, jobs: int | None) -> Pace:
    """`jobs`: what was asked for. Of a cascade the slower model counts."""
    kinds = {one.strip().partition(":")[0] for one in model.split(",")}
    document, page = settings.document_seconds, settings.page_seconds
    wanted = jobs or settings.jobs
    if "hf" in kinds:
        patience = Deadlines(LOADING_SECONDS, document + LOCAL_DOCUMENT_SECONDS, page + LOCAL_PAGE_SECONDS)
        return Pace(wanted or 1, max(1, usable_cores() // (wanted or 1)), patience)
    if kinds & {"openai", "anthropic", "gemini"}:
        patience = Deadlines(document_seconds=document + 2 * settings.hosted_patience_seconds, page_seconds=page)
        return Pace(wanted or default_jobs(), 1, patience)
    return Pace(wanted or default_jobs(), 1, Deadlines(document_seconds=document, page_seconds=page))
