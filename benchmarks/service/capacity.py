"""How large a service has to be: a model from measured figures, and where its limits are.

    python -m benchmarks.service.capacity --pages-per-day 10000000

In: what benchmarks.service.queue_load measured (docs/figures-service.json), seconds a page (docs/figures.md), and a
workload. Out: Markdown on standard output. Everything is linear but what is called a limit; the first table checks the
model against what was measured on the machine that the figures come from.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parents[2] / "docs" / "figures-service.json"
DAY = 86_400.0
GIGABYTE = 1e9
WORKER_KINDS = ("worker child", "page renderer", "worker parent")
CONNECTIONS = 2, 3  # of a worker's child: one of each store, and one of the thread that renews its lease
SCANNED_SECONDS = 2.22  # docs/figures.md, Speed: rasterise 0.078, read 1.904, extract 0.157, decide 0.080
LAYERED_SECONDS = 0.26  # as above: 7.7 pages with a text layer a second on 2 cores


@dataclass(frozen=True)
class Workload:
    pages_per_day: float
    pages_per_document: float
    scanned: float
    scanned_seconds: float
    layered_seconds: float
    busy: float
    peak: float
    backlog_hours: float
    days_of_blobs: float
    days_of_rows: float
    answered: float
    gpu_pages: float

    @property
    def pages(self) -> float:
        """A second, on average."""
        return self.pages_per_day / DAY

    @property
    def documents(self) -> float:
        return self.pages / self.pages_per_document

    @property
    def page_seconds(self) -> float:
        return self.scanned * self.scanned_seconds + (1 - self.scanned) * self.layered_seconds


@dataclass(frozen=True)
class ServiceCost:
    """Of the service alone, measured; seconds are those of a core, sizes are bytes."""

    document: float
    picture: float
    postgres: float
    redis: float
    maintenance: float
    delivery: float
    submission: float
    message: float
    commits: float
    log: float
    syncs: float
    writes: float
    rows: Mapping[str, float]
    indexes: Mapping[str, float]
    blobs: Mapping[str, float]

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> ServiceCost:
        loaded, steps = figures["load"], figures["steps"]
        left, spent = loaded["left"], loaded["processor_seconds"]
        picture = steps["prepare: draw the stored pictures"] + steps["prepare: write them as WebP"]
        own = sum(spent[kind] for kind in WORKER_KINDS) - flow_seconds(figures) - picture
        database = left["database"]
        fields = figures["network"]["fields"] / loaded["fields"] if "network" in figures else 1.0
        return cls(
            document=max(own, 0.0), picture=picture, postgres=spent["postgres"], redis=spent["redis"],
            maintenance=spent["maintenance"], delivery=steps["maintenance: deliver an answer"],
            submission=sum(seconds for step, seconds in steps.items() if step.startswith("submit")),
            message=left["redis_message_bytes"], commits=database["commits"], log=database["log_bytes"],
            syncs=database["log_syncs"], writes=database["page_writes"], rows=_scaled(left["tables"], fields),
            indexes=_scaled(left["indexes"], fields), blobs=figures.get("network", loaded["left"])["blobs"],
        )  # fmt: skip


def _scaled(sizes: Mapping[str, float], fields: float) -> dict[str, float]:
    """A real document has more fields than the small ones that were queued."""
    return {name: requirements * (fields if name == "fields" else 1.0) for name, requirements in sizes.items()}


def flow_seconds(figures: Mapping[str, Any]) -> float:
    """What the pipeline itself takes of one of the small documents, alone on a core."""
    return sum(seconds for step, seconds in figures["steps"].items() if step.startswith("flow"))


def prediction_check(figures: Mapping[str, Any], workload: Workload, cost: ServiceCost) -> Iterator[str]:
    yield "| predicted, and measured on the machine of the figures | predicted | measured | measured / predicted |"
    yield "|---|---|---|---|"
    one_worker, loaded = figures["one"], figures["load"]
    document_seconds = sum(
        seconds for step, seconds in figures["steps"].items() if step.startswith(("prepare", "understand", "flow"))
    )
    document_seconds += one_worker["processor_seconds"]["worker parent"]
    yield _comparison("one worker, small documents a second", 1 / document_seconds, one_worker["per_second"])
    together = loaded["workers"] / max(
        1 / one_worker["per_second"], loaded["workers"] / figures["cores"] * _total_seconds(one_worker)
    )
    yield _comparison(f"{loaded['workers']} workers, small documents a second", together, loaded["per_second"])
    if "network" in figures:
        scanned = (
            workload.scanned_seconds + cost.picture + cost.document + cost.postgres + cost.redis + cost.maintenance
        )
        measured = figures["network"]
        name = f"{measured['workers']} workers, the embedded network, scanned pages a second"
        yield _comparison(name, min(measured["workers"], figures["cores"]) / scanned, measured["pages_per_second"])


def _total_seconds(run: Mapping[str, Any]) -> float:
    return float(sum(run["processor_seconds"].values()))


def _comparison(label: str, predicted: float, measured: float) -> str:
    return f"| {label} | {predicted:.2f} | {measured:.2f} | {measured / predicted:.2f} |"


def requirements(workload: Workload, cost: ServiceCost) -> Iterator[tuple[str, str]]:
    """What it takes."""
    pages, documents = workload.pages, workload.documents
    reading = pages * workload.page_seconds
    service = pages * cost.picture + documents * cost.document
    yield "pages, documents a second, on average", f"{pages:,.1f}, {documents:,.1f}"
    cores = (reading + service) / workload.busy
    yield f"cores of workers, {workload.busy:.0%} busy, spread over the day", f"{cores:,.0f}"
    yield "of these for the service itself (claims, pictures, SQL, messages)", f"{service / workload.busy:,.1f}"
    yield (
        f"cores of workers, if the peak of {workload.peak:g} times the average must not wait",
        (f"{workload.peak * (reading + service) / workload.busy:,.0f}"),
    )
    if workload.gpu_pages:
        yield (
            f"GPUs, at {workload.gpu_pages:g} pages a second each (assumed), instead of the network",
            (f"{pages / workload.gpu_pages / workload.busy:,.0f}"),
        )
    children = (reading + service) / workload.busy
    yield (
        "PostgreSQL: connections, two for each core's worker, three while it renews a lease",
        (f"{CONNECTIONS[0] * children:,.0f} to {CONNECTIONS[1] * children:,.0f}"),
    )
    yield "cores of PostgreSQL", f"{documents * cost.postgres / workload.busy:,.1f}"
    yield "PostgreSQL: commits a second", f"{documents * cost.commits:,.0f}"
    yield (
        "PostgreSQL: log syncs a second, at most (commits of several workers share one)",
        (f"{documents * cost.syncs:,.0f}"),
    )
    yield "PostgreSQL: log, MB a second", f"{documents * cost.log / 1e6:,.1f}"
    yield "PostgreSQL: 8 kB pages written a second, beside the log", f"{documents * cost.writes:,.0f}"
    yield "PostgreSQL: growth, GB a day", f"{_gigabytes_per_day(documents * sum(cost.rows.values())):,.0f}"
    yield (
        f"PostgreSQL: after {workload.days_of_rows:g} days, TB",
        (f"{workload.days_of_rows * _gigabytes_per_day(documents * sum(cost.rows.values())) / 1000:,.1f}"),
    )
    yield "of these in indexes, GB a day", f"{_gigabytes_per_day(documents * sum(cost.indexes.values())):,.0f}"
    backlog = documents * workload.backlog_hours * 3600
    redis = backlog * cost.message / GIGABYTE
    yield f"Redis: memory of {workload.backlog_hours:g} hours of backlog, GB", f"{redis:,.2f}"
    yield "cores of Redis (it has one thread)", f"{documents * cost.redis:,.2f}"
    yield "blobs: written a second (originals, pictures, words)", f"{2 * documents + pages:,.0f}"
    yield "blobs: MB written a second", f"{pages * sum(cost.blobs.values()) / 1e6:,.0f}"
    yield (
        f"blobs: TB, kept {workload.days_of_blobs:g} days",
        (f"{workload.days_of_blobs * _gigabytes_per_day(pages * sum(cost.blobs.values())) / 1000:,.1f}"),
    )
    yield (
        "maintenance processes, for answers and webhooks",
        f"{documents * workload.answered * cost.delivery / workload.busy:,.1f}",
    )
    yield "processes that take submissions", f"{workload.peak * documents * cost.submission / workload.busy:,.1f}"


def _gigabytes_per_day(bytes_a_second: float) -> float:
    """GB."""
    return bytes_a_second * DAY / GIGABYTE


def limits(workload: Workload, cost: ServiceCost, options: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Million pages a day at which one of each is full, whatever the others do."""

    def millions(documents_a_second: float) -> float:
        return documents_a_second * workload.busy * workload.pages_per_document * DAY / 1e6

    core = workload.page_seconds + cost.picture + cost.document / workload.pages_per_document
    workers = options.connections / CONNECTIONS[1]
    yield (
        f"a PostgreSQL of {options.connections:,} connections, without PgBouncer",
        workers / core * workload.busy * DAY / 1e6,
    )
    yield f"one host of {options.host_cores} cores with workers", options.host_cores / core * workload.busy * DAY / 1e6
    yield "one process that takes submissions", millions(1 / cost.submission)
    if workload.answered:
        yield (
            "one maintenance process, an answer for every document",
            millions(1 / (cost.delivery * workload.answered)),
        )
    yield "one Redis", millions(1 / cost.redis)
    yield f"one PostgreSQL of {options.database_cores} cores", millions(options.database_cores / cost.postgres)
    yield (
        f"a log disk of {options.disk_syncs:,} syncs a second, one sync a commit",
        millions(options.disk_syncs / cost.syncs),
    )
    yield (
        f"a database disk of {options.disk_mb:g} MB a second (log, and pages once more)",
        millions(options.disk_mb * 1e6 / (cost.log + cost.writes * 8192)),
    )
    yield (
        f"a PostgreSQL table of 32 TB (fields) after {workload.days_of_rows:g} days, without partitions",
        (32e12 / (cost.rows["fields"] * workload.days_of_rows) * workload.pages_per_document / 1e6),
    )


