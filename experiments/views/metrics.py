"""The Prometheus face of a run: what is shown of a generation once the journal holds it.

Nothing here measures anything; every number comes from `Committed` and measures of it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, make_wsgi_app
from prometheus_client.metrics_core import Metric

from mgptn.experiments.costs.per_right import Cost, right_answers
from mgptn.experiments.record.committed import PHASES, Committed
from mgptn.experiments.views.metric_names import (
    COST_GAUGES,
    DECISION_GAUGES,
    FITNESS_BUCKETS,
    GAUGES,
    GRADER_GAUGES,
    MEASURE_COUNTERS,
    MODELS_SHOWN,
    RATE_BUCKETS,
    SCALES,
    UNITS,
    WORK_COUNTERS,
)
from mgptn.experiments.views.metrics_server import MetricsServer, opened
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.measures.grader_measures import ALL, GraderMeasures
from mgptn.population.records.outcomes import Outcomes
from mgptn.protocols.scale import LEVELS

RUN_LABELS = ("run", "run_id", "task")


class RunMetrics:
    """The metrics of one run, in a registry of their own.

    Every series has the labels `run`, `run_id` and `task`, and those of an arm `arm`; others have
    the fixed values of `PHASES`, `LEVELS`, or selector and grader; and `model` the names of at most
    `MODELS_SHOWN` models. Counters stand at zero
    from the start, so that a rate sees the first generation. Gauges appear with the first commit,
    and a gauge whose measure is NaN is absent until the measure is defined again: an
    absent series is a gap in a graph, and never poisons a mean or a comparison.

    A scrape sees whole commits only. Histograms and counters accumulate over the generations
    committed in this process, and start from zero when a run is resumed.

    Parameters
    ----------
    run, task
        Names, as label values.
    arms
        Names of all arms that will be committed.
    run_id
        Tells runs of one configuration apart; the same when a run is resumed.
    """

    def __init__(self, run: str, task: str, arms: Sequence[str], run_id: str = "") -> None:
        self._run = (run, run_id, task)
        self._arms = tuple(arms)
        self._lock = threading.Lock()
        self._server: MetricsServer | None = None
        self._series = CollectorRegistry()
        self.registry = CollectorRegistry()
        self.registry.register(_WholeCommits(self._series, self._lock))

        self._gauges = {field: self._gauge(name, text) for name, field, text in GAUGES}
        self._decisions = [
            (self._gauge(name, text, "of"), fields) for name, fields, text in DECISION_GAUGES
        ]
        self._graders = {
            field: self._gauge(name, text, "model") for name, field, text in GRADER_GAUGES
        }
        self._measured = {
            field: self._counter(name, text) for name, field, text in MEASURE_COUNTERS
        }
        self._worked = {key: self._counter(name, text) for name, key, text in WORK_COUNTERS}
        self._costs = {field: self._gauge(name, text) for name, field, text in COST_GAUGES}
        self._generations = self._counter("generations", "Generations committed.")
        self._accepted = self._counter("answers_accepted", "Answers that entered a context.")
        self._phases = self._counter(
            "phase_seconds",
            "Wall time by phase: forward, sampling and transfer are summed over hosts, the others "
            "are the driver's; planner is part of answer and grade.",
            "phase",
        )
        self._levels = self._counter(
            "grade_levels",
            "Readable grades by level of the survey, each spread by its probabilities.",
            "level",
        )
        self._fitness = self._histogram(
            "fitness_ratio", "Fitness of agents, once per generation.", FITNESS_BUCKETS
        )
        self._rates = self._histogram(
            "replication_rate", "Replication rates of agents, once per generation.", RATE_BUCKETS
        )
        self._last_commit = self._gauge(
            "last_commit_timestamp_seconds", "Unix time of the last commit."
        )
        self._hosts = Gauge(
            "mgptn_hosts_alive",
            "Hosts alive at the last commit.",
            RUN_LABELS,
            registry=self._series,
        )
        self._begin()

    def commit(
        self,
        committed: Committed,
        measures: Measures,
        hosts_alive: int,
        graders: Sequence[GraderMeasures] = (),
    ) -> None:
        """Show one generation; to be called once the journal holds it.

        Raises
        ------
        ValueError
            If the arm is not one of the run's.
        """
        if committed.arm not in self._arms:
            raise ValueError(
                f"committed.arm: expected one of {', '.join(self._arms)}, got {committed.arm!r}"
            )
        labels = (*self._run, committed.arm)
        generation = committed.generation
        with self._lock:
            for field, gauge in self._gauges.items():
                _show(gauge, labels, getattr(measures, field))
            for gauge, fields in self._decisions:
                for of, field in fields.items():
                    _show(gauge, (*labels, of), getattr(measures, field))
            for one in _models_shown(graders):
                for field, gauge in self._graders.items():
                    _show(gauge, (*labels, one.model), getattr(one, field).value)
            right = right_answers(measures.answers, measures.gold_error)
            for field, value in Cost.of(right, committed.counters).per_right.items():
                _show(self._costs[field], labels, value)
            for field, counter in self._measured.items():
                counter.labels(*labels).inc(getattr(measures, field))
            for key, counter in self._worked.items():
                counter.labels(*labels).inc(committed.counters.get(key, 0) * SCALES.get(key, 1))
            for phase in PHASES:
                self._phases.labels(*labels, phase).inc(committed.seconds.get(phase, 0.0))
            self._generations.labels(*labels).inc()
            self._accepted.labels(*labels).inc(len(generation.accepted))
            for level, mass in zip(LEVELS, _level_masses(generation.outcomes), strict=False):
                self._levels.labels(*labels, level).inc(mass)
            for histogram, values in (
                (self._fitness.labels(*labels), generation.fitness),
                (self._rates.labels(*labels), generation.rates),
            ):
                for value in values[~np.isnan(values)].tolist():
                    histogram.observe(value)
            self._last_commit.labels(*labels).set(time.time())
            self._hosts.labels(*self._run).set(hosts_alive)

    def serve(self, host: str = "127.0.0.1", port: int | str = 0) -> int:
        """Answer scrapes at ``http://host:port/metrics`` from a daemon thread; port 0 does not.

        Returns the port, which is another than the usual one where that is taken and the port is
        ``auto``.

        Raises
        ------
        EndpointError
            As of `metrics_server.opened`.
        RuntimeError
            If it is open already.
        """
        if self._server is not None:
            raise RuntimeError("serve: expected to be called once, got a second call")
        if port == 0:
            return 0
        self._server = MetricsServer(opened(host, port), host, make_wsgi_app(self.registry))
        return self._server.port

    def close(self) -> None:
        """Close the endpoint, if it is open."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()

    def _gauge(self, name: str, text: str, *further: str) -> Gauge:
        return Gauge(f"mgptn_{name}", text, _names(further), **self._of(name))

    def _counter(self, name: str, text: str, *further: str) -> Counter:
        return Counter(f"mgptn_{name}", text, _names(further), **self._of(name))

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"mgptn_{name}", text, _names(()), buckets=buckets, **self._of(name))

    def _of(self, name: str) -> dict[str, Any]:
        """Where a metric is registered, and the unit that its name ends in."""
        unit = name.rpartition("_")[2]
        return {"registry": self._series, "unit": unit if unit in UNITS else ""}

    def _begin(self) -> None:
        """Say which run and version this is, and put each arm's counters at zero."""
        build = Info(
            "mgptn_build", "Version of mgptn.", labelnames=RUN_LABELS, registry=self._series
        )
        build.labels(*self._run).info({"version": _version()})
        start = Gauge(
            "mgptn_start_timestamp_seconds",
            "Unix time at which the run, or its resumption, began.",
            RUN_LABELS,
            **self._of("start_timestamp_seconds"),
        )
        start.labels(*self._run).set(time.time())
        plain = (
            *self._measured.values(),
            *self._worked.values(),
            self._generations,
            self._accepted,
        )
        for arm in self._arms:
            labels = (*self._run, arm)
            for counter in plain:
                counter.labels(*labels)
            for phase in PHASES:
                self._phases.labels(*labels, phase)
            for level in LEVELS:
                self._levels.labels(*labels, level)
            self._fitness.labels(*labels)
            self._rates.labels(*labels)


