"""A real Prometheus scrapes a run: dashboard and alerts find what they ask for, alerts fire."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from mgptn.experiments.views.metrics import RunMetrics
from monitoring.dashboard import dashboard
from tests.ports import free_port
from tests.synthetic import ARMS, synthetic_run

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "monitoring"
QUICKSTART = ROOT / "experiments" / "configs" / "quickstart.yaml"
ALERTS = yaml.safe_load((MONITORING / "alerts.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
STEP = 0.25
"""Seconds between scrapes, and between the points of a query."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="needs prometheus and promtool on the path (Debian: apt-get install prometheus)",
)


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus that scrapes `target` every `STEP` seconds."""

    target: int
    api: str

    def get(self, path: str, **query: Any) -> Any:
        """The data of an answer of its HTTP interface."""
        url = f"{self.api}/{path}?{urllib.parse.urlencode(query, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {query}: {error.read().decode()}") from None


@dataclass(frozen=True)
class ScrapedRun:
    """A run that Prometheus has scraped, alive or not, between two Unix times."""

    prometheus: Prometheus
    start: float
    end: float

    def values(self, expression: str) -> list[float]:
        """Every value, of every series and instant of the run, but NaN."""
        # A range and not an instant, so that a run that has ended is still seen.
        data = self.prometheus.get(
            "query_range", query=expression, start=self.start, end=self.end, step=STEP
        )
        values = [float(value) for series in data["result"] for _, value in series["values"]]
        return [value for value in values if not math.isnan(value)]

    def label_values(self, series: str, label: str) -> list[str]:
        found = self.prometheus.get(
            f"label/{label}/values", **{"match[]": series}, start=self.start, end=self.end
        )
        return [str(value) for value in found]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """The configuration of monitoring/, with another target and shorter intervals."""
    folder = tmp_path_factory.mktemp("prometheus")
    target, port = free_port(), free_port()
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {
        "scrape_interval": f"{STEP * 1000:.0f}ms",
        "scrape_timeout": f"{STEP * 1000:.0f}ms",
        "evaluation_interval": "500ms",
    }
    config["rule_files"] = [str(MONITORING / name) for name in config["rule_files"]]
    run, ray = config["scrape_configs"]
    run["static_configs"][0]["targets"] = [f"127.0.0.1:{target}"]
    # Missing, as on a machine where no cluster has been started yet.
    ray["file_sd_configs"][0]["files"] = [str(folder / "no" / "ray.json")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:

        def ready() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1).close()
            except OSError:
                return False
            return True

        wait_until(ready, "Prometheus is ready")
        yield Prometheus(target, f"http://127.0.0.1:{port}/api/v1")
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scraped_run(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> ScrapedRun:
    """`mgptn run`, all arms of it, scraped from before its first generation to after its last."""
    start = time.time()
    folder = tmp_path_factory.mktemp("scraped") / "run"
    settings = {
        "population.size": 5,
        "population.generations": 4,
        "problems_per_generation": 10,
        # Comparisons and authors' own grades, so that every bias of a grader has a value.
        "protocol.name": "pairwise",
        "protocol.graders": 3,
        "protocol.self_grading": "also",
        "hosts.count": 1,
        "metrics.port": prometheus.target,
        "metrics.linger_seconds": 4 * STEP,
    }
    overrides = [f"--set={key}={value}" for key, value in settings.items()]
    done = subprocess.run(
        [Path(sys.executable).with_name("mgptn"), "run", QUICKSTART, f"--out={folder}", *overrides],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scraped = ScrapedRun(prometheus, start, time.time())
    assert max(scraped.values("mgptn_generation")) == 3
    return scraped


def variables() -> dict[str, str]:
    return {
        variable["name"]: variable["query"]["query"]
        for variable in dashboard()["templating"]["list"]
        if variable["type"] == "query"
    }


def panel_queries() -> list[Any]:
    """Each PromQL expression of the dashboard, under its panel's title."""
    return [
        pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
        for panel in dashboard()["panels"]
        for target in panel.get("targets", [])
    ]


def substituted(text: str, run: ScrapedRun, arms: str | None = None) -> str:
    """A text with the dashboard's variables as Grafana would fill them in, every arm chosen."""
    text = text.replace("$__rate_interval", f"{4 * STEP * 1000:.0f}ms")
    for name, query in variables().items():
        if f"${name}" in text:
            if name == "arm" and arms is not None:
                value = arms
            else:
                value = "|".join(label_values(query, run))
            text = text.replace(f"${name}", value)
    return text


def label_values(query: str, run: ScrapedRun) -> list[str]:
    """What a variable's ``label_values(series, label)`` finds."""
    match = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert match is not None, query
    return run.label_values(substituted(match[1], run), match[2])


