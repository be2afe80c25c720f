"""Generates the Grafana dashboard of a run: ``python monitoring/dashboard.py`` rewrites its JSON.

The panels are listed in `SECTIONS`, in plain words and PromQL; the rest is Grafana's form.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parent / "grafana" / "dashboards" / "mgptn.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS = 24

RUN = 'run="$run",task="$task"'
ARM = f'{RUN},arm=~"$arm"'
LIVE = f'{RUN},arm="selected"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: queries are pairs of PromQL and legend, and `says` is its description."""

    title: str
    says: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    limits: tuple[float | None, float | None] = (None, None)
    per_arm: bool = False
    band: bool = False


def each(name: str, labels: str = ARM, **more: str) -> str:
    """A gauge of the chosen run and arms."""
    matchers = ",".join([labels, *(f'{key}="{value}"' for key, value in more.items())])
    return f"mgptn_{name}{{{matchers}}}"


def gain(name: str, by: str = "arm", labels: str = ARM, **more: str) -> str:
    """How much a counter grew within the interval, by some labels."""
    return f"sum by ({by}) (increase({each(name, labels, **more)}[$__rate_interval]))"


def share(part: str, whole: str, by: str = "arm", labels: str = ARM) -> str:
    """A counter's growth over another's; absent while nothing was committed."""
    return f"{gain(part, by, labels)} / ({gain(whole, by, labels)} > 0)"


def share_by(label: str, part: str, whole: str) -> str:
    """A counter's growth by a label of its own, over another's growth, all arms together."""
    parts = gain(part, f"run, {label}")
    return f"{parts} / on (run) group_left () ({gain(whole, 'run')} > 0)"


def per_work_second(name: str) -> str:
    """A counter's growth for each second of committed work."""
    return f"{gain(name)} / ({gain('phase_seconds_total', phase='total')} > 0)"


