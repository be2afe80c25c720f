"""What the simulated disk and cluster do, by themselves."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path

import numpy as np
import pytest
import ray.exceptions

from mgptn.agents.disk import disk, standing_in, sync_folder
from mgptn.agents.files import make_folder, write_whole
from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_fleet import RayFleet
from mgptn.agents.learning.numbers import NumbersFolder
from mgptn.agents.requests import Generate, Generated, Tile, TileReply
from mgptn.experiments.bench.faults.cluster import SimulatedCluster
from mgptn.experiments.bench.faults.disk import ProcessGone, SimulatedDisk
from mgptn.experiments.bench.faults.kinds import (
    ALL_DIE,
    BACK,
    BROKEN,
    DIES,
    DOUBLED,
    EIO,
    FORWARD,
    FULL,
    GONE,
    KILLED,
    LATE,
    LOST,
    LYING,
    SHORT,
    SLOW,
)
from mgptn.experiments.bench.faults.platter import applied
from mgptn.experiments.bench.faults.schedule import Due, Fault
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.reading import JournalError, read_journal


class Losing:
    """A generator that keeps nothing of what was not synced, or all."""

    def __init__(self, *, all_kept: bool) -> None:
        self._kept = all_kept

    def random(self) -> float:
        return 0.0 if self._kept else 0.99

    def integers(self, most: int) -> int:
        return most - 1 if self._kept else 0


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedDisk]:
    """A disk on which nothing is kept that was not synced."""
    made = SimulatedDisk(tmp_path, Losing(all_kept=False))  # type: ignore[arg-type]
    with standing_in(made):
        yield made
    made.end()


def befalls(made: SimulatedDisk, *faults: Fault) -> Due:
    due = Due(faults, [])
    made.begin(due)
    return due


def test_changes_of_a_file_are_what_the_system_makes_of_them() -> None:
    assert applied(b"", [(0, b"abc"), (1, b"XYZ")]) == b"aXYZ"
    assert applied(b"abcdef", [2, (4, b"g")]) == b"ab\0\0g"
    assert applied(b"ab", [4]) == b"ab\0\0"


def test_what_was_not_synced_is_lost_with_the_power(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    with disk().file(tmp_path / "whole", "wb") as file:
        file.write(b"whole")
        file.flush()
        disk().fsync(file.fileno())
    sync_folder(tmp_path)
    with disk().file(tmp_path / "whole", "wb") as file:
        file.write(b"other")
    with disk().file(tmp_path / "nameless", "wb") as file:
        file.write(b"synced, but not its name")
        file.flush()
        disk().fsync(file.fileno())
    assert (tmp_path / "whole").read_bytes() == b"other"
    assert simulated.platter.durable(tmp_path / "whole") is None
    simulated.pull_the_plug()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    assert (tmp_path / "whole").read_bytes() == b"whole"
    assert simulated.platter.durable(tmp_path / "whole") == b"whole"


def test_a_file_that_is_renamed_before_it_is_synced_is_empty_afterwards(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    with disk().file(tmp_path / "new", "wb") as file:
        file.write(b"content")
    disk().replace(tmp_path / "new", tmp_path / "name")
    sync_folder(tmp_path)
    assert simulated.platter.durable(tmp_path / "name") is None
    simulated.pull_the_plug()
    assert (tmp_path / "name").read_bytes() == b""


def test_all_may_be_kept_too(tmp_path: Path) -> None:
    made = SimulatedDisk(tmp_path, Losing(all_kept=True))  # type: ignore[arg-type]
    with standing_in(made), disk().file(tmp_path / "file", "wb") as file:
        file.write(b"content")
    made.pull_the_plug()
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_disk_that_lies_is_known_by_what_it_claimed(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    due = befalls(simulated, Fault(LYING, 0, 0.0))
    write_whole(tmp_path / "file", methodcaller("write", b"content"))
    assert due.struck
    assert simulated.platter.lied
    simulated.pull_the_plug()
    assert not list(tmp_path.iterdir())


def test_a_process_that_is_gone_does_nothing_more(simulated: SimulatedDisk, tmp_path: Path) -> None:
    due = befalls(simulated, Fault(KILLED, 1, 0.3))
    with pytest.raises(ProcessGone):
        write_whole(tmp_path / "file", methodcaller("write", b"0123456789"))
    assert due.struck
    assert [path.name for path in tmp_path.iterdir()] == [".file.tmp"]  # which it would delete
    assert (tmp_path / ".file.tmp").read_bytes() == b"012345"
    befalls(simulated)
    write_whole(tmp_path / "file", methodcaller("write", b"0123456789"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert simulated.platter.durable(tmp_path / "file") == b"0123456789"


@pytest.mark.parametrize(("kind", "number"), [(EIO, errno.EIO), (FULL, errno.ENOSPC)])
@pytest.mark.parametrize("call", range(5))
def test_files_are_written_whole_or_not_at_all(
    simulated: SimulatedDisk, tmp_path: Path, kind: str, number: int, call: int
) -> None:
    write_whole(tmp_path / "file", methodcaller("write", b"old"))
    befalls(simulated, Fault(kind, call, 0.0))
    error = OSError(number, "", "none")
    try:
        write_whole(tmp_path / "file", methodcaller("write", b"new one"))
    except OSError as raised:
        error = raised
    assert (error.errno, error.filename is None) == (number, False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() in (b"old", b"new one")


def test_short_writes_are_written_on(simulated: SimulatedDisk, tmp_path: Path) -> None:
    due = befalls(simulated, Fault(SHORT, 1, 0.0))
    with Journal.create(tmp_path / "journal") as journal:
        journal.append({"kind": "end"})
    assert due.struck
    assert list(read_journal(tmp_path / "journal").records) == [{"kind": "end"}]


@pytest.mark.parametrize("call", range(12))
def test_a_journal_is_never_left_otherwise_than_it_says(
    simulated: SimulatedDisk, tmp_path: Path, call: int
) -> None:
    path = tmp_path / "journal"
    befalls(simulated, *(Fault(EIO, at, 0.9) for at in range(call, call + 3)))
    records: list[dict[str, int]] = []

    def written() -> None:
        with Journal.create(path) as journal:
            for index in range(3):
                journal.append({"index": index})
                records.append({"index": index})

    if call < 11:
        with pytest.raises(JournalError, match=str(path)):
            written()
    else:
        written()
    befalls(simulated)
    if path.exists():
        with Journal.reopen(path) as journal:
            there = list(journal.contents.records)
            assert there[: len(records)] == records
            assert simulated.platter.durable(path) == path.read_bytes()
            journal.append({"index": "last"})
        assert list(read_journal(path).records) == [*there, {"index": "last"}]
    else:
        assert not records


def test_what_is_read_of_a_journal_that_is_reopened_is_on_the_disk(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    calls = befalls(simulated)
    with Journal.create(tmp_path / "another") as journal:
        journal.append({"index": 0})
        begun = dict(calls.counts)
    befalls(simulated, Fault(KILLED, begun["disk"] + 1, 0.9))  # as it is about to sync
    journal = Journal.create(path)
    journal.append({"index": 0})
    with pytest.raises(ProcessGone):
        journal.append({"index": 1})
    befalls(simulated)
    with Journal.reopen(path) as journal:
        assert len(journal.contents.records) == 2
    simulated.pull_the_plug()
    assert len(read_journal(path).records) == 2


def test_folders_are_on_the_disk_by_their_names(simulated: SimulatedDisk, tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    simulated.pull_the_plug()
    assert (tmp_path / "a" / "b").is_dir()
    disk().mkdir(tmp_path / "a" / "c")  # by a process that was killed then
    make_folder(tmp_path / "a" / "c")
    simulated.pull_the_plug()
    assert (tmp_path / "a" / "c").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        make_folder(tmp_path / "file")


def test_numbers_that_are_found_are_on_the_disk_before_they_are_told(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    undisturbed = befalls(simulated)
    NumbersFolder(tmp_path / "others").keep(b"numbers")
    last = undisturbed.counts["disk"] - 1
    befalls(simulated, Fault(KILLED, last, 0.0))  # as the folder is about to be synced
    with pytest.raises(ProcessGone):
        NumbersFolder(tmp_path / "weights").keep(b"numbers")
    (found,) = (tmp_path / "weights").iterdir()
    assert not found.name.startswith(".")
    assert simulated.platter.durable(found) is None
    befalls(simulated)
    NumbersFolder(tmp_path / "weights").keep(b"numbers")
    assert simulated.platter.durable(found) == b"numbers"


def test_numbers_that_were_half_written_are_swept(simulated: SimulatedDisk, tmp_path: Path) -> None:
    numbers = NumbersFolder(tmp_path / "weights")
    kept = numbers.path(numbers.keep(b"kept"))
    befalls(simulated, Fault(KILLED, 1, 0.1))
    with pytest.raises(ProcessGone):
        numbers.keep(b"other")
    assert len(list(kept.parent.iterdir())) == 2
    befalls(simulated)
    numbers.sweep()
    assert list(kept.parent.iterdir()) == [kept]


SETTINGS = HostSettings("none", "")


def tiles(count: int) -> list[Tile]:
    return [Tile("", (), (Generate((), (i,), (), 1, 1.0, (0, 0)),), 1, 1) for i in range(count)]


def echo(tile: Tile) -> TileReply:
    (request,) = tile.requests
    assert isinstance(request, Generate)
    return TileReply((Generated(request.suffix, "stop", (0.0, 0.0)),))


def replies(*faults: Fault, hosts: int = 2, count: int = 12) -> tuple[RayFleet, Due, list[int]]:
    due = Due(faults, [])
    cluster = SimulatedCluster(echo, due, np.random.default_rng(7))
    fleet = RayFleet(SETTINGS, hosts, cluster=cluster)
    given = fleet.run(tiles(count))
    return fleet, due, [reply.replies[0].tokens[0] for reply in given]  # type: ignore[union-attr]


@pytest.mark.parametrize("amount", np.linspace(0.0, 0.99, 8))
@pytest.mark.parametrize("kind", [DIES, ALL_DIE, SLOW, LOST, DOUBLED])
def test_whatever_befalls_hosts_replies_come_in_the_order_of_tiles(
    kind: str, amount: float
) -> None:
    fleet, due, given = replies(Fault(kind, 5, amount), Fault(kind, 9, amount))
    assert given == list(range(12))
    assert len(due.struck) == 2
    replaced = {SLOW: amount > 0.4, DOUBLED: False}.get(kind, True)
    assert bool(fleet.restarts) == replaced


@pytest.mark.parametrize("kind", [LATE, BROKEN])
def test_a_host_that_comes_late_or_not_at_all_is_waited_for(kind: str) -> None:
    fleet, due, given = replies(Fault(kind, 1, 0.9))
    assert given == list(range(12))
    assert len(due.struck) == 1
    assert (fleet.alive, fleet.restarts) == (2, 0)


def test_clocks_that_jump_cost_no_host() -> None:
    jumps = [Fault(kind, at, 0.9) for kind in (FORWARD, BACK) for at in range(2, 12, 2)]
    fleet, due, given = replies(*jumps)
    assert given == list(range(12))
    assert len(due.struck) == len(jumps)
    assert fleet.restarts == 0


@pytest.mark.parametrize("look", range(8))
def test_a_cluster_that_is_gone_is_told_in_a_line(look: int) -> None:
    with pytest.raises(FleetError, match="gcs_server has ended") as raised:
        replies(Fault(GONE, look, 0.0))
    assert "\n" not in str(raised.value)


def test_hosts_that_never_come_up_are_told_in_a_line() -> None:
    with pytest.raises(FleetError, match="3 in a row") as raised:
        replies(*(Fault(BROKEN, at, 0.99) for at in range(5)))
    assert "\n" not in str(raised.value)


def test_tiles_that_are_always_lost_are_told_in_a_line() -> None:
    with pytest.raises(FleetError, match="3 lost hosts in a row") as raised:
        replies(*(Fault(LOST, at, 0.2) for at in range(12)), hosts=1, count=1)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value.__cause__, ray.exceptions.ObjectLostError)


def test_what_is_cut_off_is_kept_on_the_disk_first(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    with Journal.create(path) as journal:
        journal.append({"index": 0})
        whole = path.stat().st_size
    with disk().file(tmp_path / "another", "wb") as file:
        file.write(path.read_bytes() + b"more")
    disk().replace(tmp_path / "another", path)
    with Journal.reopen(path) as journal:
        journal.append({"index": 1})
    simulated.pull_the_plug()
    assert (tmp_path / f"journal.damaged-{whole}").read_bytes() == b"more"
    assert len(read_journal(path).records) == 2


def test_a_record_whose_sync_failed_is_written_once_more(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    with Journal.create(path) as journal:
        journal.append({"index": 0})
    undisturbed = befalls(simulated)
    with Journal.reopen(path) as journal:
        journal.append({"index": 1})
    calls = undisturbed.counts["disk"]
    # The sync forgets the record, and cutting it off fails too: it is there to be read, clean.
    befalls(simulated, Fault(EIO, calls - 1, 0.1), Fault(EIO, calls, 0.9))
    with Journal.reopen(path) as journal, pytest.raises(JournalError, match="everything before"):
        journal.append({"index": 2})
    befalls(simulated)
    with Journal.reopen(path) as journal:
        assert len(journal.contents.records) == 3
    simulated.pull_the_plug()
    assert [record["index"] for record in read_journal(path).records] == [0, 1, 2]


def test_what_was_deleted_is_gone_once_numbers_are_synced(
    simulated: SimulatedDisk, tmp_path: Path
) -> None:
    numbers = NumbersFolder(tmp_path / "weights")
    numbers.keep(b"of the dead")
    numbers.prune(())
    simulated.pull_the_plug()
    assert len(list(numbers.folder.iterdir())) == 1  # it has come back
    numbers.prune(())
    numbers.sync()
    simulated.pull_the_plug()
    assert not list(numbers.folder.iterdir())
