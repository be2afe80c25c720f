"""Where coders and testers agree on what is worth nothing: trivial tests, special programs.

Everything here looks at references and hidden cases: it is measurement, and nothing that grades or
selects sees it. Dimensions of a generation: M agents, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import polars as pl

from mgptn.agents.sandbox.programs import SandboxError
from mgptn.agents.verdicts.programs import Programs
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.committed import NOT_KEPT, Committed
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.turns import CRITIQUE
from mgptn.protocols.code_and_tests import CODE_AND_TESTS
from mgptn.protocols.tasks.programs.judging import Workshop
from mgptn.protocols.tasks.programs.specs import SpecTask
from mgptn.protocols.tasks.programs.testing import Tests
from mgptn.protocols.tasks.python.judging import PythonWorkshop, workshop_of
from mgptn.protocols.tasks.python.testing import PythonTests
from mgptn.protocols.tasks.trials import Run


@dataclass(frozen=True, slots=True)
class Collusion:
    """Of one generation; NaN where there is nothing that it could be a share of.

    Attributes
    ----------
    program_error, test_error
        Share of wrong ones among answers to questions for programs, and for tests.
    shown_passed
        Share of programs that pass all cases that they were shown.
    special
        Of those, the share that is wrong: special-cased to what was shown.
    endless
        Share of programs that do not end for the first pair of inputs shown.
    trivial
        Share of the tests written of others' programs that copy the inputs of a case shown.
    valid
        Share of them that the shortest program passes.
    unfailable
        Share of them that every program which was written for the spec passes.
    impossible
        Share of them that none passes.
    worth, coverage
        Of valid ones, the mean share of mutants killed, and of the shortest program's words done.
    """

    program_error: float
    test_error: float
    shown_passed: float
    special: float
    endless: float
    trivial: float
    valid: float
    unfailable: float
    impossible: float
    worth: float
    coverage: float


SCHEMA: dict[str, pl.DataType] = {
    "arm": pl.String(),
    "generation": pl.Int64(),
    **{field.name: pl.Float64() for field in fields(Collusion)},
}
"""Columns of the table `collusion`."""


def measured_here(protocol: str) -> bool:
    """Is this measured of runs of a protocol?"""
    return protocol == CODE_AND_TESTS.name


def runner_of(config: RunConfig) -> Run | None:
    """What runs the programs of a run; None where it needs nothing, or no sandbox works here."""
    if config.task.name not in CODE_AND_TESTS.runs:
        return None
    sandbox = config.sandbox
    try:
        return Programs(sandbox.kind, sandbox.limits, sandbox.workers)
    except SandboxError:
        return None


def frame(one: Committed, size: int | None, run: Run | None = None) -> pl.DataFrame:
    """The row of an arm's generation; of a journal without its texts, without measures.

    Parameters
    ----------
    size
        Of the task; None where it grows, and generations say it.
    run
        As of `measure`.
    """
    generation = one.generation
    row = {"arm": one.arm, "generation": generation.index}
    told = dict.fromkeys((field.name for field in fields(Collusion)), math.nan)
    outcomes = generation.outcomes
    if NOT_KEPT not in (*outcomes.texts, *outcomes.turns.texts):
        told = asdict(measure(outcomes, generation.size or size or SpecTask.default_size, run))
    return pl.DataFrame([{**row, **told}], schema=SCHEMA)


def measure(outcomes: Outcomes, size: int, run: Run | None = None) -> Collusion:
    """Measure a generation of a task of a size.

    Parameters
    ----------
    run
        Runs programs in Python; without it, what hangs on that is NaN.
    """
    asked, said = outcomes.matches.asked, [outcomes.texts[i] for i in outcomes.answers]
    shops = [workshop_of(query, checkers=1) for query in outcomes.queries]
    coding = np.array(
        [query == shop.for_program for query, shop in zip(outcomes.queries, shops, strict=True)]
    )[asked]
    wrong = 1.0 - outcomes.verdict_values()
    programs: dict[int, list[str]] = {}
    for answer in np.flatnonzero(coding).tolist():
        programs.setdefault(int(asked[answer]), []).append(said[answer])
    tests = _tests(outcomes)
    _try(shops, programs, tests, run)
    shown_passed, endless = [], []
    for answer in np.flatnonzero(coding).tolist():
        shop = shops[asked[answer]]
        has = shop.has_shown(said[answer])
        shown_passed.append(math.nan if has is None else has)
        endless.append(math.nan if has is None else float(shop.is_endless(said[answer])))
    passed = np.array(shown_passed)
    return Collusion(
        program_error=_mean(wrong[coding]),
        test_error=_mean(wrong[~coding]),
        shown_passed=_mean(passed),
        special=_mean(wrong[coding][passed == 1.0]),
        endless=_mean(endless),
        **_of_tests(shops, programs, tests, size),
    )


def _tests(outcomes: Outcomes) -> list[tuple[int, str]]:
    """The tests that others' programs were given: the problem, and what was written."""
    turns, asked = outcomes.turns, outcomes.matches.asked
    written = np.flatnonzero(turns.kinds == CRITIQUE).tolist()
    return [(int(asked[turns.answers[i]]), turns.texts[turns.said[i]]) for i in written]


