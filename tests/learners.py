"""A run whose agents' weights learn, as small as it can be."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

FOUNDERS = {
    "sizes": "1-2", "count": 2, "layers": 1, "width": 16, "heads": 2, "steps": 60,
    "documents": 32, "rate": 0.01, "offsets": 2, "places": 12,
}  # fmt: skip
LEARNING: dict[str, Any] = {
    "name": "learning",
    "task": {"name": "addition", "growth": {"from": 2, "by": "schedule", "largest": 4}},
    "population": {"size": 2, "generations": 3, "selection": {"process": "none"}},
    "agents": {
        "founders": FOUNDERS,
        "learning": {"method": "full", "steps": 3, "documents": 8},
        "sampling_temperature": 1.0,
        "context_capacity": 0,
    },
    "protocol": {"name": "majority", "graders": 1, "threshold": 0.0},
    "hosts": {"count": 1, "device": "cpu", "slots": 16},
    "metrics": {"port": 0},
    "problems_per_generation": 12,
}
"""Everything is accepted, so that everybody learns in every generation."""
