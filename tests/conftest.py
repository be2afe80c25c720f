"""Which tests may run beside each other where pytest-xdist runs several at once (`make test`)."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

MACHINE = "machine"
"""Group of the tests that start Ray, commands or servers. One worker runs them all, one after
another: they share one Ray, count the processes that they find, and kill some."""

FOLDERS = tuple(f"tests/integration/{name}/" for name in ("commands", "monitoring", "running"))
FIXTURES = {"ray_address", "start"}
"""What makes a module one of `MACHINE`: where it stands, or what any of its tests asks for."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each module its group, its own or `MACHINE`; what a module builds is built once."""
    module = {item: item.nodeid.partition("::")[0] for item in items}
    machine = {
        module[item]
        for item in items
        if module[item].startswith(FOLDERS) or FIXTURES & set(getattr(item, "fixturenames", ()))
    }
    for item in items:
        group = MACHINE if module[item] in machine else module[item]
        item.add_marker(pytest.mark.xdist_group(group))
    if hasattr(config, "workerinput"):  # What takes longest is begun first.
        items.sort(key=lambda item: (module[item] not in machine, "unit" in module[item]))