def main() -> None:
    options = _options()
    figures = json.loads(options.figures.read_text())
    workload = Workload(**{name: getattr(options, name) for name in Workload.__dataclass_fields__})
    cost = ServiceCost.of(figures)
    for line in prediction_check(figures, workload, cost):
        print(line)
    print(f"\n| {workload.pages_per_day:,.0f} pages a day | |\n|---|---|")
    print(f"| assumed: {workload.pages_per_document:g} pages a document, scanned | {workload.scanned:.0%} |")
    print(f"| core seconds a page: reading and understanding | {workload.page_seconds:.2f} |")
    print(f"| core seconds a page: its kept picture | {cost.picture:.3f} |")
    print(f"| core seconds a document: the service | {cost.document:.3f} |")
    for label, value in requirements(workload, cost):
        print(f"| {label} | {value} |")
    print(f"\n| what is full first ({workload.busy:.0%} busy) | million pages a day |\n|---|---|")
    for label, millions in sorted(limits(workload, cost, options), key=lambda pair: pair[1]):
        print(f"| {label} | {millions:,.1f} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How large a service has to be.")
    add = parser.add_argument
    add("--pages-per-day", type=float, default=10_000_000)
    add("--pages-per-document", type=float, default=1.5)
    add("--scanned", type=float, default=1.0, help="share of pages without a text layer, 0 to 1")
    add("--scanned-seconds", type=float, default=SCANNED_SECONDS, help="core seconds of a scanned page")
    add("--layered-seconds", type=float, default=LAYERED_SECONDS, help="core seconds of a page with a text layer")
    add("--busy", type=float, default=0.7, help="how busy machines may be on average")
    add("--peak", type=float, default=3.0, help="the busiest hour against the average one")
    add("--backlog-hours", type=float, default=24.0, help="that Redis must hold")
    add("--days-of-blobs", type=float, default=30.0, help="DOCPIPE_KEEP_DAYS")
    add("--days-of-rows", type=float, default=365.0)
    add("--answered", type=float, default=1.0, help="share of documents with a webhook or an answer")
    add("--gpu-pages", type=float, default=0.0, help="pages a second of a GPU with a model of its own; assumed")
    add("--host-cores", type=int, default=64)
    add("--database-cores", type=int, default=16)
    add("--connections", type=int, default=100, help="PostgreSQL's max_connections; 100 is its default")
    add("--disk-syncs", type=int, default=10_000, help="a second: NVMe with power-loss protection")
    add("--disk-mb", type=float, default=500.0, help="MB a second of the database's disk")
    add("--figures", type=Path, default=FIGURES, help="what benchmarks.service.queue_load --json wrote")
    return parser.parse_args()


if __name__ == "__main__":
    main()
