"""Generates the Grafana dashboard of a run: ``python -m monitoring.dashboard`` rewrites its JSON.

`panels.py` has what it shows; here is Grafana's form of it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitoring.panels import RUN, SECTIONS, Panel

OUTPUT = Path(__file__).parent / "grafana" / "dashboards" / "mgptn.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS = 24


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
        _variable("id", 'label_values(mgptn_build_info{run="$run",task="$task"}, run_id)'),
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
