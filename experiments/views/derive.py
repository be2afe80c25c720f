"""What a run's journal leads to, read a round at a time: measures, tables, lineage.

Answers and grades are the bulk of a run: their tables are written part by part, and read lazily.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from operator import methodcaller
from pathlib import Path

import polars as pl

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.journal import read_journal
from mgptn.experiments.record.manifest import read_manifest
from mgptn.experiments.record.rounds import JOURNAL, Round, first_and_last, joint_hash, rounds_of
from mgptn.experiments.views.grader_tables import GRADER_FRAMES
from mgptn.experiments.views.measured import measured_rounds
from mgptn.experiments.views.tables import FRAMES, SCHEMAS, generation_frame, joined, write_table
from mgptn.experiments.views.verdict import Verdict, judge
from mgptn.population.measures.lineage import Lineage, trace_lineage
from mgptn.population.measures.phylogeny import alife_csv, newick
from mgptn.population.records.generation import Generation

SAID = ("answers", "grades")
"""Tables that are never whole in memory."""


@dataclass(frozen=True, slots=True)
class Results:
    """All that is derived from a journal but figures and report.

    Attributes
    ----------
    ends
        The first round and the last.
    digests
        Of the selected arm's population after each generation.
    lineage
        Of the selected arm; None where there is no generation.
    tables
        By name, but for answers and grades.
    paths
        Of all tables, as written.
    """

    ends: list[Round]
    digests: list[str]
    lineage: Lineage | None
    tables: dict[str, pl.DataFrame]
    paths: list[Path]

    def said(self, name: str) -> pl.LazyFrame:
        """The table of answers or of grades, as it was written."""
        return pl.scan_parquet(next(path for path in self.paths if path.stem == name))


def write_tables_of(folder: Path, config: RunConfig) -> Results:
    """Read a run's journal and write its tables."""
    frames: dict[str, list[pl.DataFrame]] = {n: [] for n in SCHEMAS if n not in SAID}
    ends: list[Round] = []
    digests: list[str] = []

    def selected() -> Iterator[Generation]:
        """The selected arm's generations; what else is wanted is kept in passing."""
        for done in measured_rounds(folder, config):
            ends[:] = first_and_last([*ends, done])
            for one in done.committed:
                for name, parts in frames.items():
                    parts.append(_frame(name, one, done))
                if one.arm == SELECTED:
                    digests.append(one.generation.digest)
                    yield one.generation

    generations = selected()
    first = next(generations, None)
    lineage = None if first is None else trace_lineage(chain([first], generations))
    tables = {name: joined(name, parts) for name, parts in frames.items()}
    paths = [
        write_table(name, [tables[name]] if name in tables else _said(folder, name), folder)
        for name in SCHEMAS
    ]
    return Results(ends, digests, lineage, tables, paths)


def _frame(name: str, one: Committed, done: Round) -> pl.DataFrame:
    """What a table has of an arm's generation."""
    if name == "generations":
        return generation_frame(one, done.measures[one.arm])
    if name in GRADER_FRAMES:
        return GRADER_FRAMES[name](one.arm, one.generation.index, done.graders[one.arm])
    return FRAMES[name](one)


def _said(folder: Path, name: str) -> Iterator[pl.DataFrame]:
    """A table of what was said, a part for each commit."""
    for committed in rounds_of(read_journal(folder / JOURNAL).records):
        for one in committed:
            yield FRAMES[name](one)


PHYLOGENY, TREES = "phylogeny.csv", "phylogeny.nwk"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended: its folder, finding, hash, and what was written."""

    folder: Path
    verdict: Verdict
    population_hash: str
    paths: tuple[Path, ...]


def write_results(folder: Path) -> Finished:
    """Tables, lineage, figures and report of a run, all derived from its journal."""
    from mgptn.experiments.figures.files import write_figures
    from mgptn.experiments.views.derive import write_tables_of
    from mgptn.experiments.views.report import write_report

    manifest, config = read_manifest(folder)
    found = write_tables_of(folder, config)
    verdict = judge(found.ends, config)
    hashed = joint_hash(found.digests)
    paths = [
        *found.paths,
        *_write_phylogeny(found.lineage, folder),
        *write_figures(found.tables, folder / "figures"),
    ]
    report = write_report(
        folder,
        manifest={**manifest, "population_hash": hashed},
        tables=found.tables,
        answers=found.said("answers"),
        grades=found.said("grades"),
        summary=verdict.sentences,
        verdict_heading=verdict.heading,
    )
    return Finished(folder, verdict, hashed, (report, *paths))


def _write_phylogeny(lineage: Lineage | None, folder: Path) -> list[Path]:
    """The lineage of the run itself, extinct lines included; nothing without a generation."""
    from mgptn.experiments.record.files import write_whole

    if lineage is None:
        return []
    texts = {PHYLOGENY: alife_csv(lineage), TREES: newick(lineage)}
    for name, text in texts.items():
        write_whole(folder / name, methodcaller("write", text.encode()))
    return [folder / name for name in texts]
