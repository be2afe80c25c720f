"""The founders that a run's configuration tells how to make."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator

from mgptn.agents.founding.cache import missing, train_missing
from mgptn.experiments.config.run_config import ConfigError, RunConfig


def founders_to_train(config: RunConfig) -> int:
    """How many are not on this machine yet."""
    founders = config.agents.founders
    return 0 if founders is None else len(missing(founders.recipe, founders.seeds))


def train_founders(config: RunConfig) -> Iterator[int]:
    """Train them; the seed of each as it is done.

    Raises
    ------
    ConfigError
        If they cannot be written.
    """
    founders = config.agents.founders
    if founders is None:
        return
    try:
        yield from train_missing(founders.recipe, founders.seeds)
    except OSError as error:
        raise ConfigError(
            f"agents.founders: expected a folder to keep them in, got: {error}; set "
            "MGPTN_CACHE to one that can be written"
        ) from None
