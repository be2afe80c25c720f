"""Cards side by side: a Markdown table with a row for each model and task."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.experiments.cards.card import CARD, CardError, TaskCard, read_card
from mgptn.experiments.cards.parts import Estimate

COLUMNS = ("Model", "Task", "Error", "Greedy", "All right", "All wrong", "TPR", "FPR", "J", "AUC")


def compare(names: Sequence[str]) -> str:
    """The table of the models that have a card, in the order given, tasks in that of the cards.

    Errors are without examples, sampled (with its interval) and greedy, and after as many examples
    as were measured, all of them right or all wrong; TPR, FPR and J are of the model's grades of
    its own answers at a run's own threshold.

    Raises
    ------
    CheckpointError
        If there is no such model.
    CardError
        If none of the models has a card, or one cannot be read.
    """
    rows = []
    for name in names:
        path = find_checkpoint(name).folder / CARD
        if path.exists():
            for task in read_card(path).tasks.values():
                rows.append((name, f"{task.task} {task.size}", *_figures(task)))
    if not rows:
        raise CardError(f"expected a model with a {CARD}, got {', '.join(names) or 'no model'}")
    return "\n".join(_line(row) for row in (COLUMNS, ("---",) * len(COLUMNS), *rows))


def _figures(task: TaskCard) -> tuple[str, ...]:
    most = max(cell.examples for cell in task.adaptation)
    after = {cell.wrong: cell.error for cell in task.adaptation if cell.examples == most}
    rates = task.grading.own.rates[-1]
    return (
        _spread(task.answering.sampled),
        _value(task.answering.greedy),
        _value(after[0], 2),
        _value(after[most], 2),
        _spread(rates.tpr),
        _spread(rates.fpr),
        _value(rates.youden_j, 2),
        _value(task.grading.own.auc, 2),
    )


def _spread(estimate: Estimate) -> str:
    """A value with its interval, where there is one."""
    value = _value(estimate)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({_decimals(estimate.low)} to {_decimals(estimate.high)})"


def _value(estimate: Estimate, digits: int = 3) -> str:
    return "–" if estimate.value is None else _decimals(estimate.value, digits)


def _decimals(value: float, digits: int = 3) -> str:
    """A share without the zero before its point."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