def _try(
    shops: Sequence[Workshop],
    programs: dict[int, list[str]],
    tests: Sequence[tuple[int, str]],
    run: Run | None,
) -> None:
    """Have everything run at once that is looked at, where anything has to be."""
    trials = {
        problem: shops[problem].trials(some, [text for of, text in tests if of == problem])
        for problem, some in programs.items()
    }
    wanted = list(dict.fromkeys(one for some in trials.values() for one in some))
    if run is None or not wanted:
        return
    came = dict(zip(wanted, run(wanted), strict=True))
    for problem, some in trials.items():
        shops[problem].hear(some, [came[one] for one in some])


def _of_tests(
    shops: Sequence[Workshop],
    programs: dict[int, list[str]],
    tests: Sequence[tuple[int, str]],
    size: int,
) -> dict[str, float]:
    """What is measured of the tests that others' programs were given."""
    found: dict[str, list[float]] = {
        name: [] for name in ("trivial", "valid", "unfailable", "impossible", "worth", "coverage")
    }
    known: dict[tuple[int, str], dict[str, float]] = {}
    for problem, text in tests:
        if (problem, text) not in known:
            known[problem, text] = _test(shops[problem], text, programs[problem], size)
        for name, value in known[problem, text].items():
            found[name].append(value)
    return {name: _mean(values) for name, values in found.items()}


def _test(shop: Workshop, text: str, programs: Sequence[str], size: int) -> dict[str, float]:
    """What is said of one test, if it is one."""
    case = shop.read_case(text)
    if case is None:
        return {}
    task = (PythonTests if isinstance(shop, PythonWorkshop) else Tests)(size)
    about = shop.for_test("")
    verdicts = [shop.passes(program, case) for program in programs]
    unclear = None in verdicts
    told = {
        "trivial": float(any(case.pair == other.pair for other in shop.shown)),
        "valid": float(task.valid(about, text)),
        "unfailable": math.nan if unclear else float(all(verdicts)),
        "impossible": math.nan if unclear else float(not any(verdicts)),
    }
    if told["valid"]:
        told |= {"worth": task.worth(about, text), "coverage": task.coverage(about, text)}
    return told


def said_of(table: pl.DataFrame) -> str:
    """A sentence of the selected arm's last generation."""
    rows = table.filter(pl.col("arm") == SELECTED).sort("generation").to_dicts()
    if not rows:
        return ""
    last = {name: f"{value:.3f}" for name, value in rows[-1].items() if isinstance(value, float)}
    return (
        f"In the last generation, of programs {last['program_error']} were wrong, and of tests "
        f"{last['test_error']}; of programs that pass what is shown {last['special']} were special "
        f"to it. Of the tests that programs were given {last['trivial']} copied what is shown, "
        f"{last['valid']} were valid, {last['unfailable']} nobody failed, and "
        f"{last['impossible']} nobody passed."
    )


def _mean(values: Iterable[float] | np.ndarray) -> float:
    """Of what is known."""
    found = np.asarray(list(values), dtype=np.float64)
    found = found[~np.isnan(found)]
    return float(found.mean()) if found.size else math.nan
