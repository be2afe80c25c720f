"""A simulation that shows how far it is: in a notebook in its cell, elsewhere a line each."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from mgptn.experiments.loop.simulation import Simulation
from mgptn.population.display.html import table
from mgptn.population.records.generation import Generation

ROWS = 8
"""Generations of which a cell shows figures: the newest."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is shown of a generation."""

    generation: int
    fitness: float
    gold_error: float
    accepted: float

    def told(self) -> tuple[object, ...]:
        return self.generation, self.fitness, self.gold_error, self.accepted


HEAD = ("generation", "mean fitness", "gold error", "accepted")


def shown(simulation: Simulation) -> Iterator[Generation]:
    """The generations of a simulation that are left, as iterating over it gives them, shown.

    In a notebook one display is drawn anew with each; elsewhere each is a line on standard output.
    """
    total = simulation.config.population.generations
    display = _display()
    began, rows = time.monotonic(), list[_Row]()
    draw = _in_a_cell(display) if display else _as_lines
    for done, generation in enumerate(simulation, start=1):
        measured = simulation.to_frame().row(-1, named=True)
        rows.append(
            _Row(
                generation.index,
                measured["fitness_mean"],
                measured["gold_error"],
                measured["acceptance_rate"],
            )
        )
        left = total - generation.index - 1
        draw(rows, total, left * (time.monotonic() - began) / done)
        yield generation


Draw = Callable[[list[_Row], int, float], None]


def _as_lines(rows: list[_Row], total: int, seconds_left: float) -> None:
    last = rows[-1]
    click.echo(
        f"generation {last.generation + 1} of {total}: fitness {last.fitness:.3f}, gold error "
        f"{last.gold_error:.3f}, accepted {last.accepted:.3f}, {seconds_left:.0f} s left"
    )


def _in_a_cell(display: Any) -> Draw:
    """Draws into one display of the cell that is run."""
    place: list[Any] = []

    def draw(rows: list[_Row], total: int, seconds_left: float) -> None:
        done = rows[-1].generation + 1
        bar = f"<progress value='{done}' max='{total}' aria-label='Generations'></progress>"
        left = f" {done} of {total} generations, {seconds_left:.0f} s left"
        page = _Page(bar + left + table(HEAD, (row.told() for row in rows[-ROWS:])))
        if place:
            place[0].update(page)
        else:
            place.append(display(page, display_id=True))

    return draw


@dataclass(frozen=True, slots=True)
class _Page:
    """HTML that a notebook shows; whoever has no HTML reads its text."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def _display() -> Any:
    """IPython's display where a notebook's kernel runs this; else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display
