"""What Prometheus scrapes. In: the tables of the service. Out: counters and gauges.

The counters are sums in SQL, so they are the same in every API process and survive all of them: ask one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from docpipe.errors import QueueError
from docpipe.service.maintenance import LOCK_NAME
from docpipe.service.queue import QUEUES
from docpipe.service.service import Service
from docpipe.store.jobs.job import STATES
from docpipe.store.jobs.job_view import JobFilter
from docpipe.store.jobs.leader_lock import LeaderLock
from docpipe.store.jobs.usage import LABELS, UsageStore

COUNTERS = {
    "documents": "Documents that have ended.",
    "attempts": "Times that workers took them up.",
    "pages": "Their pages.",
    "fields": "Fields with a value.",
    "accepted": "Of these, accepted without a review.",
    "image_tokens": "Of pictures, a part of the tokens in.",
    "money": "Spent on models that cost something.",
}
STAGES = ("rasterise", "read", "extract", "decide")
TOKENS = {"in": "tokens_in", "out": "tokens_out"}


def registry(service: Service) -> CollectorRegistry:
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(_ServiceCollector(service))
    return collectors


@dataclass(eq=False)
class _ServiceCollector(Collector):
    service: Service

    def collect(self) -> Iterator[Metric]:
        """Raises StoreError."""
        yield from self._usage()
        yield from self._open_jobs()
        yield from self._environment()

    def _usage(self) -> Iterator[Metric]:
        sums = UsageStore(self.service.database).sums(*LABELS)
        for name, text in COUNTERS.items():
            counter = CounterMetricFamily(f"docpipe_{name}", text, labels=LABELS)
            for row in sums:
                counter.add_metric([row[label] for label in LABELS], row[name])
            yield counter
        seconds = CounterMetricFamily("docpipe_stage_seconds", "Time of the work itself.", labels=(*LABELS, "stage"))
        tokens = CounterMetricFamily("docpipe_tokens", "Of models that count them.", labels=(*LABELS, "direction"))
        for row in sums:
            labels = [row[label] for label in LABELS]
            for stage in STAGES:
                seconds.add_metric([*labels, stage], row[f"{stage}_seconds"])
            for direction, name in TOKENS.items():
                tokens.add_metric([*labels, direction], row[name])
        yield from (seconds, tokens)

    def _open_jobs(self) -> Iterator[Metric]:
        """What has succeeded is counted above; here it would be counted anew at each scrape."""
        states = [state for state in STATES if state != "done"]
        counts = self.service.view.counts(JobFilter(states=states))
        jobs = GaugeMetricFamily("docpipe_jobs", "Documents in each state, without those done.", labels=("state",))
        for state in states:
            jobs.add_metric([state], counts.get(state, 0))
        messages = GaugeMetricFamily("docpipe_messages", "Webhooks and answers not delivered.", labels=("state",))
        for name, count in self.service.view.undelivered().items():
            messages.add_metric([name], count)
        yield from (jobs, messages)

    def _environment(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("docpipe_queue_depth", "Messages that wait at the broker.", labels=("queue",))
        broker = GaugeMetricFamily("docpipe_broker_up", "Whether the broker answers.")
        try:
            for stage, queue in QUEUES.items():
                depth.add_metric([queue], self.service.queue.depth(stage))
            broker.add_metric([], 1)
        except QueueError:
            broker.add_metric([], 0)
        maintenance = GaugeMetricFamily("docpipe_keeper_up", "Whether a maintenance process is there.")
        maintenance.add_metric([], LeaderLock(self.service.database, LOCK_NAME).holder() is not None)
        yield from (depth, broker, maintenance)
