"""A run's report: one HTML file that shows what was run, what came of it, and how sure that is.

It loads nothing from anywhere, and what models wrote stands in it as text only.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import jinja2
import polars as pl
from markupsafe import Markup

from mgptn.agents.files import write_whole
from mgptn.experiments.costs.per_right import PER_RIGHT, cost_of
from mgptn.experiments.figures.drawing import RUN
from mgptn.experiments.figures.files import figures_of, inline_svg
from mgptn.experiments.figures.style import NARROW, WIDE, theme_css
from mgptn.experiments.record.committed import (
    COST_COUNTERS,
    COUNTERS,
    ENDPOINT_COUNTERS,
    PHASES,
)
from mgptn.experiments.views.printable import visible

Tables: TypeAlias = Mapping[str, pl.DataFrame]
Cells: TypeAlias = dict[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_TEXT = 240
SAMPLES_OF_A_KIND = 2
UNDEFINED = "–"

RESULTS: tuple[tuple[str, str], ...] = (
    ("gold_error", "gold error [95 % interval]"),
    ("majority_error", "error of the majority's answer"),
    ("best_of_n_error", "error of the best-graded answer"),
    ("acceptance_rate", "share of answers accepted"),
    ("accepted_error", "wrong among the accepted"),
    ("fitness_mean", "fitness, mean"),
    ("fitness_max", "fitness, maximum"),
    ("context_mean", "examples in a context, mean"),
    ("lineages", "lineages alive"),
    ("lineage_diversity", "lineages, Hill number q = 1"),
    ("genotypes", "genotypes"),
    ("effective_size", "effective population size"),
    ("identity_by_descent", "pairs of agents of one founder"),
    ("identity_expected", "pairs of agents of one founder, as drift by the rates expects"),
    ("collision", "pairs both wrong that gave the same answer"),
    ("agreed_share", "problems to which all gave the same answer"),
    ("agreed_error", "wrong among the answers that all gave"),
    ("answers", "answers"),
    ("truncated_answers", "answers cut off"),
    ("unknown_verdicts", "answers without a verdict, left out"),
    ("unreadable_grades", "grades that could not be read"),
)
"""Column of the table of generations → row of the table of results."""

WORTH: tuple[tuple[str, str], ...] = (
    ("tpr", "TPR of the selector: right answers accepted"),
    ("fpr", "FPR of the selector: wrong answers accepted"),
    ("youden_j", "J = TPR − FPR"),
    ("likelihood_ratio", "Λ = TPR / FPR"),
    ("grader_tpr", "TPR of one grade"),
    ("grader_fpr", "FPR of one grade"),
    ("grader_j", "J of one grade"),
    ("grader_auc", "AUC of one grade"),
    ("grader_ece", "expected calibration error of one grade"),
    ("grader_brier", "Brier score of one grade"),
    ("grader_correlation", "correlation of two graders on wrong answers"),
    ("effective_graders", "effective independent graders"),
    ("disagreement", "standard deviation of an answer's grades, mean"),
    ("grade_bias", "mean grade less the share of right answers"),
    ("position_bias", "position bias of comparisons"),
    ("turn_error", "error of drafts, candidates and rivals"),
    ("option_mass", "probability of the options graded with, mean"),
    ("option_mass_least", "probability of the options graded with, least"),
)
"""Column of the table of generations → row of the table of what the graders are worth."""

KINDS: tuple[tuple[str, str], ...] = (
    ("tpr", "TPR"),
    ("fpr", "FPR"),
    ("youden_j", "J = TPR − FPR"),
    ("likelihood_ratio", "Λ = TPR / FPR"),
    ("auc", "AUC"),
    ("ece", "expected calibration error"),
    ("brier", "Brier score"),
    ("correlation", "correlation of two on wrong answers"),
    ("effective_graders", "effective independent graders"),
    ("self_preference", "self-preference: own grade less others' of the same answer"),
    ("own_bias", "own grade less verdict"),
    ("own_tpr", "TPR of own grades"),
    ("own_fpr", "FPR of own grades"),
    ("position_bias", "position bias of comparisons"),
)
"""Measure of the table of graders → row of the table of kinds of graders."""

_PHASE_NAMES = {
    "forward": "model passes, all hosts",
    "sampling": "sampling, all hosts",
    "transfer": "tokens to tensors and back, all hosts",
    "planner": "planning tiles",
    "answer": "answering",
    "grade": "grading",
    "learn": "learning",
    "verify": "verifying answers",
    "select": "selecting",
    "total": "total",
}


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
        As `build_tables` makes them; those of answers and grades apart, since only a few of their
        rows are looked at.
    summary
        The findings, a sentence a line.
    verdict_heading
        The finding in a few words.
    """
    config = manifest.get("config") or {}
    generations = tables["generations"]
    arms = generations["arm"].unique(maintain_order=True).to_list()
    page = _environment().get_template("report.html.j2")
    text = page.render(
        name=config.get("name", "run") if isinstance(config, Mapping) else "run",
        verdict=verdict_heading,
        summary=list(summary),
        config=flat(config),
        theme=Markup(theme_css()),
        figures=list(_figures(tables)),
        arms=arms,
        controlled=len(arms) > 1,
        results=_results(generations, arms),
        worth=_worth(generations, arms),
        graders=_graders(tables["graders"]),
        cost=_cost(generations, arms),
        samples=_samples(answers, grades),
        provenance=flat({k: v for k, v in manifest.items() if k != "config"}),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    write_whole(path, lambda file: file.write(text.encode("utf-8")))
    return path


def flat(nested: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested plain data as (dotted key, exact text) pairs, in order; plain lists stay whole."""
    if isinstance(nested, Mapping):
        return [
            pair
            for key, value in nested.items()
            for pair in flat(value, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(nested, list | tuple):
        if any(isinstance(item, Mapping | list | tuple) for item in nested):
            return flat({str(i): item for i, item in enumerate(nested)}, prefix)
        return [(prefix, ", ".join(_exact(item) for item in nested))]
    return [(prefix, _exact(nested))]


def shown(value: Any) -> Any:
    """A value as it stands in the page: numbers short, the unknown a dash, nothing invisible."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f") if abs(value) < 10**9 else str(value)
    if isinstance(value, float):
        return _number(value)
    return visible(str(value))


def _exact(value: Any) -> str:
    """A setting as it was set, no digit lost."""
    if value is None or isinstance(value, bool) or value in (math.inf, -math.inf):
        return str(shown(value))
    return str(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.2e}".replace("-", "−")
    return f"{value:.3f}".replace("-", "−") if abs(value) < 10 else f"{value:.1f}"


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _figures(tables: Tables) -> Iterator[Cells]:
    for name, plot in figures_of(tables).items():
        yield {
            "title": plot.title,
            "caption": plot.caption,
            "wide": Markup(inline_svg(name, tables, WIDE)),
            "narrow": Markup(inline_svg(name, tables, NARROW)),
        }


def _row(generations: pl.DataFrame, arm: str, last: bool) -> Cells:
    rows = generations.filter(pl.col("arm") == arm).sort("generation")
    return rows.row(len(rows) - 1 if last else 0, named=True)


def _results(generations: pl.DataFrame, arms: Sequence[str]) -> Cells:
    """Each arm's last generation, a measure a row."""
    rows = [_row(generations, arm, last=True) for arm in arms]

    def cell(row: Cells, column: str) -> str:
        if column != "gold_error" or not math.isfinite(row["gold_error_low"]):
            return str(shown(row[column]))
        low, high = shown(row["gold_error_low"]), shown(row["gold_error_high"])
        return f"{shown(row[column])} [{low}, {high}]"

    return {
        "head": [
            f"{arm}, generation {row['generation']}" for arm, row in zip(arms, rows, strict=True)
        ],
        "rows": [(label, [cell(row, column) for row in rows]) for column, label in RESULTS],
    }


def _worth(generations: pl.DataFrame, arms: Sequence[str]) -> Cells:
    """The graders against the verifier: the run's first and last generation, the others' last."""
    columns: list[tuple[str, Cells]] = []
    for arm in arms:
        row = _row(generations, arm, last=True)
        first = _row(generations, arm, last=False)
        if arm == RUN and first["generation"] != row["generation"]:
            columns.append((f"{arm}, generation {first['generation']}", first))
        columns.append((f"{arm}, generation {row['generation']}", row))
    return {
        "head": [head for head, _ in columns],
        "rows": [(label, [row[column] for _, row in columns]) for column, label in WORTH],
    }


def _graders(graders: pl.DataFrame) -> Cells:
    """Every kind of grader of the run in its last generation, with intervals."""
    here = graders.filter(pl.col("arm") == RUN)
    here = here.filter(pl.col("generation") == pl.col("generation").max())
    rows = list(here.iter_rows(named=True))

    def head(row: Cells) -> str:
        role = "" if row["role"] == "all" else f", {row['role']}"
        return f"{row['model']}{role} ({row['agents']})"

    def cell(row: Cells, column: str) -> str:
        value, low, high = (row[f"{column}{end}"] for end in ("", "_low", "_high"))
        if math.isnan(low) or math.isnan(high):
            return str(shown(value))
        return f"{shown(value)} [{shown(low)}, {shown(high)}]"

    counts = (("grades", "grades"), ("unreadable", "grades that could not be read"))
    return {
        "head": [head(row) for row in rows],
        "rows": [
            *((label, [row[column] for row in rows]) for column, label in counts),
            *((label, [cell(row, column) for row in rows]) for column, label in KINDS),
        ],
    }


def _cost(generations: pl.DataFrame, arms: Sequence[str]) -> Cells:
    """Sums over generations, an arm a column, and over arms."""
    measured = [f"seconds_{phase}" for phase in PHASES]
    endpoints = generations["endpoint_requests"].is_not_null().any()
    counters = (*COUNTERS, *ENDPOINT_COUNTERS) if endpoints else COUNTERS
    counters += tuple(name for name in COST_COUNTERS if generations[name].is_not_null().any())
    sums = generations.group_by("arm").agg(pl.col("tokens", *measured, *counters).sum())
    rows = [sums.row(by_predicate=pl.col("arm") == arm, named=True) for arm in arms]
    labels: list[tuple[str, str, Callable[[Any], Any]]] = [
        *((f"seconds_{phase}", f"seconds: {_PHASE_NAMES[phase]}", _seconds) for phase in PHASES),
        ("tokens", "tokens of answers", shown),
        *((counter, counter.replace("_", " "), shown) for counter in counters),
    ]
    return {
        "head": [*arms, "all arms"],
        "rows": [
            *(
                (label, [*(form(r[column]) for r in rows), form(sum(r[column] for r in rows))])
                for column, label, form in labels
            ),
            *_per_right(generations, arms),
        ],
    }


def _per_right(
    generations: pl.DataFrame, arms: Sequence[str]
) -> Iterator[tuple[str, list[str | float]]]:
    """What a right answer took in each arm, where that is known of any; of all arms nothing."""
    each = [cost_of(generations, arm).per_right for arm in arms]
    for name in PER_RIGHT:
        if any(math.isfinite(one[name]) for one in each):
            yield name.replace("_", " ") + " answer", [*(shown(one[name]) for one in each), ""]


def _seconds(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else UNDEFINED


def _samples(answers: pl.LazyFrame, grades: pl.LazyFrame) -> list[Cells]:
    """A few of the run's answers, right and wrong, by kind, from its first and last generation."""
    answers, grades = (table.filter(pl.col("arm") == RUN) for table in (answers, grades))
    present = answers.select(pl.col("generation").unique().sort()).collect()["generation"].to_list()
    kinds = (
        ("right", pl.col("verdict")),
        ("wrong, not accepted", ~pl.col("verdict") & ~pl.col("accepted")),
        ("wrong, yet accepted", ~pl.col("verdict") & pl.col("accepted")),
        ("not known to be right or wrong", pl.col("verdict").is_null()),
    )
    samples: list[Cells] = []
    for generation in sorted({present[0], present[-1]}) if present else []:
        here = answers.filter(pl.col("generation") == generation).sort("index").collect()
        for kind, condition in kinds:
            found = here.filter(condition)
            chosen = found.unique("problem", keep="first", maintain_order=True)
            rows: list[Cells] = []
            for answer in chosen.head(SAMPLES_OF_A_KIND).iter_rows(named=True):
                its = grades.filter(
                    (pl.col("generation") == generation) & (pl.col("index") == answer["index"])
                ).collect()
                values = [_grade(value) for value in its["value"].to_list()]
                rows.append(
                    {
                        **answer,
                        "query": _short(answer["query"]),
                        "answer": _short(answer["answer"]),
                        "grades": " ".join(values[:8]) + (" …" if len(values) > 8 else ""),
                    }
                )
            samples.append(
                {
                    "generation": generation,
                    "kind": kind,
                    "right": kind == "right",
                    "count": len(found),
                    "of": len(here),
                    "answers": rows,
                }
            )
    return samples


def _grade(value: float | None) -> str:
    return UNDEFINED if value is None or math.isnan(value) else f"{value:.2f}"


def _short(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]} … ({len(text) - LONGEST_TEXT} more characters)"
