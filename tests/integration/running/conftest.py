"""What tests of real faults share: quarters, a run in them, and the hash that it must end in."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mgptn.agents.hosts.fleet import Fleet, LocalFleet
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.rounds import population_hash
from mgptn.experiments.running.fleets import train_first
from mgptn.experiments.setting.stage import Stage
from tests.lives import Life
from tests.quarters import NotAllowedError, Quarters
from tests.quarters import quarters as made


@pytest.fixture
def quarters() -> Iterator[Quarters]:
    """A mount namespace; skipped where this machine gives none."""
    try:
        with made() as given:
            yield given
    except NotAllowedError as error:
        pytest.skip(f"this machine does not allow {error}")


@pytest.fixture
def life(start: Any, quarters: Quarters, tmp_path: Path) -> Life:
    """A run that is to be begun in quarters."""
    return Life(start, quarters, tmp_path / "run")


@pytest.fixture(scope="session")
def lasting(small: Any) -> RunConfig:
    """Long enough that every fault comes in the middle of it."""
    made: RunConfig = small({"population.generations": 16, "hosts.count": 2})
    return made


@pytest.fixture(scope="session")
def lasting_hash(lasting: RunConfig, course: Any) -> str:
    """The hash in which it ends, whatever befalls it."""
    return population_hash(course(lasting))


@pytest.fixture(scope="session")
def longest(small: Any) -> RunConfig:
    """Long enough for faults that take a while themselves."""
    made: RunConfig = small({"population.generations": 60, "task.size": 3, "hosts.count": 2})
    return made


@pytest.fixture(scope="session")
def longest_hash(longest: RunConfig, course: Any) -> str:
    """The hash in which it ends."""
    return population_hash(course(longest))


@pytest.fixture(scope="session")
def local_stage() -> Callable[[RunConfig], tuple[Stage, Fleet]]:
    """A configuration's stage, and a host of its models in this process."""

    def make(config: RunConfig) -> tuple[Stage, Fleet]:
        train_first(config)
        stage = Stage(config)
        return stage, LocalFleet(stage.host_settings("cpu"))

    return make
