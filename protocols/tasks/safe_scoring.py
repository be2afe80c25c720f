"""What a library's scorers and generators must not do: run answers, or touch global generators.

Some of reasoning-gym's scorers hand an answer to `eval`, directly or by SymPy's parser. What a
model writes is not to be run, and a tower of powers not to be computed: it is read as data, or
refused. Its data sets draw from Python's and NumPy's global generators, which are left alone.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import random
import re
import sys
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

EVALUATING = ("binary_matrix", "n_queens", "spiral_matrix", "string_insertion")
"""Data sets whose scorers evaluate an answer as a Python literal."""

ARITHMETIC = ("countdown", "puzzle24")
"""Data sets whose scorers evaluate an answer as arithmetic."""

ALGEBRA = ("intermediate_integration", "polynomial_multiplication", "simple_integration")
"""Data sets whose scorers evaluate an answer as a formula."""

LONGEST = 1000
"""Characters of an answer that SymPy is asked to read."""

_SUM = re.compile(r"[\d\s.+\-*/()]*")
_FORMULA = re.compile(r"[\w\s.,+\-*/()]*")
_FUNCTIONS = re.compile(
    r"[A-Za-z]|a?(sin|cos|tan|sec|csc|cot)h?|exp|log|ln|sqrt|pi|Abs|Rational|Integer|Integral"
)
_POWER = re.compile(r"\*\*\s*(\(\s*)?[-+]?\s*(\d{1,2}(?!\d)(?!\s*\*\*)|[A-Za-z](?!\w))")
_POWER_OF_A_POWER = re.compile(r"\*\*[^()]*\)[\s)]*\*\*")


def is_safe(dataset: str, answer: str) -> bool:
    """May the data set's scorer be given this answer?"""
    if dataset in ARITHMETIC:
        return len(answer) <= LONGEST and bool(_SUM.fullmatch(answer)) and "**" not in answer
    if dataset in ALGEBRA:
        return len(answer) <= LONGEST and _is_a_formula(answer)
    return True


def read_literals_only(module: str) -> None:
    """Let a scorer's module read literals where it says `eval`."""
    if module.rpartition(".")[2] in EVALUATING:
        vars(sys.modules[module])["eval"] = literal_eval


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Global generators that start from a seed within, and are afterwards as they were before."""
    before = random.getstate()
    before_numpy = np.random.get_state()  # noqa: NPY002 (it is the global one that is meant)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)  # noqa: NPY002


def _is_a_formula(answer: str) -> bool:
    """Numbers, single letters and functions that are known, small powers, nothing looked up."""
    return (
        bool(_FORMULA.fullmatch(answer))
        and answer.isascii()
        and all(_FUNCTIONS.fullmatch(name) for name in re.findall(r"[A-Za-z_]\w*", answer))
        and not re.search(r"\.\s*[A-Za-z_]", answer)
        and answer.count("**") == len(_POWER.findall(answer))
        and not _POWER_OF_A_POWER.search(answer)
    )
