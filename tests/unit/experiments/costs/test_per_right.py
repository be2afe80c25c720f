"""What a right answer took, from counters to the sentence, and where nothing is known."""

# SPDX-License-Identifier: Apache-2.0

import math

import polars as pl
import pytest
import torch

from mgptn.agents.hosts.energy import energy_counter
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.costs.per_right import Cost, cost_of, cost_sentences, right_answers

CONFIG = check_config({"name": "x"})
WATTS = check_config({"name": "x", "hosts": {"watts": 20}})


def table(**changes: object) -> pl.DataFrame:
    columns = {
        "arm": ["selected", "selected", "unselected"],
        "answers": [100, 100, 100],
        "gold_error": [0.5, 0.25, 0.9],
        "tokens_computed": [1000, 3000, 9],
        "tokens_learned": [0, 1000, 0],
        "prompt_tokens": [None, None, None],
        "completion_tokens": [None, None, None],
        "flops": [1e9, 4e9, 7.0],
        "energy_millijoules": [None, None, None],
    }
    return pl.DataFrame({**columns, **changes}, strict=False)


def test_everything_is_divided_by_the_right_answers_of_the_arm_itself() -> None:
    cost = cost_of(table(energy_millijoules=[2000.0, 500.0, 1.0]))
    assert (cost.right, cost.tokens, cost.flops, cost.joules) == (125, 5000, 5e9, 2.5)
    assert cost.per_right == {
        "tokens_per_right": 40.0, "flops_per_right": 4e7, "joules_per_right": 0.02
    }  # fmt: skip


def test_what_is_not_known_is_not_0() -> None:
    cost = cost_of(table(flops=[None, None, None]))
    assert math.isnan(cost.flops)
    assert math.isnan(cost.joules)
    assert cost.per_right["tokens_per_right"] == 40.0
    none = Cost.of(0, {"tokens_computed": 5, "flops": 10})
    assert all(math.isnan(value) for value in none.per_right.values())
    assert right_answers(10, math.nan) == 0
    assert right_answers(3, 1 / 3) == 2


def test_the_summary_says_who_tells_the_energy() -> None:
    (said,) = cost_sentences(table(), CONFIG)
    assert said == (
        "A right answer took 40 tokens, 4e+07 FLOPs, grades and lessons included; energy is not "
        "known (hosts.watts would tell)."
    )
    known = table(energy_millijoules=[2000.0, 500.0, 1.0])
    (said,) = cost_sentences(known, WATTS)
    assert "0.02 J" in said
    assert said.endswith("energy by hosts.watts = 20, for the seconds that hosts worked.")
    (said,) = cost_sentences(known, CONFIG)
    assert said.endswith("energy by the cards' own counters, while hosts worked.")
    (said,) = cost_sentences(table(gold_error=[1.0, 1.0, 1.0]), CONFIG)
    assert said == "No answer was right, for 5,000 tokens."
    nothing = table(tokens_computed=[0, 0, 0], tokens_learned=[0, 0, 0])
    assert cost_sentences(nothing, CONFIG) == ()


@pytest.mark.parametrize("watts", [0, -1, float("nan"), "many"])
def test_watts_are_a_positive_number(watts: object) -> None:
    with pytest.raises(ConfigError, match=r"hosts\.watts: expected"):
        check_config({"name": "x", "hosts": {"watts": watts}})


def test_a_processor_has_no_counter() -> None:
    assert energy_counter(torch.device("cpu")) is None


@pytest.mark.gpu
def test_a_cards_counter_goes_up() -> None:
    counter = energy_counter(torch.device("cuda"))
    if counter is None:
        pytest.skip("no NVML, or a card without a counter")
    before = counter()
    one = torch.randn(4096, 4096, device="cuda")
    for _ in range(200):
        one = torch.nn.functional.normalize(one @ one)
    torch.cuda.synchronize()
    assert counter() > before
