"""A run's report: one HTML file that shows what was run, what came of it, and how sure that is.

It loads nothing from anywhere, and what models wrote stands in it as text only. Its one script
folds and filters; without it everything can be read.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from mgptn.agents.files import write_whole
from mgptn.experiments.figures.drawing import Tables
from mgptn.experiments.figures.files import figures_of, inline_svg
from mgptn.experiments.figures.style import NARROW, WIDE, theme_css
from mgptn.experiments.results.arm_sheets import results_of, worth_of
from mgptn.experiments.results.cost_sheet import cost_sheet
from mgptn.experiments.results.grader_sheet import graders_of
from mgptn.experiments.results.picked_answers import pick_answers
from mgptn.experiments.results.settings import departures
from mgptn.experiments.results.shown import flat, shown
from mgptn.protocols.table import TASKS

TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    folder: Path,
    *,
    manifest: dict[str, Any],
    tables: Tables,
    answers: pl.LazyFrame,
    grades: pl.LazyFrame,
    summary: Sequence[str],
    verdict_heading: str,
) -> Path:
    """Write ``report.html``, whole or not at all.

    Parameters
    ----------
    manifest
        The run's provenance, nested plain data; its ``"config"`` is shown as what was run.
    tables, answers, grades
        A run's tables by name; those of answers and grades apart, since only a few of their rows
        are looked at.
    summary
        The findings, a sentence a line.
    verdict_heading
        The finding in a few words: a verdict, and behind a colon what it rests on.
    """
    config = manifest.get("config") or {}
    generations = tables["generations"]
    arms = generations["arm"].unique(maintain_order=True).to_list()
    verdict, _, why = verdict_heading.partition(": ")
    text = (
        _environment()
        .get_template("report.html.j2")
        .render(
            name=config.get("name", "run"),
            verdict=verdict,
            why=why,
            summary=list(summary),
            style=_source("report.css"),
            script=_source("report.js"),
            script_hash=_hash(_source("report.js")),
            theme=Markup(theme_css()),
            figures=list(_figures(tables)),
            last=generations["generation"].max(),
            controlled=len(arms) > 1,
            results=results_of(generations, arms),
            worth=worth_of(generations, arms),
            graders=graders_of(tables["graders"]),
            cost=cost_sheet(generations, arms),
            notation=_notation(config),
            picked=pick_answers(answers, grades),
            departures=departures(config),
            config=flat(config),
            provenance=flat({k: v for k, v in manifest.items() if k != "config"}),
        )
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    write_whole(path, lambda file: file.write(text.encode("utf-8")))
    return path


def _notation(config: Mapping[str, Any]) -> str:
    """How answers to a run's task are written, where people would write them otherwise."""
    task = TASKS.get(config.get("task", {}).get("name", ""))
    return task.notation if task else ""


def _source(name: str) -> Markup:
    """A part of the page that is ours."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _hash(script: str) -> str:
    """By which a content security policy knows a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _figures(tables: Tables) -> Iterator[dict[str, Any]]:
    for name, plot in figures_of(tables).items():
        yield {
            "name": name,
            "title": plot.title,
            "caption": plot.caption,
            "wide": Markup(inline_svg(name, tables, WIDE)),
            "narrow": Markup(inline_svg(name, tables, NARROW)),
        }