def test_the_variables_find_the_run(scraped_run: ScrapedRun) -> None:
    found = {name: label_values(query, scraped_run) for name, query in variables().items()}
    assert len(found["run"]) == 1
    assert found["task"] == ["addition"]
    assert "selected" in found["arm"]


@pytest.mark.parametrize("expression", panel_queries())
def test_every_query_of_the_dashboard_returns_data(
    scraped_run: ScrapedRun, expression: str
) -> None:
    for arms in (None, "selected"):
        query = substituted(expression, scraped_run, arms)
        assert "$" not in query
        assert scraped_run.values(query), query


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_side_of_every_alert_returns_data(
    scraped_run: ScrapedRun, rule: dict[str, Any]
) -> None:
    # A healthy run satisfies no alert, so that an alert's whole expression is empty, just as it
    # would be with a misspelt name in it. What it compares must not be.
    for side in compared(rule["expr"]):
        assert scraped_run.values(side), side


def test_every_name_that_is_asked_for_was_scraped(scraped_run: ScrapedRun) -> None:
    expressions = [rule["expr"] for rule in RULES] + [p.values[0] for p in panel_queries()]
    asked = {name for e in expressions for name in re.findall(r"\bmgptn_\w+", str(e))}
    assert asked <= set(scraped_run.label_values('{job="mgptn"}', "__name__"))


def test_what_was_scraped_adds_up(scraped_run: ScrapedRun) -> None:
    selected = '{arm="selected"}'
    generations = max(scraped_run.values(f"mgptn_generations_total{selected}"))
    assert generations == max(scraped_run.values(f"mgptn_generation{selected}")) + 1
    agents = max(scraped_run.values(f"mgptn_agents{selected}"))
    assert max(scraped_run.values(f"mgptn_replication_rate_count{selected}")) == (
        generations * agents
    )
    readable = f"mgptn_grades_total{selected} - mgptn_grades_unreadable_total{selected}"
    spread = f"sum without (level) (mgptn_grade_levels_total{selected})"
    assert max(scraped_run.values(spread)) == pytest.approx(max(scraped_run.values(readable)))


def test_no_arm_has_more_series_than_another(scraped_run: ScrapedRun) -> None:
    """Few enough series for many runs, and none of them by agent."""
    counts = scraped_run.values('count by (arm) ({__name__=~"mgptn_.+",arm!=""})')
    assert max(counts) <= 150


