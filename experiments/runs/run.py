"""One run from start to report: what `mgptn run` and `mgptn resume` do."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any

from rich.console import Console

from mgptn.agents.fleet import Fleet
from mgptn.agents.host import HostSettings
from mgptn.agents.ray_session import start_ray, stop_ray
from mgptn.experiments.config.arms import arms_of
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.journal import read_journal
from mgptn.experiments.views.live import LiveTable
from mgptn.experiments.setting.same_ground import check_same_ground, read_manifest
from mgptn.experiments.views.metrics import RunMetrics, check_port
from mgptn.experiments.runs.session import JOURNAL, Round, Session, advance, check_vacant, joint_hash
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.verdict import Verdict, judge
from mgptn.population.measures.lineage import Lineage
from mgptn.population.measures.phylogeny import alife_csv, newick

PHYLOGENY, TREES = "phylogeny.csv", "phylogeny.nwk"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended: its folder, finding, hash, and what was written."""

    folder: Path
    verdict: Verdict
    population_hash: str
    paths: tuple[Path, ...]


def run(
    config: RunConfig,
    folder: Path,
    console: Console,
    *,
    controls: bool = True,
    ray_address: str | None = None,
) -> Finished:
    """Run a configuration in a new folder.

    Everything that can be checked is checked before Ray is started and the folder is made.
    """
    check_vacant(folder)
    check_port(config.metrics.host, config.metrics.port)
    stage = Stage(config)
    with hosts(stage, ray_address) as fleet:
        session = Session.create(folder, config, arms_of(controls), stage, fleet.settings.device)
        return _complete(session, stage, fleet, console)


def resume(
    folder: Path,
    console: Console,
    *,
    ray_address: str | None = None,
    other_versions: bool = False,
) -> Finished:
    """Carry a run on from its journal's intact records, to the same population hash."""
    manifest, config = read_manifest(folder)
    contents = read_journal(folder / JOURNAL)
    if any(record["kind"] == "end" for record in contents.records):
        console.print(f"{folder}: this run has ended; writing its tables and report anew.")
        return write_results(folder)
    if contents.damage is not None:
        console.print(
            f"{folder / JOURNAL}: intact up to byte {contents.damage.offset}: "
            f"{contents.damage.reason}. Carrying on from there; the rest is kept beside it.",
            highlight=False,
            markup=False,
        )
    check_port(config.metrics.host, config.metrics.port)
    stage = Stage(config)
    check_same_ground(manifest, stage, folder, other_versions=other_versions)
    with hosts(stage, ray_address, device=manifest["device"]) as fleet:
        session = Session.reopen(folder, config, manifest["arms"], stage, contents)
        console.print(f"Resuming at generation {len(session.digests)}.", highlight=False)
        return _complete(session, stage, fleet, console)


@contextmanager
def hosts(
    stage: Stage,
    ray_address: str | None,
    device: str | None = None,
    settings_on: Callable[[str], HostSettings] | None = None,
) -> Iterator[Fleet]:
    """A fleet for as long as the context lasts; Ray too, if it is needed and had to be started.

    Parameters
    ----------
    settings_on
        From a device to hosts that serve more than the stage; its own by default.
    """
    with ExitStack() as stack:
        if ray_address is None:
            stage.check_memory()
        if stage.scripted is None and start_ray(ray_address):
            stack.callback(stop_ray)
        stack.enter_context(_terminated_as_interrupted())
        fleet = (
            stage.ray_fleet(device, settings_on) if stage.scripted is None else stage.local_fleet()
        )
        stack.callback(fleet.close)
        yield fleet


def write_results(folder: Path) -> Finished:
    """Tables, lineage, figures and report of a run, all derived from its journal."""
    from mgptn.experiments.views.figure_files import write_figures
    from mgptn.experiments.views.report import write_report
    from mgptn.experiments.views.derive import write_tables_of

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
    from mgptn.experiments.views.tables import write_whole

    if lineage is None:
        return []
    texts = {PHYLOGENY: alife_csv(lineage), TREES: newick(lineage)}
    for name, text in texts.items():
        write_whole(folder / name, methodcaller("write", text.encode()))
    return [folder / name for name in texts]


def _complete(session: Session, stage: Stage, fleet: Fleet, console: Console) -> Finished:
    """Run what is left of a session, and write its results."""
    config = session.config
    arms = [simulation.arm for simulation in session.simulations]
    generations = config.population.generations
    metrics = RunMetrics(config.name, config.task.name, arms)
    title = (
        f"{config.name}: {config.population.size} × {config.agents.model} on "
        f"{stage.task.name}, {len(arms)} arms, {fleet.alive} hosts ({fleet.settings.device})"
    )
    with ExitStack() as stack:
        stack.callback(metrics.close)
        metrics.serve(config.metrics.host, config.metrics.port)
        run_what_is_left(session, fleet, metrics, LiveTable(console, title, generations))
        finished = write_results(session.folder)
        if config.metrics.port:
            time.sleep(config.metrics.linger_seconds)
    return finished


def run_what_is_left(session: Session, fleet: Fleet, metrics: RunMetrics, table: LiveTable) -> None:
    """Every generation of a session that is not committed yet, shown as each is."""
    with ExitStack() as stack:
        stack.callback(session.close)
        stack.enter_context(table)

        def seen(done: Round) -> None:
            for committed in done.committed:
                arm = committed.arm
                metrics.commit(committed, done.measures[arm], fleet.alive, done.graders[arm])

        session.observers += [seen, table.add]
        while not session.finished:
            advance([session], fleet)
        session.end()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, as a cluster sends it to end a job, acts like Ctrl-C: the run stays resumable."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
