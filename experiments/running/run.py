"""One run from start to report: what `mgptn run` and `mgptn resume` do."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from mgptn.agents.endpoints.endpoint import EndpointFault, LimitReached
from mgptn.agents.endpoints.fleet import JointFleet
from mgptn.agents.hosts.fleet import Fleet, FleetError
from mgptn.experiments.config.arms import arms_of
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.probing import check_mass
from mgptn.experiments.loop.room import check_room
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import run_id
from mgptn.experiments.record.rounds import JOURNAL, Round, ended_with, read_rounds, read_run
from mgptn.experiments.results.derive import Derivation, Finished, write_results
from mgptn.experiments.running.fleets import (
    hosts,
    ray_beside,
    reading,
    terminated_as_interrupted,
    train_first,
)
from mgptn.experiments.running.session import Session, advance, check_vacant
from mgptn.experiments.seats.humans import asks_people
from mgptn.experiments.setting.same_ground import begun_on, check_same_ground
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.live import LiveTable
from mgptn.experiments.views.measured import MeasuredRound, Measuring
from mgptn.experiments.views.metrics import RunMetrics
from mgptn.experiments.views.metrics_server import AUTO, USUAL, check_port
from mgptn.experiments.views.printable import on_terminal, print_anything

UNCOMMITTED = "uncommitted.jsonl"
"""What endpoints said of the generation under way; gone when it is committed."""

Onlooker = AbstractContextManager[Callable[[MeasuredRound], None]]
"""Looks on at a run from its beginning to its end: entered, it gives what is shown each round."""


def run(
    config: RunConfig,
    folder: Path,
    console: Console,
    *,
    controls: bool = True,
    ray_address: str | None = None,
    onlookers: Sequence[Onlooker] = (),
) -> Finished:
    """Run a configuration in a new folder.

    Everything that can be checked is checked before the folder is made; Ray starts beside it.

    Parameters
    ----------
    onlookers
        Entered before hosts are started and the folder is made, and left with the run; each then
        sees every round.
    """
    print_anything(console.file)
    check_vacant(folder)
    check_port(config.metrics.host, config.metrics.port)
    train_first(config)
    watch = Watch(config)
    with ExitStack() as stack:
        begun = stack.enter_context(ray_beside(config, ray_address))
        started = stack.enter_context(ExitStack())
        with reading(config):
            stage = Stage(config)
        for remark in stage.remarks:
            console.print(on_terminal(remark), highlight=False, markup=False)
        watch.shown += map(stack.enter_context, onlookers)
        fleet = started.enter_context(hosts(stage, ray_address, begun=begun))
        check_room(stage, fleet)
        check_mass(stage, fleet)
        session = Session.create(
            folder, config, arms_of(config, controls), stage, fleet.settings.device
        )
        stack.enter_context(_people(stage, folder, console))
        session.observers.append(watch)
        return _complete(session, stage, fleet, started, console, watch)


def resume(
    folder: Path,
    console: Console,
    *,
    ray_address: str | None = None,
    other_versions: bool = False,
    onlookers: Sequence[Onlooker] = (),
) -> Finished:
    """Carry a run on from its journal's intact records, to the same population hash.

    The journal is locked before it is read: whoever else carries the run on is refused.

    Parameters
    ----------
    onlookers
        Entered before anything is asked; each sees every round, those that are recorded first.
    """
    print_anything(console.file)
    manifest, config = recorded(folder)
    with Journal.reopen(folder / JOURNAL, read_run) as journal:
        ended = ended_with(journal.contents) is not None
        damage = journal.contents.damage
        if damage is not None:
            console.print(
                f"{journal.path}: intact up to byte {damage.offset}: {damage.reason}. Carrying on "
                "from there; the rest is kept beside it.",
                highlight=False,
                markup=False,
            )
        if ended:
            journal.trim()
            journal.close()
            console.print(f"{folder}: this run has ended; writing its tables and report anew.")
            return _seen_again(folder, config, onlookers)
        check_port(config.metrics.host, config.metrics.port)
        train_first(config)
        watch = Watch(config)
        with ExitStack() as stack:
            begun = stack.enter_context(ray_beside(config, ray_address))
            started = stack.enter_context(ExitStack())
            with reading(config):
                stage = Stage(config, begun_on(manifest))
            check_same_ground(manifest, stage, folder, other_versions=other_versions)
            watch.shown += map(stack.enter_context, onlookers)
            stack.enter_context(_people(stage, folder, console))
            device = manifest.get("device")
            fleet = started.enter_context(hosts(stage, ray_address, device, begun=begun))
            session = Session.reopen(
                folder, config, manifest["arms"], stage, journal, [watch], fleet
            )
            console.print(f"Resuming at generation {len(session.digests)}.", highlight=False)
            return _complete(session, stage, fleet, started, console, watch)


@contextmanager
def _people(stage: Stage, folder: Path, console: Console) -> Iterator[None]:
    """Have those who pick in a run invited, and their page served, where they do so on a page."""
    config = stage.config
    if not asks_people(config):
        yield
        return
    # Only here: few runs have a page.
    from mgptn.experiments.people.beside import page_beside
    from mgptn.experiments.people.waiting import PagePicks

    def tell(line: str) -> None:
        console.print(on_terminal(line), highlight=False, markup=False, soft_wrap=True)

    stage.picks = PagePicks(folder, config.human, config.seed, tell)
    with page_beside(folder, tell):
        yield


class Watch:
    """Measures each round once, and shows it to everybody who looks on."""

    def __init__(self, config: RunConfig) -> None:
        self.derived = Derivation(traced=False)
        self.shown: list[Callable[[MeasuredRound], None]] = []
        self._measuring = Measuring(config)

    def __call__(self, done: Round) -> None:
        """Take in a round that is committed."""
        measured = self._measuring(done)
        self.derived.add(measured)
        for show in self.shown:
            show(measured)


def _seen_again(folder: Path, config: RunConfig, onlookers: Sequence[Onlooker]) -> Finished:
    """The results of a run that has ended, and its rounds for who looks on only now."""
    if not onlookers:
        return write_results(folder)
    watch = Watch(config)
    with ExitStack() as stack:
        watch.shown += map(stack.enter_context, onlookers)
        for done in read_rounds(folder):
            watch(done)
    return write_results(folder, watch.derived)


def _complete(
    session: Session,
    stage: Stage,
    fleet: Fleet,
    started: ExitStack,
    console: Console,
    watch: Watch,
) -> Finished:
    """Run what is left of a session, and write its results.

    What was started for its hosts is ended in between: what becomes of it later is nothing to a run
    that has all its answers.
    """
    config = session.config
    arms = [simulation.arm for simulation in session.simulations]
    generations = config.population.generations
    metrics = RunMetrics(config.name, config.task.name, arms, run_id(session.folder))
    title = (
        f"{config.name}: {config.population.size} × {config.agents.said} on "
        f"{stage.task.name}, {len(arms)} arms, {_where(stage, fleet)}"
    )
    with ExitStack() as stack:
        stack.callback(metrics.close)
        _serve(metrics, config, console)
        table = LiveTable(console, title, generations)
        try:
            run_what_is_left(session, fleet, metrics, table, watch)
        except (EndpointFault, LimitReached, FleetError) as fault:
            session.tell()
            if session.digests and not isinstance(fault, FleetError):
                write_results(session.folder, watch.derived)
            how = f"carry the run on with: mgptn resume {session.folder}"
            raise type(fault)(f"{fault}; {how}") from None
        started.close()
        with terminated_as_interrupted():
            finished = write_results(session.folder, watch.derived)
            if config.metrics.port:
                time.sleep(config.metrics.linger_seconds)
    return finished


def _serve(metrics: RunMetrics, config: RunConfig, console: Console) -> None:
    """Open the metrics endpoint, and say where, if that is not where one would look."""
    wanted = config.metrics
    port = metrics.serve(wanted.host, wanted.port)
    if wanted.port == AUTO and port != USUAL:
        console.print(
            f"metrics: port {USUAL} is in use, so Prometheus finds this run at "
            f"http://{wanted.host}:{port}/metrics",
            highlight=False,
            markup=False,
        )


def _where(stage: Stage, fleet: Fleet) -> str:
    """Who does the work, in few words."""
    count = len(stage.served)
    endpoints = f"{count} endpoint{'s' if count > 1 else ''}"
    if count and not stage.hosted:
        return endpoints
    hosts = f"{fleet.alive} hosts ({fleet.settings.device})"
    return f"{hosts}, {endpoints}" if count else hosts


def run_what_is_left(
    session: Session, fleet: Fleet, metrics: RunMetrics, table: LiveTable, watch: Watch
) -> None:
    """Every generation of a session that is not committed yet, shown as each is."""
    with ExitStack() as stack:
        stack.callback(session.close)
        if isinstance(fleet, JointFleet):
            fleet.remember(session.folder / UNCOMMITTED)
        stack.enter_context(table)

        def seen(done: MeasuredRound) -> None:
            for committed in done.committed:
                arm = committed.arm
                metrics.commit(committed, done.measures[arm], fleet.alive, done.graders[arm])

        watch.shown += [seen, table.add]
        while not session.finished:
            advance([session], fleet)
        session.end()