SECTIONS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Now",
        (
            Panel(
                "Generation",
                "The last generation that the journal holds, of the run itself.",
                ((each("generation", LIVE), ""),),
                kind="stat",
                width=4,
                height=4,
            ),
            Panel(
                "Gold error now",
                "Share of the selected arm's answers that the verifier calls wrong.",
                ((each("gold_error_ratio", LIVE), ""),),
                kind="stat",
                unit="percentunit",
                width=4,
                height=4,
            ),
            Panel(
                "Accepted now",
                "Share of the selected arm's answers that entered a context.",
                ((each("acceptance_ratio", LIVE), ""),),
                kind="stat",
                unit="percentunit",
                width=4,
                height=4,
            ),
            Panel(
                "Lineages now",
                "Founders with living descendants in the selected arm.",
                ((each("lineages", LIVE), ""),),
                kind="stat",
                width=4,
                height=4,
            ),
            Panel(
                "Hosts now",
                "Hosts alive at the last commit.",
                ((each("hosts_alive", RUN), ""),),
                kind="stat",
                width=4,
                height=4,
            ),
            Panel(
                "Version",
                "The version of mgptn that the run is on.",
                ((each("build_info", RUN), "{{version}}"),),
                kind="name",
                width=4,
                height=4,
            ),
        ),
    ),
    (
        "Fitness",
        (
            Panel(
                "Fitness",
                "Mean and highest fitness of an agent: what selection saw. If it rises and gold "
                "error does not fall, selection is for what graders like, not for what is right.",
                (
                    (each("fitness_mean_ratio"), "mean {{arm}}"),
                    (each("fitness_max_ratio"), "max {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Selection and transmission",
                "Price's two parts of the change of gold error since the generation before: below "
                "zero, selection (or inheritance with its mutations) made the population better.",
                (
                    (each("price_selection"), "selection {{arm}}"),
                    (each("price_transmission"), "transmission {{arm}}"),
                ),
            ),
            Panel(
                "Fitness of agents, {arm}",
                "How many agents had which fitness. A population that splits shows two bands.",
                ((gain("fitness_ratio_bucket", "le"), "{{le}}"),),
                kind="heatmap",
                unit="percentunit",
                per_arm=True,
            ),
        ),
    ),
    (
        "Errors",
        (
            Panel(
                "Gold error of all arms",
                "The share of wrong answers, next to the controls that spend the same answers on a "
                "vote or on picking the best graded one. The claim needs the selected arm "
                "below all of them.",
                (
                    (each("gold_error_ratio"), "{{arm}}"),
                    (each("majority_error_ratio"), "majority {{arm}}"),
                    (each("best_of_n_error_ratio"), "best of n {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Acceptance",
                "Share of answers that entered a context, and share of wrong ones among them: the "
                "second is what the population teaches itself.",
                (
                    (each("acceptance_ratio"), "accepted {{arm}}"),
                    (each("accepted_error_ratio"), "wrong among accepted {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Gold error with interval, {arm}",
                "Gold error with its 95 % interval by the spread between problems: a change within "
                "it may be chance.",
                (
                    (each("gold_error_high_ratio"), "high"),
                    (each("gold_error_ratio"), "gold error"),
                    (each("gold_error_low_ratio"), "low"),
                ),
                unit="percentunit",
                limits=(0, 1),
                per_arm=True,
                band=True,
            ),
        ),
    ),
    (
        "Selector and graders",
        (
            Panel(
                "True and false positives of the selector",
                "Share of right and of wrong answers that the selector accepts.",
                (
                    (each("decision_true_positive_ratio", of="selector"), "true {{arm}}"),
                    (each("decision_false_positive_ratio", of="selector"), "false {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "True and false positives of single graders",
                "The same of one grader's word. The selector should be better than its graders.",
                (
                    (each("decision_true_positive_ratio", of="grader"), "true {{arm}}"),
                    (each("decision_false_positive_ratio", of="grader"), "false {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Youden's J",
                "True minus false positive ratio. At zero or below selection has no signal, and "
                "what follows is drift.",
                ((each("decision_youden_j"), "{{of}} {{arm}}"),),
                limits=(-1, 1),
            ),
            Panel(
                "Likelihood ratio",
                "True over false positive ratio of the selector: by how much acceptance multiplies "
                "the odds that an answer is right. 1 says nothing.",
                ((each("selector_likelihood_ratio"), "{{arm}}"),),
            ),
            Panel(
                "Calibration of graders",
                "How well grades rank answers (AUC, 0.5 is chance), and how far they are from the "
                "truth as probabilities (Brier score, calibration error; 0 is best).",
                (
                    (each("grader_auc"), "AUC {{arm}}"),
                    (each("grader_brier_score"), "Brier {{arm}}"),
                    (each("grader_calibration_error_ratio"), "calibration error {{arm}}"),
                ),
                limits=(0, 1),
            ),
            Panel(
                "Independence of graders",
                "Correlation of two graders' errors on the same wrong answers, and the number of "
                "independent graders that they are worth. Copies that err together count once.",
                (
                    (each("grader_correlation"), "correlation {{arm}}"),
                    (each("effective_graders"), "effective graders {{arm}}"),
                    (each("grade_disagreement"), "disagreement {{arm}}"),
                ),
            ),
            Panel(
                "Youden's J by model, {arm}",
                "True minus false positive ratio of single grades, by the grader's model: who of a "
                "mixed population can tell right from wrong.",
                ((each("grader_model_youden_j"), "{{model}}"),),
                limits=(-1, 1),
                per_arm=True,
            ),
            Panel(
                "Biases of graders by model, {arm}",
                "Own answers' grade less the others' of the same, where authors grade too; and by "
                "how much what is shown first is favoured, where answers are compared. 0 is fair.",
                (
                    (each("grader_model_self_preference"), "self-preference {{model}}"),
                    (each("grader_model_position_bias"), "position bias {{model}}"),
                ),
                per_arm=True,
            ),
            Panel(
                "Grades by level, {arm}",
                "Share of grades on each level of the survey. All mass on one level means that the "
                "graders do not discriminate.",
                ((share_by("level", "grade_levels_total", "grade_levels_total"), "{{level}}"),),
                unit="percentunit",
                limits=(0, 1),
                per_arm=True,
            ),
            Panel(
                "Unreadable grades, truncated answers and unknown verdicts",
                "Grades that could not be read, left out of fitness, answers cut off at their "
                "maximum length, and answers without a verdict, left out of errors, each as a "
                "share of all; and the mean probability of the options "
                "that grades were read from: where it is small, graders would have said something "
                "else.",
                (
                    (share("grades_unreadable_total", "grades_total"), "unreadable {{arm}}"),
                    (share("answers_truncated_total", "answers_total"), "truncated {{arm}}"),
                    (share("verdicts_unknown_total", "answers_total"), "unknown {{arm}}"),
                    (each("grade_option_mass_ratio"), "mass of options {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, None),
                width=24,
            ),
        ),
    ),
    (
        "Evolution",
        (
            Panel(
                "Replication rates, {arm}",
                "How many agents had which replication rate (mean 1). Neutral drift fills the one "
                "bucket around 1; strong selection empties it.",
                ((gain("replication_rate_bucket", "le"), "{{le}}"),),
                kind="heatmap",
                per_arm=True,
            ),
            Panel(
                "Lineages and diversity",
                "Founders with living descendants, how many equally common ones they are worth "
                "(their Hill number), and distinct genomes.",
                (
                    (each("lineages"), "lineages {{arm}}"),
                    (each("lineage_diversity"), "diversity {{arm}}"),
                    (each("genotypes"), "genotypes {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Effective population size",
                "From the variance in offspring numbers, beside the number of agents: if it is far "
                "below, few agents leave most of the offspring.",
                (
                    (each("effective_population_size"), "effective {{arm}}"),
                    (each("agents"), "agents {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Identity by descent and collision",
                "Share of pairs of agents that descend from one founder, what drift by the rates "
                "so far would make of it, and of pairs that are both wrong the share that said the "
                "same. As they rise, agents are no longer so many independent judges.",
                (
                    (each("identity_by_descent_ratio"), "identity {{arm}}"),
                    (each("identity_expected_ratio"), "expected {{arm}}"),
                    (each("collision_ratio"), "collision {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "What all agree on",
                "Share of problems to which all agents gave the same answer, and how many of those "
                "answers are wrong.",
                (
                    (each("agreed_ratio"), "agreed {{arm}}"),
                    (each("agreed_error_ratio"), "wrong {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Births and deaths per generation",
                "They are equal, since the population's size is held.",
                (
                    (share("births_total", "generations_total"), "births {{arm}}"),
                    (share("deaths_total", "generations_total"), "deaths {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Context",
                "Mean number of examples that an agent had in its context as it answered.",
                ((each("context_examples_mean"), "{{arm}}"),),
                limits=(0, None),
            ),
        ),
    ),
    (
        "Work",
        (
            Panel(
                "Answers per second",
                "Answers, and grades, for each second of committed work.",
                (
                    (per_work_second("answers_total"), "answers {{arm}}"),
                    (per_work_second("grades_total"), "grades {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Tokens per second",
                "Tokens that went through a model, those that were padding (and of these, slots' "
                "without an answer to write), those that reuse of a prefix spared, and those of "
                "the answers, for each second of committed work.",
                (
                    (per_work_second("tokens_computed_total"), "computed {{arm}}"),
                    (per_work_second("tokens_padded_total"), "padded {{arm}}"),
                    (per_work_second("slots_idle_total"), "idle slots {{arm}}"),
                    (per_work_second("tokens_saved_total"), "saved {{arm}}"),
                    (per_work_second("answer_tokens_total"), "answers {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Seconds by phase",
                "Wall time of a generation. Forward, sampling and transfer are summed over hosts "
                "and may exceed the total; far below hosts times total, the hosts wait for the "
                "driver. Planner is part of answer and grade.",
                ((share_by("phase", "phase_seconds_total", "generations_total"), "{{phase}}"),),
                unit="s",
                limits=(0, None),
            ),
            Panel(
                "Requests and tiles per generation",
                "Requests that the hosts served, after equal ones were merged, the tiles that they "
                "were planned into, and blocks of prefixes that hosts had no room for.",
                (
                    (share("answer_requests_total", "generations_total"), "answer {{arm}}"),
                    (share("grade_requests_total", "generations_total"), "grade {{arm}}"),
                    (share("tiles_total", "generations_total"), "tiles {{arm}}"),
                    (share("prefix_evictions_total", "generations_total"), "evicted {{arm}}"),
                ),
                limits=(0, None),
            ),
        ),
    ),
    (
        "Fleet",
        (
            Panel(
                "Hosts and restarts",
                "Hosts alive at the last commit, and restarts since the run (or its resumption) "
                "began. A restart is routine and changes no result.",
                (
                    (each("hosts_alive", RUN), "alive"),
                    (f"sum by (run) ({each('host_restarts_total')})", "restarts"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Seconds since the last commit",
                "A saw whose teeth are the generations; a tooth that keeps growing is a stall.",
                (
                    (
                        f"time() - max by (run) ({each('last_commit_timestamp_seconds')})",
                        "{{run}}",
                    ),
                ),
                unit="s",
                limits=(0, None),
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard, in Grafana's JSON model."""
    return {
        "title": "mgptn",
        "uid": "mgptn",
        "description": "One run of the population simulator, with its controls.",
        "tags": ["mgptn"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "panels": _placed(),
    }


def rendered() -> str:
    """The dashboard as the text of its file."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


def _variables() -> list[dict[str, Any]]:
    source = {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": "mgptn-prometheus"},
    }
    chosen = [
        _variable("run", "label_values(mgptn_build_info, run)"),
        _variable("task", 'label_values(mgptn_build_info{run="$run"}, task)'),
        _variable("arm", f"label_values(mgptn_generations_total{{{RUN}}}, arm)"),
    ]
    chosen[-1] |= {
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }
    return [source, *chosen]


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
    }


def _placed() -> list[dict[str, Any]]:
    """All panels under their section's headings, from left to right and downwards."""
    placed: list[dict[str, Any]] = []
    x = y = row_height = 0

    def add(body: dict[str, Any], width: int, height: int) -> None:
        nonlocal x, y, row_height
        if x + width > COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        position = {"x": x, "y": y, "w": width, "h": height}
        placed.append({"id": len(placed) + 1, "gridPos": position, **body})
        x, row_height = x + width, max(row_height, height)

    for heading, panels in SECTIONS:
        add({"type": "row", "title": heading, "collapsed": False, "panels": []}, COLUMNS, 1)
        for panel in panels:
            add(_panel(panel), COLUMNS if panel.per_arm else panel.width, panel.height)
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    low, high = panel.limits
    defaults: dict[str, Any] = {"unit": panel.unit}
    defaults |= {key: limit for key, limit in (("min", low), ("max", high)) if limit is not None}
    body: dict[str, Any] = {
        "type": "stat" if panel.kind == "name" else panel.kind,
        "title": panel.title.format(arm="$arm"),
        "description": panel.says,
        "datasource": SOURCE,
        "targets": _targets(panel),
        "fieldConfig": {"defaults": defaults, "overrides": _band() if panel.band else []},
        "options": _options(panel),
    }
    if panel.per_arm:
        body |= {"repeat": "arm", "repeatDirection": "h", "maxPerRow": 4}
    if panel.kind == "timeseries":
        # A quotient of growths is absent between two commits, and its line goes on across; a
        # measure is absent where it is undefined, and its line must not.
        spans = any("increase(" in query for query, _ in panel.queries)
        defaults["custom"] = {"lineInterpolation": "stepAfter", "spanNulls": spans}
    return body


def _targets(panel: Panel) -> list[dict[str, Any]]:
    return [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": query,
            "legendFormat": legend,
            "format": "heatmap" if panel.kind == "heatmap" else "time_series",
            "range": True,
        }
        for number, (query, legend) in enumerate(panel.queries)
    ]


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "heatmap":
        return {
            "calculate": False,
            "yAxis": {"unit": panel.unit},
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "filterValues": {"le": 1e-9},
        }
    if panel.kind in ("stat", "name"):
        return {
            "reduceOptions": {"calcs": ["lastNotNull"]},
            "textMode": "name" if panel.kind == "name" else "value",
            "graphMode": "none" if panel.kind == "name" else "area",
        }
    return {"tooltip": {"mode": "multi"}, "legend": {"placement": "bottom"}}


def _band() -> Sequence[dict[str, Any]]:
    """Draw the series high and low as the edges of a shaded band."""
    edges = {"custom.lineWidth": 0, "color": {"mode": "fixed", "fixedColor": "blue"}}
    fill = {"custom.fillBelowTo": "low", "custom.fillOpacity": 20}
    return [_override("high", edges | fill), _override("low", edges)]


def _override(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


if __name__ == "__main__":
    OUTPUT.write_text(rendered())
