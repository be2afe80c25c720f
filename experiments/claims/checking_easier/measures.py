"""What search assigns for a refutation, and what its check does: a table, formula by formula."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import polars as pl

from mgptn.experiments.claims.checking_easier.provers import (
    check,
    learn_and_search,
    random_formula,
    search,
)
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.draws.streams import stream

CLAUSES = 5.2
"""Of a variable: where about all random formulas of some size cannot be satisfied."""


def effort(bench: Bench) -> pl.DataFrame:
    """Of every formula that cannot be satisfied: literals assigned, and how long its proof is."""
    rows = []
    for variables in bench.options["variables"]:
        rng = stream(bench.seed, "claims", "formulas", variables)
        found = 0
        while found < bench.options["formulas"]:
            formula = random_formula(rng, variables, round(CLAUSES * variables))
            learned, searched = learn_and_search(formula), search(formula)
            if learned is None or searched is None:
                continue
            found += 1
            row = {"variables": variables, "searched": searched, "learned": learned[0]}
            rows.append({**row, "checked": check(formula, learned[1]), "lemmas": len(learned[1])})
    return pl.DataFrame(rows)


MEASURES = {"effort": effort}
