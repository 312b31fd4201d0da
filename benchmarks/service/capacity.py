"""How large a service has to be: a model from measured figures, and where its limits are.

    python -m benchmarks.service.capacity --pages-per-day 10000000

In: what benchmarks.service.queue_load measured (docs/figures-service.json), seconds a page (docs/figures.md), and a
wish. Out: Markdown on standard output. Everything is linear but what is said to be a limit; the first table checks the
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
WORKER_KINDS = ("worker child", "page drawer", "worker parent")
CONNECTIONS = 2, 3  # of a worker's child: one of each store, and one of the thread that renews its lease
SCANNED_SECONDS = 2.22  # docs/figures.md, Speed: rasterise 0.078, read 1.904, extract 0.157, decide 0.080
LAYERED_SECONDS = 0.26  # as above: 7.7 pages with a text layer a second on 2 cores


@dataclass(frozen=True)
class Wish:
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
class Cost:
    """Of the service alone, measured; seconds are those of a core, sizes are bytes."""

    a_document: float
    picture: float
    postgres: float
    redis: float
    keeper: float
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
    def of(cls, found: Mapping[str, Any]) -> Cost:
        loaded, steps = found["load"], found["steps"]
        left, spent = loaded["left"], loaded["processor_seconds"]
        picture = steps["prepare: draw the kept pictures"] + steps["prepare: write them as WebP"]
        own = sum(spent[kind] for kind in WORKER_KINDS) - flow_seconds(found) - picture
        database = left["database"]
        fields = found["network"]["fields"] / loaded["fields"] if "network" in found else 1.0
        return cls(
            a_document=max(own, 0.0), picture=picture, postgres=spent["postgres"], redis=spent["redis"],
            keeper=spent["keeper"], delivery=steps["keeper: deliver an answer"],
            submission=sum(seconds for step, seconds in steps.items() if step.startswith("submit")),
            message=left["redis_message_bytes"], commits=database["commits"], log=database["log_bytes"],
            syncs=database["log_syncs"], writes=database["page_writes"], rows=_scaled(left["tables"], fields),
            indexes=_scaled(left["indexes"], fields), blobs=found.get("network", loaded["left"])["blobs"],
        )  # fmt: skip


def _scaled(sizes: Mapping[str, float], fields: float) -> dict[str, float]:
    """A real document has more fields than the small ones that were queued."""
    return {name: size * (fields if name == "fields" else 1.0) for name, size in sizes.items()}


def flow_seconds(found: Mapping[str, Any]) -> float:
    """What the pipeline itself takes of one of the small documents, alone on a core."""
    return sum(seconds for step, seconds in found["steps"].items() if step.startswith("flow"))


def check(found: Mapping[str, Any], wish: Wish, cost: Cost) -> Iterator[str]:
    yield "| predicted, and measured on the machine of the figures | predicted | measured | measured / predicted |"
    yield "|---|---|---|---|"
    one, loaded = found["one"], found["load"]
    way = sum(seconds for step, seconds in found["steps"].items() if step.startswith(("prepare", "understand", "flow")))
    way += one["processor_seconds"]["worker parent"]
    yield _compared("one worker, small documents a second", 1 / way, one["per_second"])
    together = loaded["workers"] / max(1 / one["per_second"], loaded["workers"] / found["cores"] * _all(one))
    yield _compared(f"{loaded['workers']} workers, small documents a second", together, loaded["per_second"])
    if "network" in found:
        scanned = wish.scanned_seconds + cost.picture + cost.a_document + cost.postgres + cost.redis + cost.keeper
        measured = found["network"]
        name = f"{measured['workers']} workers, the embedded network, scanned pages a second"
        yield _compared(name, min(measured["workers"], found["cores"]) / scanned, measured["pages_per_second"])


def _all(run: Mapping[str, Any]) -> float:
    return float(sum(run["processor_seconds"].values()))


def _compared(what: str, predicted: float, measured: float) -> str:
    return f"| {what} | {predicted:.2f} | {measured:.2f} | {measured / predicted:.2f} |"


def size(wish: Wish, cost: Cost) -> Iterator[tuple[str, str]]:
    """What it takes."""
    pages, documents = wish.pages, wish.documents
    reading = pages * wish.page_seconds
    service = pages * cost.picture + documents * cost.a_document
    yield "pages, documents a second, on average", f"{pages:,.1f}, {documents:,.1f}"
    yield f"cores of workers, {wish.busy:.0%} busy, spread over the day", f"{(reading + service) / wish.busy:,.0f}"
    yield "of these for the service itself (claims, pictures, SQL, messages)", f"{service / wish.busy:,.1f}"
    yield (
        f"cores of workers, if the peak of {wish.peak:g} times the average must not wait",
        (f"{wish.peak * (reading + service) / wish.busy:,.0f}"),
    )
    if wish.gpu_pages:
        yield (
            f"GPUs, at {wish.gpu_pages:g} pages a second each (assumed), instead of the network",
            (f"{pages / wish.gpu_pages / wish.busy:,.0f}"),
        )
    children = (reading + service) / wish.busy
    yield (
        "PostgreSQL: connections, two for each core's worker, three while it renews a lease",
        (f"{CONNECTIONS[0] * children:,.0f} to {CONNECTIONS[1] * children:,.0f}"),
    )
    yield "cores of PostgreSQL", f"{documents * cost.postgres / wish.busy:,.1f}"
    yield "PostgreSQL: commits a second", f"{documents * cost.commits:,.0f}"
    yield (
        "PostgreSQL: log syncs a second, at most (commits of several workers share one)",
        (f"{documents * cost.syncs:,.0f}"),
    )
    yield "PostgreSQL: log, MB a second", f"{documents * cost.log / 1e6:,.1f}"
    yield "PostgreSQL: 8 kB pages written a second, beside the log", f"{documents * cost.writes:,.0f}"
    yield "PostgreSQL: growth, GB a day", f"{_a_day(documents * sum(cost.rows.values())):,.0f}"
    yield (
        f"PostgreSQL: after {wish.days_of_rows:g} days, TB",
        (f"{wish.days_of_rows * _a_day(documents * sum(cost.rows.values())) / 1000:,.1f}"),
    )
    yield "of these in indexes, GB a day", f"{_a_day(documents * sum(cost.indexes.values())):,.0f}"
    backlog = documents * wish.backlog_hours * 3600
    yield f"Redis: memory of {wish.backlog_hours:g} hours of backlog, GB", f"{backlog * cost.message / GIGABYTE:,.2f}"
    yield "cores of Redis (it has one thread)", f"{documents * cost.redis:,.2f}"
    yield "blobs: written a second (originals, pictures, words)", f"{2 * documents + pages:,.0f}"
    yield "blobs: MB written a second", f"{pages * sum(cost.blobs.values()) / 1e6:,.0f}"
    yield (
        f"blobs: TB, kept {wish.days_of_blobs:g} days",
        (f"{wish.days_of_blobs * _a_day(pages * sum(cost.blobs.values())) / 1000:,.1f}"),
    )
    yield "keepers, for the answers and webhooks", f"{documents * wish.answered * cost.delivery / wish.busy:,.1f}"
    yield "processes that take submissions", f"{wish.peak * documents * cost.submission / wish.busy:,.1f}"


def _a_day(bytes_a_second: float) -> float:
    """GB."""
    return bytes_a_second * DAY / GIGABYTE


def limits(wish: Wish, cost: Cost, options: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Million pages a day at which one of each is full, whatever the others do."""

    def millions(documents_a_second: float) -> float:
        return documents_a_second * wish.busy * wish.pages_per_document * DAY / 1e6

    core = wish.page_seconds + cost.picture + cost.a_document / wish.pages_per_document
    workers = options.connections / CONNECTIONS[1]
    yield (
        f"a PostgreSQL of {options.connections:,} connections, without PgBouncer",
        workers / core * wish.busy * DAY / 1e6,
    )
    yield f"one host of {options.host_cores} cores with workers", options.host_cores / core * wish.busy * DAY / 1e6
    yield "one process that takes submissions", millions(1 / cost.submission)
    if wish.answered:
        yield "one keeper that delivers an answer for every document", millions(1 / (cost.delivery * wish.answered))
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
        f"a PostgreSQL table of 32 TB (fields) after {wish.days_of_rows:g} days, without partitions",
        (32e12 / (cost.rows["fields"] * wish.days_of_rows) * wish.pages_per_document / 1e6),
    )


def main() -> None:
    options = _options()
    found = json.loads(options.figures.read_text())
    wish = Wish(**{name: getattr(options, name) for name in Wish.__dataclass_fields__})
    cost = Cost.of(found)
    for line in check(found, wish, cost):
        print(line)
    print(f"\n| {wish.pages_per_day:,.0f} pages a day | |\n|---|---|")
    print(f"| assumed: {wish.pages_per_document:g} pages a document, scanned | {wish.scanned:.0%} |")
    print(f"| core seconds a page: reading and understanding | {wish.page_seconds:.2f} |")
    print(f"| core seconds a page: its kept picture | {cost.picture:.3f} |")
    print(f"| core seconds a document: the service | {cost.a_document:.3f} |")
    for what, value in size(wish, cost):
        print(f"| {what} | {value} |")
    print(f"\n| what is full first ({wish.busy:.0%} busy) | million pages a day |\n|---|---|")
    for what, millions in sorted(limits(wish, cost, options), key=lambda pair: pair[1]):
        print(f"| {what} | {millions:,.1f} |")


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
