"""The figures of a card that are about grades."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mgptn.experiments.cards.card import Card
from mgptn.experiments.cards.exam import KINDS
from mgptn.experiments.cards.figures.drawing import (
    aside,
    called,
    finish,
    label_panels,
    panels,
    points,
    task_axis,
    wide,
)
from mgptn.experiments.cards.parts import THRESHOLDS, Estimate, Exchange
from mgptn.experiments.figures.style import INK, REFERENCE, WIDE, look

ENOUGH_MASS = 0.99


def grading(card: Card) -> Figure:
    """TPR, FPR by kind of error, and generation beside evaluation, of a model's own answers."""
    figure = Figure(figsize=(1.35 * WIDE, 7.4))
    upper, lower = figure.subplots(2, 1)
    tasks = [task.grading for task in card.tasks.values()]
    rows = {
        "TPR, own answers": [task.own.rates[-1].tpr for task in tasks],
        "FPR, own answers": [task.own.rates[-1].fpr for task in tasks],
        **{
            f"FPR, own answers, {kind}": [task.own.kinds[kind].fpr[-1] for task in tasks]
            for kind in KINDS
        },
        "TPR, corpus's answers": [task.corpus.rates[-1].tpr for task in tasks],
        "FPR, corpus's answers": [task.corpus.rates[-1].fpr for task in tasks],
    }
    x = task_axis(upper, card)
    for place, (name, estimates) in enumerate(rows.items()):
        points(upper, x + aside(place, len(rows), 0.7), estimates, name, **look(place))
    upper.set(ylim=(-0.02, 1.02), ylabel=f"accepted from {THRESHOLDS[-1]} on")
    upper.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    task_axis(lower, card)
    rows = {
        "generation: accuracy": [task.generation for task in tasks],
        "evaluation: balanced accuracy": [task.own.rates[-1].balanced_accuracy for task in tasks],
        "AUC": [task.own.auc for task in tasks],
        "calibration error": [task.own.calibration_error for task in tasks],
        "Brier score": [task.own.brier for task in tasks],
    }
    for place, (name, estimates) in enumerate(rows.items()):
        points(lower, x + aside(place, len(rows)), estimates, name, **look(place))
    lower.axhline(0.5, **REFERENCE)
    lower.set(ylim=(-0.02, 1.02), ylabel="of own answers")
    return finish(figure, lower, f"{called(card)}: grading without a context", 5)


def exchange(card: Card) -> Figure:
    """Youden's J of every grader on every author's answers."""
    figure, grid = panels(card, 2.9)
    for axes, task in zip(grid, card.tasks.values(), strict=True):
        names = list(dict.fromkeys(one.grader for one in task.exchanges))
        table = np.full((len(names), len(names)), np.nan)
        for one in task.exchanges:
            row, column = names.index(one.grader), names.index(one.author)
            if one.youden_j.value is not None:
                table[row, column] = one.youden_j.value
            dark = (one.youden_j.value or 0) > 0.55
            axes.text(
                *(column, row, _rates(one)),
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if dark else INK,
            )
        axes.imshow(table, cmap="Blues", vmin=0, vmax=1)
        axes.grid(False)
        short = [name.rsplit("/", 1)[-1] if len(name) > 10 else name for name in names]
        axes.set_xticks(range(len(names)), labels=short)
        axes.set_yticks(range(len(names)), labels=short)
    label_panels(figure, grid, "author", "grader")
    title = f"{called(card)}: Youden's J of who grades whom; below it, TPR and FPR"
    return finish(figure, grid[0], title)


def correlation(card: Card) -> Figure:
    """Phi coefficients of graders' false acceptances."""
    figure, axes = wide()
    x = task_axis(axes, card)
    kinds = list(
        dict.fromkeys(
            _between(one.between, one.graders)
            for t in card.tasks.values()
            for one in t.correlations
        )
    )
    nothing = Estimate(value=None, n=0)
    for place, kind in enumerate(kinds):
        estimates = []
        for number, task in enumerate(card.tasks.values()):
            known = {_between(o.between, o.graders): o.phi for o in task.correlations}
            estimates.append(known.get(kind, nothing))
            if kind in known and known[kind].value is None:
                axes.annotate("u", (number + aside(place, len(kinds)), 0.0), ha="center")
        points(axes, x + aside(place, len(kinds)), estimates, kind, **look(place))
    axes.axhline(0, **REFERENCE)
    axes.set(ylim=(-0.35, 1.05), ylabel="φ of false acceptances")
    title = f"{called(card)}: do graders err on the same answers? (u: undefined)"
    return finish(figure, axes, title, 2)


def levels(card: Card) -> Figure:
    """What the levels lack of a probability of one, on average and at worst."""
    figure, axes = wide()
    task_axis(axes, card)
    examples = sorted({mass.examples for t in card.tasks.values() for mass in t.levels})
    for x, task in enumerate(card.tasks.values()):
        for mass in task.levels:
            place = sum(mass.examples > n for n in (0, 4))
            at = x + aside(place, 3)
            style = look(place)
            named = {0: "no examples", 1: "4 examples", 2: f"{examples[-1]} examples"}[place]
            fresh = named not in axes.get_legend_handles_labels()[1]
            axes.plot(
                [at, at],
                [max(1 - mass.minimum, 1e-6), max(1 - mass.mean, 1e-6)],
                lw=1,
                **style,
                fillstyle="none",
                label=named if fresh else None,
            )
    axes.axhline(1 - ENOUGH_MASS, **REFERENCE)
    axes.set_yscale("log")
    axes.set(ylabel="1 − probability of the five levels")
    title = f"{called(card)}: is a grade given? (mean to worst, writers and personas)"
    return finish(figure, axes, title)


def contexts(card: Card) -> Figure:
    """TPR and FPR of a grader that sees nothing, right, or wrong examples."""
    figure, axes = wide()
    x = task_axis(axes, card)
    shown = list(dict.fromkeys(c.context for t in card.tasks.values() for c in t.contexts))
    for place, name in enumerate(shown):
        of = [next(c for c in t.contexts if c.context == name) for t in card.tasks.values()]
        style = look(place)
        at = x + aside(place, len(shown))
        points(axes, at - 0.03, [c.tpr for c in of], f"TPR, {name}", **style)
        points(axes, at + 0.03, [c.fpr for c in of], f"FPR, {name}", **style, fillstyle="none")
    axes.set(ylim=(-0.02, 1.02), ylabel=f"accepted from {THRESHOLDS[-1]} on")
    return finish(figure, axes, f"{called(card)}: the grader's own context")


def _between(between: str, graders: tuple[str, ...]) -> str:
    """A series' name: of other models, which."""
    return f"{between}: {graders[-1]}" if between in ("another seed", "another rung") else between


def _rates(one: Exchange) -> str:
    """J, and below it TPR and FPR, short enough for five columns."""

    def short(estimate: Estimate) -> str:
        return "–" if estimate.value is None else f"{estimate.value:.2f}".removeprefix("0")

    return f"{short(one.youden_j)}\n{short(one.tpr)} {short(one.fpr)}"
