"""Every formula of the theory against its golden cases, at its public path and argument order."""

# SPDX-License-Identifier: Apache-2.0

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

CASES = json.loads((Path(__file__).parent / "theory.json").read_text())

# The cases were computed in double precision themselves: an eigenvector's component of 2e-14 has
# two digits, not nine. test_dynamics.py holds that one to its value in higher precision.
ROUNDING = 1e-15


def _name(case: dict) -> str:
    return f"{case['function'].removeprefix('population.')}-{CASES.index(case)}"


def test_the_cases_are_all_there():
    assert len(CASES) == 48
    assert all(0 < case["tolerance"] <= 1e-6 for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_golden(case):
    module, name = case["function"].rsplit(".", 1)
    result = getattr(importlib.import_module(module), name)(*case["args"].values())
    expected = case["expected"]
    if isinstance(expected, dict):
        assert tuple(expected) == result._fields
        pairs = list(zip(result, expected.values(), strict=True))
    else:
        pairs = [(result, expected)]
    for got, value in pairs:
        assert np.shape(got) == np.shape(value)
        np.testing.assert_allclose(got, value, rtol=case["tolerance"], atol=ROUNDING)
