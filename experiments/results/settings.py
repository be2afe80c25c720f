"""What was set otherwise than it is by default, and everything that was set."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.results.shown import UNDEFINED, flat


def departures(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Dotted key, value and default of each setting that is not its default."""
    defaults = dict(flat(RunConfig(name="run").model_dump(mode="json")))
    return [
        (key, value, defaults.get(key) or UNDEFINED)
        for key, value in flat(config)
        if key != "name" and defaults.get(key) != value
    ]
