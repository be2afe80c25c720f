"""The metrics of a run: their names, when they move, what they leave out; the dashboard's file."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib
import json
import math
import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mgptn.experiments.record.manifest import run_id, write_manifest
from mgptn.experiments.views import metrics_server
from mgptn.experiments.views.metric_names import (
    DECISION_GAUGES,
    GAUGES,
    MEASURE_COUNTERS,
    MODELS_SHOWN,
    UNITS,
)
from mgptn.experiments.views.metrics import RunMetrics
from mgptn.experiments.views.metrics_server import (
    MOST,
    USUAL,
    EndpointError,
    PortTaken,
    check_port,
    may_ask,
)
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.measures.grader_measures import ESTIMATES, measure_graders
from mgptn.population.measures.leaving_out import Estimate
from mgptn.protocols.scale import LEVELS
from monitoring.dashboard import OUTPUT, dashboard, rendered
from monitoring.panels import SECTIONS
from tests.ports import free_port
from tests.synthetic import ARMS, synthetic_run, undefined

MEASURED = [field.name for field in fields(Measures) if field.type == "float"]
RUN = {"run": "night", "run_id": "1a2b3c4d", "task": "addition"}
SELECTED = {**RUN, "arm": "selected"}


@pytest.fixture
def metrics() -> Iterator[RunMetrics]:
    metrics = RunMetrics(run="night", task="addition", arms=ARMS, run_id="1a2b3c4d")
    yield metrics
    metrics.close()


def families(metrics: RunMetrics) -> dict[str, Metric]:
    return {family.name: family for family in metrics.registry.collect()}


def value(metrics: RunMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"mgptn_{name}", {**SELECTED, **labels})


def test_names_follow_prometheus_conventions(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(generations=1)
    for one in committed:
        metrics.commit(one, measures[one.arm, 0], 2)
    for family in families(metrics).values():
        assert re.fullmatch(r"mgptn_[a-z0-9]+(_[a-z0-9]+)*", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(r"_(ms|millis|minutes|percent|rate_total)$", family.name)
        for sample in family.samples:
            assert not sample.name.endswith("_created")
            if family.type == "counter":
                assert sample.name == f"{family.name}_total"


def test_openmetrics_parses_it_with_units_and_the_runs_id(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(generations=2)
    for one in committed:
        metrics.commit(one, measures[one.arm, one.generation.index], 2)
    text = openmetrics.generate_latest(metrics.registry).decode()
    found = list(text_string_to_metric_families(text))
    units = {f.unit for f in found}
    assert units == {"", "seconds", "joules", "ratio"}
    for family in found:
        assert not family.unit or family.name.endswith(f"_{family.unit}")
        assert (family.name.rpartition("_")[2] in UNITS) == bool(family.unit)
        for sample in family.samples:
            assert {name: sample.labels[name] for name in RUN} == RUN
            assert family.type != "counter" or sample.name.endswith("_total")
    assert "# UNIT mgptn_phase_seconds seconds\n" in text


def test_runs_of_one_configuration_are_told_apart(tmp_path: Path) -> None:
    """Folders of equal manifests; and one that was removed and begun anew."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write_manifest(folder, {"config": {}, "arms": ["selected"]})
    first, second = map(run_id, folders)
    assert re.fullmatch("[0-9a-f]{8}", first)
    assert first != second  # 2^-32
    assert run_id(folders[0]) == first
    write_manifest(folders[0], {"config": {}, "arms": ["selected"]})
    assert run_id(folders[0]) != first
    shown = [RunMetrics("night", "addition", ARMS, one) for one in (first, second)]
    series = [
        {(s.name, *sorted(s.labels.items())) for f in one.registry.collect() for s in f.samples}
        for one in shown
    ]
    assert not series[0] & series[1]