def _names(further: tuple[str, ...]) -> tuple[str, ...]:
    return (*RUN_LABELS, "arm", *further)


class _WholeCommits:
    """Collects series under the lock that commits hold, without the client's creation times."""

    def __init__(self, series: CollectorRegistry, lock: threading.Lock) -> None:
        self._series = series
        self._lock = lock

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            families = list(self._series.collect())
        for family in families:
            family.samples = [s for s in family.samples if s.name != f"{family.name}_created"]
        return families


def _level_masses(outcomes: Outcomes) -> list[float]:
    """Readable grades by level, each spread by its probabilities; none where none was given."""
    counts = outcomes.given_counts()[1:]
    return list((counts @ outcomes.levels).tolist())


def _models_shown(graders: Sequence[GraderMeasures]) -> list[GraderMeasures]:
    """The rows of single models, all roles together, as many as may have series."""
    models = [one for one in graders if one.role == ALL and one.model != ALL]
    return sorted(models, key=lambda one: one.model)[:MODELS_SHOWN]


def _show(gauge: Gauge, labels: tuple[str, ...], value: float) -> None:
    """Set a gauge, or take it away where the value is undefined."""
    if math.isnan(value):
        gauge.remove(*labels)
    else:
        gauge.labels(*labels).set(value)


def _version() -> str:
    try:
        return version("mgptn")
    except PackageNotFoundError:
        return "unknown"
