"""The house as imports draw it: rooms (folders) and arrows. `python -m tests.rooms` prints it."""

# SPDX-License-Identifier: Apache-2.0

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
WINGS = ("population", "protocols", "agents", "experiments")
Arrows = dict[str, set[str]]


@cache
def modules() -> list[Path]:
    """Every module, relative to the repository's root."""
    return sorted(p.relative_to(ROOT) for wing in WINGS for p in (ROOT / wing).rglob("*.py"))


@cache
def imports(module: Path, *, top: bool = False) -> set[str]:
    """What a module imports, dotted: at its top alone, or anywhere in it."""
    tree = ast.parse((ROOT / module).read_text())
    names = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(names: set[str]) -> Iterator[Path]:
    """The modules of this project among what is imported, the most exact ones."""
    for name in names:
        first, _, rest = name.partition(".")
        if first == "mgptn" and rest:
            place = Path(*rest.split("."))
            if (ROOT / place.with_suffix(".py")).is_file():
                yield place.with_suffix(".py")


def room(module: Path) -> str:
    """A module's folder; modules that stand in a wing itself are in its hall."""
    return module.parent.as_posix()


@cache
def arrows(*, top: bool = False) -> Arrows:
    """From each room to those that it imports from."""
    drawn: Arrows = {}
    for module in modules():
        into = drawn.setdefault(room(module), set())
        into |= {room(other) for other in ours(imports(module, top=top))} - {room(module)}
    return drawn


def circles(drawn: Arrows) -> list[set[str]]:
    """Rooms that reach each other (Tarjan 1972, by plain reachability)."""
    reach = {start: _reached(start, drawn) for start in drawn}
    found: list[set[str]] = []
    for start in drawn:
        together = {other for other in reach[start] if start in reach[other]}
        if start in reach[start] and together not in found:
            found.append(together)
    return found


def floors(drawn: Arrows) -> dict[str, int]:
    """A room's floor: one above the highest that it imports from; circles must be none."""
    known: dict[str, int] = {}

    def floor(one: str) -> int:
        if one not in known:
            known[one] = 1 + max((floor(other) for other in drawn[one]), default=0)
        return known[one]

    return {one: floor(one) for one in drawn}


def _reached(start: str, drawn: Arrows) -> set[str]:
    seen: set[str] = set()
    waiting = list(drawn[start])
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += drawn[one]
    return seen


def main() -> None:
    """Print rooms by floor, with what each imports from."""
    drawn = arrows()
    lines = []
    rings = circles(drawn)
    for ring in rings:
        lines.append("circle: " + ", ".join(sorted(ring)))
    if not rings:
        by_floor = floors(drawn)
        for one in sorted(drawn, key=lambda one: (-by_floor[one], one)):
            lines.append(f"{by_floor[one]:3}  {one}  ->  {', '.join(sorted(drawn[one]))}")
    else:
        lines += [f"{one}  ->  {', '.join(sorted(drawn[one]))}" for one in sorted(drawn)]
    total = sum(len(into) for into in drawn.values())
    lines.append(f"{len(drawn)} rooms, {total} arrows, {len(rings)} circles")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