def test_grafanas_own_schema_has_all_of_the_dashboard() -> None:
    """What Grafana does not know of is dropped by its library, and what is misnamed refused."""
    sdk = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    importlib.import_module("grafana_foundation_sdk.cog.plugins").register_default_plugins()
    encoder = importlib.import_module("grafana_foundation_sdk.cog.encoder").JSONEncoder

    def known(told: dict[str, Any]) -> Any:
        return json.loads(encoder().encode(sdk.Dashboard.from_json(told)))

    def within(part: Any, whole: Any) -> bool:
        if isinstance(part, dict):
            return isinstance(whole, dict) and all(
                key in whole and within(value, whole[key]) for key, value in part.items()
            )
        if isinstance(part, list):
            return len(part) == len(whole) and all(map(within, part, whole))
        return bool(part == whole)

    told = dashboard()
    assert within(told, known(told))
    for panel in told["panels"]:  # each is of a kind that the library knows options of
        panel["options"] = {**panel.get("options", {}), "noSuchOption": 1}
        assert panel["type"] == "row" or not within(told, known(told)), panel["title"]
        del panel["options"]["noSuchOption"]
    assert not within({**told, "noSuchKey": 1}, known({**told, "noSuchKey": 1}))


def test_every_measure_is_shown() -> None:
    shown = {field for _, field, _ in (*GAUGES, *MEASURE_COUNTERS)}
    shown |= {field for _, of, _ in DECISION_GAUGES for field in of.values()}
    assert shown == {field.name for field in fields(Measures)}


def test_nothing_is_claimed_before_the_first_commit(metrics: RunMetrics) -> None:
    for family in families(metrics).values():
        for sample in family.samples:
            if family.name not in ("mgptn_build", "mgptn_start_timestamp_seconds"):
                assert family.type in ("counter", "histogram"), sample
                assert sample.value == 0, sample
    for arm in ARMS:
        assert value(metrics, "generations_total", arm=arm) == 0


def test_metrics_move_only_at_a_commit(metrics: RunMetrics) -> None:
    before = generate_latest(metrics.registry)
    committed, measures = synthetic_run()
    assert generate_latest(metrics.registry) == before
    metrics.commit(committed[0], measures["selected", 0], 2)
    once = generate_latest(metrics.registry)
    assert once != before
    assert generate_latest(metrics.registry) == once


