"""What a run's rounds lead to: tables, lineage, finding, figures, report.

Rounds are taken in one by one, as they are committed or as they are read, and each is measured
once. Answers and grades are the bulk of a run: their tables are written part by part.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import methodcaller
from pathlib import Path

import polars as pl

from mgptn.agents.files import system_faults, write_whole
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.costs.per_right import cost_sentences
from mgptn.experiments.figures.founders import founder_counts
from mgptn.experiments.findings import as_many
from mgptn.experiments.findings.reach import judge_growth
from mgptn.experiments.findings.verdict import Verdict, judge
from mgptn.experiments.passing import collusion
from mgptn.experiments.people import agreement
from mgptn.experiments.record.committed import NOT_KEPT, Committed
from mgptn.experiments.record.compacted import compaction_of
from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.rounds import JOURNAL, Round, first_and_last, joint_hash, read_rounds
from mgptn.experiments.tables.frames import FRAMES, descent_frame, generation_frame
from mgptn.experiments.tables.graders import GRADER_FRAMES
from mgptn.experiments.tables.schemas import SCHEMAS, Schema
from mgptn.experiments.tables.writing import joined, write_parts, write_table
from mgptn.experiments.views.measured import MeasuredRound, Measuring
from mgptn.population.display.html import folded, listed
from mgptn.population.measures.lineage import Lineage, Tracer
from mgptn.population.measures.phylogeny import alife_lines, newick

PHYLOGENY, TREES = "phylogeny.csv", "phylogeny.nwk"
IN_PARTS = ("answers", "grades", "turns", "births", "agents")
"""Tables with a row for whatever is in a generation: never whole in memory."""

FEW_PARTS = 32
"""So many frames of a table, each of a row or a few, are made one: a frame is larger than a row."""


class Derivation:
    """All that rounds lead to but what has a row for every agent or answer of them.

    It grows by some rows a round; and, where the lineage is traced, by forty bytes a birth.

    Parameters
    ----------
    traced
        Is the lineage traced as rounds are taken in? If not, `trace` does it, round by round.

    Attributes
    ----------
    ends
        The first round and the last so far.
    faults
        A sentence for each round that could not be measured, or placed in the lineage.
    """

    def __init__(self, traced: bool = True) -> None:
        self.traced = traced
        self.ends: list[MeasuredRound] = []
        self.faults: list[str] = []
        self._digests: list[str] = []
        self._tracer: Tracer | None = Tracer()
        self._frames: dict[str, list[pl.DataFrame]] = {n: [] for n in SCHEMAS if n not in IN_PARTS}
        self._founders: list[pl.DataFrame] = []

    def add(self, done: MeasuredRound) -> None:
        """Take the next round in."""
        self.ends = first_and_last([*self.ends, done])
        self.faults += done.faults
        for one in done.committed:
            for name, parts in self._frames.items():
                parts.append(_frame(name, one, done))
                if len(parts) >= FEW_PARTS:
                    parts[:] = [joined(name, parts).rechunk()]
            if one.arm == SELECTED:
                self._digests.append(one.generation.digest)
                self._founders.append(founder_counts(descent_frame(one)))
        if self.traced:
            self.trace(done)

    @property
    def population_hash(self) -> str:
        """Of the selected arm so far."""
        return joint_hash(self._digests)

    @property
    def lineage(self) -> Lineage | None:
        """Of the selected arm; None where there is no generation, or they contradict each other."""
        return self._tracer.lineage() if self._tracer is not None else None

    def tables(self) -> dict[str, pl.DataFrame]:
        """By name, but for `IN_PARTS`; and the selected arm's ``"founders"``, for figures."""
        empty = founder_counts(pl.DataFrame(schema=SCHEMAS["agents"]))
        found = {name: joined(name, parts) for name, parts in self._frames.items()}
        return {**found, "founders": pl.concat([empty, *self._founders])}

    def trace(self, done: Round) -> None:
        """Take the next round's births into the lineage."""
        selected = done.of(SELECTED)
        if self._tracer is None or selected is None:
            return
        try:
            self._tracer.add(selected.generation)
        except ValueError as error:
            self._tracer = None
            self.faults.append(f"There is no lineage: {error}")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended: its folder, finding, hash, and what was written."""

    folder: Path
    verdict: Verdict
    population_hash: str
    paths: tuple[Path, ...]

    def _repr_html_(self) -> str:
        """For notebooks: the finding, and what was written."""
        told = f"population hash: {self.population_hash}"
        return self.verdict._repr_html_() + folded(told, listed(map(str, self.paths)))


def write_results(folder: Path, derived: Derivation | None = None) -> Finished:
    """Tables, lineage, figures and report of a run, whole or in progress, from its journal.

    Parameters
    ----------
    derived
        From all of the run's rounds; without, they are measured as the journal is read. Where it
        traced no lineage, that is done now.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If the folder holds no run.
    """
    from mgptn.experiments.figures.files import write_figures
    from mgptn.experiments.results.report import write_report

    manifest, config = recorded(folder)
    with _only_writer(folder):
        found, measuring = derived or Derivation(), Measuring(config)
        beside: list[pl.DataFrame] = []
        picks: list[pl.DataFrame] = []

        run = collusion.runner_of(config)

        def rounds() -> Iterator[Round]:
            for done in read_rounds(folder):
                if derived is None:
                    found.add(measuring(done))
                elif not derived.traced:
                    derived.trace(done)
                if collusion.measured_here(config.protocol.name):
                    size = config.task.size
                    beside.extend(collusion.frame(c, size, run) for c in done.committed)
                picks.extend(agreement.frame(one) for one in done.committed if one.picked.keys)
                yield done

        said = write_in_one_pass(
            folder,
            {name: SCHEMAS[name] for name in IN_PARTS},
            (
                {name: joined(name, map(FRAMES[name], done.committed)) for name in IN_PARTS}
                for done in rounds()
            ),
        )
        tables = found.tables()
        verdict = _as_kept(folder, finding_of(found, config, tables["generations"]))
        written = [
            said[name] if name in said else write_table(name, [tables[name]], folder)
            for name in SCHEMAS
        ]
        if beside:
            written.append(write_parts(folder / "collusion.parquet", collusion.SCHEMA, beside))
            verdict = replace(
                verdict, sentences=(*verdict.sentences, collusion.said_of(pl.concat(beside)))
            )
        if picks:
            written.append(write_parts(folder / "picks.parquet", agreement.SCHEMA, picks))
            told = agreement.said_of(pl.concat(picks))
            verdict = replace(verdict, sentences=(*verdict.sentences, *told))
        written += _write_phylogeny(found.lineage, folder)
        tables["as-many"] = as_many.as_many_frame(found.ends[-1]) if found.ends else pl.DataFrame()
        if len(tables["as-many"]):
            path = folder / "as-many.parquet"
            written.append(write_parts(path, as_many.SCHEMA, [tables["as-many"]]))
        written += write_figures(tables, folder / "figures")
        report = write_report(
            folder,
            manifest={**manifest, "population_hash": found.population_hash},
            tables=tables,
            answers=pl.scan_parquet(said["answers"]),
            grades=pl.scan_parquet(said["grades"]),
            summary=verdict.sentences,
            verdict_heading=verdict.heading,
        )
    return Finished(folder, verdict, found.population_hash, (report, *written))


def finding_of(
    found: Derivation, config: RunConfig, generations: pl.DataFrame | None = None
) -> Verdict:
    """The finding of a run as far as it was taken in, which says so where that is a part.

    Parameters
    ----------
    generations
        The table of that name, where it was made already.
    """
    rows = found.tables()["generations"] if generations is None else generations
    if config.task.growth is None or not config.task.growth.grows:
        verdict = judge(found.ends, found.faults)
        told = as_many.as_many_sentences(found.ends[-1], rows) if found.ends else ()
        verdict = replace(verdict, sentences=(*verdict.sentences, *told))
    else:
        verdict = judge_growth(rows, config, found.faults)
    verdict = replace(verdict, sentences=(*verdict.sentences, *cost_sentences(rows, config)))
    return _of_a_part(verdict, found, config)


def _of_a_part(verdict: Verdict, found: Derivation, config: RunConfig) -> Verdict:
    """The same finding, which says so where it is one of a run that has not ended."""
    done, planned = found.ends[-1].index + 1 if found.ends else 0, config.population.generations
    if done >= planned:
        return verdict
    partial = (
        f"Partial: the run has not ended. This is of {done} of {planned} generations, and so is "
        "the population hash."
    )
    return replace(verdict, sentences=(partial, *verdict.sentences))


def _as_kept(folder: Path, verdict: Verdict) -> Verdict:
    """The same finding, which says so where what was said is no longer there."""
    found = compaction_of(folder / JOURNAL)
    if found is None or not found.dropped:
        return verdict
    said = (
        f"The journal was compacted on {found.date}: {', '.join(found.dropped)} were dropped, and "
        f"'{NOT_KEPT}' stands for texts that are gone. Every number is as it was."
    )
    return replace(verdict, sentences=(*verdict.sentences, said))


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes a run's results: what is read after that is not older."""
    descriptor = os.open(folder / MANIFEST, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_in_one_pass(
    folder: Path, schemas: Mapping[str, Schema], rounds: Iterable[Mapping[str, pl.DataFrame]]
) -> dict[str, Path]:
    """Several tables, by name, of rounds that are gone through once; one round is in memory.

    Parameters
    ----------
    rounds
        What each table has of a round.
    """
    with tempfile.TemporaryDirectory() as aside:
        parts: dict[str, list[Path]] = {name: [] for name in schemas}
        for frames in rounds:
            for name, paths in parts.items():
                part = Path(aside) / f"{name}-{len(paths)}.arrow"
                with system_faults(part):
                    frames[name].write_ipc(part, compression="zstd")
                paths.append(part)
        return {
            name: write_parts(
                folder / f"{name}.parquet", schemas[name], (pl.read_ipc(p) for p in paths)
            )
            for name, paths in parts.items()
        }


def _frame(name: str, one: Committed, done: MeasuredRound) -> pl.DataFrame:
    """What a table has of an arm's generation."""
    if name == "generations":
        return generation_frame(one, done.measures[one.arm])
    if name in GRADER_FRAMES:
        return GRADER_FRAMES[name](one.arm, one.generation.index, done.graders[one.arm])
    return FRAMES[name](one)


def _write_phylogeny(lineage: Lineage | None, folder: Path) -> list[Path]:
    """The lineage of the run itself, extinct lines included; nothing without a generation."""
    if lineage is None:
        return []
    for name, lines in ((PHYLOGENY, alife_lines(lineage)), (TREES, iter([newick(lineage)]))):
        write_whole(folder / name, methodcaller("writelines", map(str.encode, lines)))
    return [folder / PHYLOGENY, folder / TREES]
