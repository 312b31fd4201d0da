"""`docpipe run --dry-run`: what a run would do, without reading a page. In: files, a plan, a store. Out: verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from docpipe import pipeline
from docpipe.batch.batch_worker import BatchPlan
from docpipe.cli.wording import counted, explained
from docpipe.components import load_components
from docpipe.errors import InputError
from docpipe.store.results.result_store import SqlStore


class PlannedFile(NamedTuple):
    """`verdict` is `read`, `stored` (by the same work), or `refused`, which `detail` explains."""

    file: Path
    verdict: str
    detail: str


def planned_files(files: Iterable[Path], plan: BatchPlan, store: SqlStore | None) -> Iterator[PlannedFile]:
    """Each file is opened and its pages counted. `store` None: there is no database yet. Raises ModelError."""
    components = load_components(plan.model, plan.settings, threads=plan.threads, salt=plan.salt)
    seen: set[str] = set()
    with closing(components):
        for file in files:
            try:
                document = components.open(file, plan.passwords)
            except InputError as error:
                yield PlannedFile(file, "refused", explained(error.message, error.hint))
                continue
            run = pipeline.identify_run(document, plan.schema, components.parts, components.policy)
            is_stored = run.key in seen or (store is not None and store.has(run.key))
            seen.add(run.key)
            yield PlannedFile(file, "stored" if is_stored else "read", counted(document.page_count, "page"))
