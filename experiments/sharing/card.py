"""What stands beside shared tables: what they are, how they were made, and what they cannot say."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import methodcaller
from pathlib import Path

from mgptn.agents.files import write_whole
from mgptn.experiments.config.arms import ARMS
from mgptn.experiments.config.yaml_reading import as_yaml
from mgptn.experiments.sharing.columns import EXPLAINED
from mgptn.experiments.sharing.source import Source

CARD, CONFIG = "README.md", "config.yaml"

LIMITS = (
    "This is one run with one seed. Other seeds vary more than its intervals.",
    "Verdicts are the task's verifier's. They are for measurement: selection saw them only where "
    "its selector is an oracle or a simulated human, as the arm `oracle` is.",
    "What was accepted is what a selector liked, and not what is right.",
    "Grades of copies of one model are not independent: their errors are alike.",
    "Wall times are of the machine that made them. The same population is promised on the same "
    "class of device, with the same library versions.",
    "Answers are a model's words, kept as they were said: they may be wrong, or worse.",
)


def write_card(folder: Path, source: Source, rows: Mapping[str, int], head: str = "") -> None:
    """Write `README.md`, and the configuration as a file that `mgptn run` takes.

    Parameters
    ----------
    source
        Gone through to its end.
    rows
        Of each table that was written.
    head
        What stands before the card's first line.
    """
    files = {CARD: head + "\n".join(_lines(source, rows)) + "\n", CONFIG: config_text(source)}
    for name, text in files.items():
        write_whole(folder / name, methodcaller("write", text.encode("utf-8", "backslashreplace")))


def config_text(source: Source) -> str:
    """A run's configuration as YAML: as it is meant now, if it is from an earlier version."""
    plain = source.config.model_dump(mode="json")
    text: str = as_yaml(plain)
    return text


def _lines(source: Source, rows: Mapping[str, int]) -> list[str]:
    config = source.config
    lines = [
        f"# {_plain(config.name)}: a population of language models",
        "",
        f"{config.population.size} agents, each a copy of {_code(config.agents.said)}, answered "
        f"problems of {_code(config.task.name)} for {source.generations} generations, by the "
        f"protocol {_code(config.protocol.name)}, and replicated by the fitness that the selector "
        f"{_code(str(config.selector))} gave them. "
        f"{source.state} Made by mgptn, a population simulator for language models.",
        "",
        *_arms(source),
        "## Tables",
        "",
        "Null is what nobody could say; NaN, a measure that is undefined.",
        "",
    ]
    for name, count in rows.items():
        lines += [f"### {name}: {count} rows", "", "| Column | Is |", "| --- | --- |"]
        lines += [f"| `{column}` | {told} |" for column, told in EXPLAINED[name].items()]
        lines.append("")
    absent = [name for name in EXPLAINED if name not in rows]
    if absent:
        lines += [f"Of {', '.join(absent)} this run has nothing.", ""]
    lines += ["## How it was made", "", f"By `mgptn run {CONFIG}`, with:", ""]
    lines += [f"- {_plain(name)}: {_code(fact)}" for name, fact in source.provenance.items()]
    lines += ["", "The configuration, names of files as the run was given them:", ""]
    lines += [*_fenced(config_text(source)), "", "## Limits", ""]
    lines += [f"- {limit}" for limit in (*source.faults, *LIMITS)]
    return lines


def _arms(source: Source) -> list[str]:
    told = [f"- `{arm}`: {ARMS.get(arm, 'a control')}" for arm in source.manifest["arms"]]
    return ["Arms, all on the same problems with the same random numbers:", "", *told, ""]


def _fenced(text: str) -> list[str]:
    """A block of YAML that no text in it can end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}yaml", text.rstrip("\n"), fence]


def _code(text: str) -> str:
    """A text in a line, as code: backticks of its own and line breaks left out."""
    return f"`{' '.join(text.replace('`', '').split())}`"


def _plain(text: str) -> str:
    """A text in a line, with what Markdown would read as markup escaped."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))