def test_commits_add_up(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(generations=3)
    mine = [c for c in committed if c.arm == "selected"]
    seen = [measures["selected", i] for i in range(3)]
    for one in committed:
        metrics.commit(one, measures[one.arm, one.generation.index], 2)
    grades = [g for c in mine for o in c.generation.outcomes for g in o.grades]

    assert value(metrics, "generation") == 2
    assert value(metrics, "generations_total") == 3
    assert value(metrics, "answers_total") == sum(m.answers for m in seen)
    assert value(metrics, "answer_tokens_total") == sum(m.tokens for m in seen)
    assert value(metrics, "births_total") == sum(m.births for m in seen)
    assert value(metrics, "answers_accepted_total") == sum(len(c.generation.accepted) for c in mine)
    assert value(metrics, "grades_unreadable_total") == sum(g.levels is None for g in grades)
    assert value(metrics, "tokens_computed_total") == 3 * 9_000 + 3
    assert value(metrics, "phase_seconds_total", phase="grade") == pytest.approx(7.5)
    assert value(metrics, "gold_error_ratio") == seen[-1].gold_error
    assert value(metrics, "decision_youden_j", of="selector") == seen[-1].youden_j
    assert value(metrics, "decision_youden_j", of="grader") == seen[-1].grader_j
    assert metrics.registry.get_sample_value("mgptn_hosts_alive", RUN) == 2
    fitness = [f for c in mine for f in c.generation.fitness.tolist()]
    assert value(metrics, "fitness_ratio_count") == len(fitness)
    assert value(metrics, "fitness_ratio_sum") == pytest.approx(sum(fitness))
    assert value(metrics, "replication_rate_sum") == pytest.approx(len(fitness))


def test_levels_share_out_the_readable_grades(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(generations=1)
    metrics.commit(committed[0], measures["selected", 0], 1)
    grades = [g for o in committed[0].generation.outcomes for g in o.grades]
    masses = [value(metrics, "grade_levels_total", level=level) for level in LEVELS]
    assert sum(masses) == pytest.approx(sum(g.levels is not None for g in grades))
    for i, mass in enumerate(masses):
        assert mass == pytest.approx(sum(g.levels[i] for g in grades if g.levels is not None))


def test_neutral_drift_fills_the_bucket_around_one_alone(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(generations=1, agents=6)
    neutral = next(c for c in committed if c.arm == "neutral-drift")
    metrics.commit(neutral, measures["neutral-drift", 0], 1)
    assert value(metrics, "replication_rate_bucket", arm="neutral-drift", le="0.8") == 0
    assert value(metrics, "replication_rate_bucket", arm="neutral-drift", le="1.25") == 6


def test_labels_are_bounded(metrics: RunMetrics) -> None:
    """Neither more generations nor more agents make more series."""

    def series(agents: int, generations: int) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        metrics = RunMetrics(run="night", task="addition", arms=ARMS, run_id="1a2b3c4d")
        committed, measures = synthetic_run(agents=agents, generations=generations)
        for one in committed:
            metrics.commit(one, measures[one.arm, one.generation.index], 2)
        return {
            (sample.name, tuple(sorted(sample.labels.items())))
            for family in metrics.registry.collect()
            for sample in family.samples
        }

    few, many = series(4, 2), series(12, 4)
    assert few == many
    names = {name for _, labels in many for name, _ in labels}
    assert names == {"run", "run_id", "task", "arm", "of", "phase", "level", "le", "version"}


def test_series_are_at_most_two_thousand(metrics: RunMetrics) -> None:
    """In four arms of as many models as one may mix: each shown with every measure there is."""
    committed, measures = synthetic_run(generations=1)
    (whole,) = measure_graders(committed[0].generation, 0.5)[:1]
    kinds = [replace(whole, model=f"model-{i}", role="all") for i in range(40)]
    known = {name: Estimate(0.5, 0.4, 0.6) for name in ESTIMATES}
    for one in committed:
        told = replace(measures[one.arm, 0], **dict.fromkeys(MEASURED, 0.5))
        metrics.commit(one, told, 2, [replace(kind, **known) for kind in kinds])
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    assert len({s.labels.get("model") for s in samples} - {None}) == MODELS_SHOWN
    assert 1000 < len(samples) <= 2000


def test_an_undefined_measure_is_absent_until_it_is_defined_again(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(arms=("selected",), generations=3)
    metrics.commit(committed[0], measures["selected", 0], 1)
    assert value(metrics, "price_selection") is None
    assert value(metrics, "fitness_price_selection") is None
    assert value(metrics, "gold_error_ratio") is not None
    metrics.commit(committed[1], undefined(measures["selected", 1]), 1)
    assert value(metrics, "gold_error_ratio") is None
    assert value(metrics, "decision_youden_j", of="selector") is None
    samples = [s for family in metrics.registry.collect() for s in family.samples]
    assert not any(math.isnan(sample.value) for sample in samples)
    metrics.commit(committed[2], measures["selected", 2], 1)
    assert value(metrics, "gold_error_ratio") == measures["selected", 2].gold_error
    assert value(metrics, "generations_total") == 3


def test_fitness_that_is_unknown_is_not_counted(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(arms=("selected",), generations=1, agents=4)
    generation = replace(committed[0].generation, fitness=np.array([np.nan, 0.0, 0.5, 1.0]))
    metrics.commit(replace(committed[0], generation=generation), measures["selected", 0], 1)
    assert value(metrics, "fitness_ratio_count") == 3
    assert value(metrics, "fitness_ratio_bucket", le="0.0") == 1
    assert value(metrics, "fitness_ratio_bucket", le="1.0") == 3


def test_an_unknown_arm_is_named_and_moves_nothing(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(generations=1)
    before = generate_latest(metrics.registry)
    with pytest.raises(ValueError, match=r"committed\.arm: expected one of selected, .*'other'"):
        metrics.commit(replace(committed[0], arm="other"), measures["selected", 0], 1)
    assert generate_latest(metrics.registry) == before


def test_the_global_registry_is_left_alone(metrics: RunMetrics) -> None:
    RunMetrics(run="night", task="addition", arms=ARMS, run_id="1a2b3c4d")
    assert b"mgptn_" not in generate_latest(REGISTRY)


def test_a_scrape_sees_whole_commits_only(metrics: RunMetrics) -> None:
    committed, measures = synthetic_run(arms=("selected",), generations=1)
    torn: list[tuple[float | None, float | None]] = []
    done = threading.Event()

    def scrape() -> None:
        while not done.is_set():
            samples = {
                sample.name: sample.value
                for family in metrics.registry.collect()
                for sample in family.samples
                if sample.labels.get("arm") == "selected"
            }
            seen = samples["mgptn_generations_total"], samples["mgptn_answers_total"]
            if seen[1] != seen[0] * measures["selected", 0].answers:
                torn.append(seen)

    reader = threading.Thread(target=scrape)
    reader.start()
    for _ in range(100):
        metrics.commit(committed[0], measures["selected", 0], 1)
    done.set()
    reader.join()
    assert not torn


def test_serve_answers_scrapes_until_closed(metrics: RunMetrics) -> None:
    port = free_port()
    check_port("127.0.0.1", port)
    metrics.serve("127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert b'mgptn_build_info{run="night"' in answer.read()
    with pytest.raises(RuntimeError, match="second call"):
        metrics.serve("127.0.0.1", port)
    metrics.close()
    metrics.close()
    check_port("127.0.0.1", port)


def test_port_zero_opens_nothing(metrics: RunMetrics) -> None:
    before = threading.active_count()
    check_port("127.0.0.1", 0)
    metrics.serve("127.0.0.1", 0)
    assert threading.active_count() == before


def test_a_taken_port_is_named(metrics: RunMetrics) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for attempt in (check_port, metrics.serve):
            with pytest.raises(PortTaken, match=rf"metrics\.port: expected .* free.*got {port}"):
                attempt("127.0.0.1", port)


def test_a_run_that_names_no_port_takes_another_where_the_usual_one_is_taken(
    metrics: RunMetrics,
) -> None:
    with ExitStack() as stack:
        with suppress(OSError):  # another's, and so taken already
            stack.enter_context(socket.create_server(("127.0.0.1", USUAL)))
        check_port("127.0.0.1", "auto")
        port = metrics.serve("127.0.0.1", "auto")
        assert port not in (0, USUAL)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert b"mgptn_build_info" in answer.read()


@pytest.fixture
def served(metrics: RunMetrics, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of an endpoint that waits half a second for a request."""
    monkeypatch.setattr(metrics_server, "SECONDS", 0.5)
    yield metrics.serve("127.0.0.1", free_port())
    metrics.close()


def asked(port: int, request: bytes) -> bytes:
    """All that is answered to a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request)
        with suppress(ConnectionError):
            return b"".join(iter(lambda: client.recv(65536), b""))
    return b""


@pytest.mark.parametrize(
    ("request_of_it", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: localhost:1\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"HTTP/1.1 403 Forbidden"),
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 403 Forbidden"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /" + b"x" * 2**17, b""),
    ],
)
def test_only_who_calls_the_endpoint_by_its_own_name_is_answered(
    served: int, request_of_it: bytes, status: bytes
) -> None:
    assert asked(served, request_of_it).split(b"\r\n")[0] == status


@pytest.mark.parametrize(
    ("host", "header", "may"),
    [
        ("127.0.0.1", "127.0.0.1:9464", True),
        ("127.0.0.1", "[::1]:9464", True),
        ("::1", "localhost", True),
        ("127.0.0.1", "10.0.0.7:9464", True),  # an address means what it says
        ("127.0.0.1", "rebound.example:9464", False),
        ("127.0.0.1", "localhost.example", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "the-head.example:9464", True),
    ],
)
def test_a_name_that_may_be_made_to_mean_this_machine_is_refused_on_loopback(
    host: str, header: str, may: bool
) -> None:
    assert may_ask(header, host) == may


def test_clients_that_never_finish_hold_neither_threads_nor_others_up(served: int) -> None:
    """More than are served at once; each is let go when its time is up, or another's comes."""
    before = threading.active_count()
    with ExitStack() as stack:
        slow = []
        for _ in range(5 * MOST):
            client = socket.create_connection(("127.0.0.1", served), timeout=10)
            slow.append(stack.enter_context(client))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: local")
        answer = asked(served, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert threading.active_count() == before
        for client in slow:
            with suppress(ConnectionError):
                assert client.recv(1) == b""


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_a_host_that_is_not_here_is_named(host: str) -> None:
    with pytest.raises(EndpointError, match=rf"metrics\.host: expected .*got '{host}'"):
        check_port(host, free_port())


def test_the_committed_dashboard_is_the_generated_one() -> None:
    assert OUTPUT.read_text() == rendered(), "python -m monitoring.dashboard rewrites it"


def test_the_readme_explains_every_panel() -> None:
    readme = (Path(OUTPUT).parents[2] / "README.md").read_text()
    for _, panels in SECTIONS:
        for panel in panels:
            assert panel.title.removesuffix(", {arm}") in readme