def test_prometheus_evaluates_every_rule(scraped_run: ScrapedRun) -> None:
    def rules() -> list[dict[str, Any]]:
        groups = scraped_run.prometheus.get("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), "rules were evaluated")
    assert {rule["name"]: rule["health"] for rule in rules()} == {
        rule["alert"]: "ok" for rule in RULES
    }


def test_promtool_accepts_the_files_and_what_is_scraped() -> None:
    promtool("check", "rules", str(MONITORING / "alerts.yml"))
    promtool("check", "config", str(MONITORING / "prometheus.yml"))


def test_promtool_accepts_the_exposition() -> None:
    metrics = RunMetrics(run="shown", task="addition", arms=ARMS, run_id="1a2b3c4d")
    committed, measures = synthetic_run(generations=2)
    for one in committed:
        metrics.commit(one, measures[one.arm, one.generation.index], hosts_alive=2)
    promtool("check", "metrics", stdin=generate_latest(metrics.registry).decode())


RUN = 'run="r",task="t"'
SELECTED = f'{RUN},arm="selected"'
J = f'mgptn_decision_youden_j{{of="selector",{SELECTED}}}'
UP = 'up{job="mgptn",instance="i"}'

# Alert, the series that it looks at by the minute, the minute to look at, does it fire then?
CASES: list[tuple[str, dict[str, str], int, bool]] = [
    ("MgptnRunDown", {UP: "1x10 0x20"}, 15, True),
    ("MgptnRunDown", {UP: "0x30"}, 15, False),
    ("MgptnRunDown", {UP: "1x10 0x100"}, 90, False),
    ("MgptnRunStalled", {f"mgptn_last_commit_timestamp_seconds{{{SELECTED}}}": "60x40"}, 17, True),
    (
        "MgptnRunStalled",
        {f"mgptn_last_commit_timestamp_seconds{{{SELECTED}}}": "0+60x40"},
        30,
        False,
    ),
    (
        "MgptnRunStalled",
        {
            f"mgptn_last_commit_timestamp_seconds{{{SELECTED}}}": "0x40",
            f'mgptn_last_commit_timestamp_seconds{{{RUN},arm="unselected"}}': "0+60x40",
        },
        30,
        False,
    ),
    ("MgptnRunStalled", {f"mgptn_start_timestamp_seconds{{{RUN}}}": "60x40"}, 17, True),
    ("MgptnRunStalled", {f"mgptn_start_timestamp_seconds{{{RUN}}}": "60x40"}, 15, False),
    (
        "MgptnNobodyAccepted",
        {
            f"mgptn_answers_accepted_total{{{SELECTED}}}": "0x40",
            f"mgptn_answers_total{{{SELECTED}}}": "0+9x40",
        },
        20,
        True,
    ),
    (
        "MgptnNobodyAccepted",
        {
            f"mgptn_answers_accepted_total{{{SELECTED}}}": "0x40",
            f"mgptn_answers_total{{{SELECTED}}}": "0x40",
        },
        20,
        False,
    ),
    (
        "MgptnNobodyAccepted",
        {
            f'mgptn_answers_accepted_total{{{RUN},arm="unselected"}}': "0x40",
            f'mgptn_answers_total{{{RUN},arm="unselected"}}': "0+9x40",
        },
        20,
        False,
    ),
    (
        "MgptnUnreadableGrades",
        {
            f"mgptn_grades_unreadable_total{{{SELECTED}}}": "0+10x40",
            f"mgptn_grades_total{{{SELECTED}}}": "0+100x40",
        },
        20,
        True,
    ),
    (
        "MgptnUnreadableGrades",
        {
            f"mgptn_grades_unreadable_total{{{SELECTED}}}": "0+1x40",
            f"mgptn_grades_total{{{SELECTED}}}": "0+100x40",
        },
        20,
        False,
    ),
    (
        "MgptnUnreadableGrades",
        {
            f"mgptn_grades_unreadable_total{{{SELECTED}}}": "0x40",
            f"mgptn_grades_total{{{SELECTED}}}": "0x40",
        },
        20,
        False,
    ),
    (
        "MgptnOptionsHardlySaid",
        {f"mgptn_grade_option_mass_ratio{{{SELECTED}}}": "0.9x10 0.05x30"},
        20,
        True,
    ),
    (
        "MgptnOptionsHardlySaid",
        {f"mgptn_grade_option_mass_ratio{{{SELECTED}}}": "0.7x40"},
        20,
        False,
    ),
    (
        "MgptnOptionsHardlySaid",
        {f'mgptn_grade_option_mass_ratio{{{RUN},arm="unselected"}}': "0.05x40"},
        20,
        False,
    ),
    ("MgptnHostRestarts", {f"mgptn_host_restarts_total{{{SELECTED}}}": "0+1x40"}, 20, True),
    ("MgptnHostRestarts", {f"mgptn_host_restarts_total{{{SELECTED}}}": "0x10 1x30"}, 20, False),
    ("MgptnSelectorWithoutSignal", {J: "-0.1 0 -0.1+0x40"}, 20, True),
    ("MgptnSelectorWithoutSignal", {J: "0.3 -0.1 0.3+0x40"}, 20, False),
    ("MgptnSelectorWithoutSignal", {J.replace("selector", "grader"): "-0.1x40"}, 20, False),
    ("MgptnLineagesCollapsed", {f"mgptn_lineages{{{SELECTED}}}": "2x10 1x10"}, 15, True),
    ("MgptnLineagesCollapsed", {f"mgptn_lineages{{{SELECTED}}}": "2x20"}, 15, False),
]


def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    assert {alert for alert, _, _, fires in CASES if fires} == {rule["alert"] for rule in RULES}
    cases = [
        {
            "name": f"{alert}, {'firing' if fires else 'silent'}, {series}",
            "interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for alert, series, minute, fires in CASES
    ]
    document = {
        "rule_files": [str(MONITORING / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": cases,
    }
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(document, width=1000))
    promtool("test", "rules", str(tmp_path / "tests.yml"))


def test_the_sides_of_an_alert_are_told_apart() -> None:
    assert compared('up{job="a>b"} == 0 and max_over_time(up[1h]) == 1') == [
        'up{job="a>b"}',
        "max_over_time(up[1h])",
    ]
    assert compared("a / (b > 1) > 0.05") == ["a / (b > 1)"]


def compared(expression: str) -> list[str]:
    """The vectors that an alert's expression compares with numbers, outside of all brackets."""
    sides, depth, side = [], 0, ""
    tokens = re.findall(r'"[^"]*"|[({\[]|[)}\]]|[=!<>]=|[<>]|\band\b|\bunless\b|.', expression)
    for token in tokens:
        depth += (token in "({[") - (token in ")}]")
        if depth == 0 and token in ("==", "!=", "<=", ">=", "<", ">", "and", "unless"):
            sides.append(side.strip())
            side = ""
        else:
            side += token
    sides.append(side.strip())
    return [side for side in sides if not re.fullmatch(r"[\d.]+", side)]


def promtool(*arguments: str, stdin: str | None = None) -> None:
    done = subprocess.run(
        ["promtool", *arguments], input=stdin, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: expected within {seconds} s"
        time.sleep(0.05)
