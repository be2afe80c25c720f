"""Rounds are read once, and followed as they are committed, without a model, Ray or torch."""

# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mgptn.experiments.record import reading
from mgptn.experiments.record.follow import Follower, follow
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.record.rounds import JOURNAL, Round, RunRecord, read_rounds
from tests.synthetic import synthetic_run

ALONE = """
import sys
from pathlib import Path
from mgptn.experiments.record.follow import follow
assert [done.index for done in follow(Path(sys.argv[1]))] == [0, 1, 2]
ours = [name for name in sys.modules if name.startswith("mgptn")]
print(len(ours), *{"torch", "ray", "transformers", "pydantic", "polars"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def rounds() -> list[Round]:
    """Three rounds of two arms."""
    committed, _ = synthetic_run()
    return [Round(tuple(c for c in committed if c.generation.index == index)) for index in range(3)]


def begun(folder: Path) -> Journal:
    return Journal.create(folder / JOURNAL)


def end(journal: Journal) -> None:
    journal.append({"kind": "end", "population_hash": "ab" * 32})


def test_what_is_read_is_what_was_committed(tmp_path, rounds):
    with begun(tmp_path) as journal:
        for done in rounds:
            journal.append(done.to_plain())
        record = RunRecord(tmp_path)
        assert list(record.rounds()) == rounds
        assert (record.population_hash, record.damage) == (None, None)
        end(journal)
        assert list(record.rounds()) == []
        assert record.population_hash == "ab" * 32
    assert list(read_rounds(tmp_path)) == rounds


def test_a_follower_goes_on_from_where_it_stands_and_hashes_nothing_twice(
    tmp_path, rounds, monkeypatch
):
    hashed: list[int] = []
    link = reading.next_link

    def counted(before: bytes, payload: bytes) -> bytes:
        hashed.append(len(payload))
        return link(before, payload)

    with begun(tmp_path) as journal:
        monkeypatch.setattr(reading, "next_link", counted)
        follower = Follower(tmp_path)
        assert list(follower.new()) == []
        for done in rounds:
            journal.append(done.to_plain())
            assert list(follower.new()) == [done]
            assert list(follower.new()) == []
        assert not follower.ended
        end(journal)
        assert list(follower.new()) == []
        assert follower.ended
    assert len(hashed) == len(rounds) + 1


def test_a_record_that_is_being_written_is_waited_for(tmp_path, rounds):
    with begun(tmp_path) as journal:
        journal.append(rounds[0].to_plain())
        before = (tmp_path / JOURNAL).stat().st_size
        journal.append(rounds[1].to_plain())
    whole = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole[:before])
    follower = Follower(tmp_path)
    assert list(follower.new()) == rounds[:1]
    for cut in (before + 2, before + 100, len(whole) - 1):
        (tmp_path / JOURNAL).write_bytes(whole[:cut])
        assert list(follower.new()) == []
    # The run was killed there, and is resumed: it cuts the torn end off, and goes on.
    with Journal.reopen(tmp_path / JOURNAL) as journal:
        journal.append(rounds[1].to_plain())
        assert list(follower.new()) == rounds[1:2]


def test_another_journal_in_its_place_is_refused(tmp_path, rounds):
    with begun(tmp_path) as journal:
        journal.append(rounds[0].to_plain())
    follower = Follower(tmp_path)
    assert list(follower.new()) == rounds[:1]
    data = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / "other").write_bytes(data)
    (tmp_path / "other").replace(tmp_path / JOURNAL)
    with pytest.raises(JournalError, match="got another one"):
        list(follower.new())


def test_an_altered_record_is_an_error_where_it_stands(tmp_path, rounds):
    with begun(tmp_path) as journal:
        journal.append(rounds[0].to_plain())
        follower = Follower(tmp_path)
        assert list(follower.new()) == rounds[:1]
        journal.append(rounds[1].to_plain())
    data = bytearray((tmp_path / JOURNAL).read_bytes())
    data[-40] ^= 1
    (tmp_path / JOURNAL).write_bytes(data)
    with pytest.raises(JournalError, match="record 1 was altered"):
        list(follower.new())


def test_a_run_is_followed_to_its_end(tmp_path, rounds):
    journal = begun(tmp_path)

    def write() -> None:
        for done in rounds:
            journal.append(done.to_plain())
        end(journal)

    writer = threading.Thread(target=write)
    writer.start()
    assert list(follow(tmp_path, poll_seconds=0.01)) == rounds
    writer.join()
    journal.close()


def test_a_folder_without_a_journal_is_refused(tmp_path):
    with pytest.raises(JournalError, match="expected a journal, got: No such file"):
        list(follow(tmp_path))


def test_reading_a_journal_takes_few_modules_and_no_heavy_library(tmp_path, rounds):
    with begun(tmp_path) as journal:
        for done in rounds:
            journal.append(done.to_plain())
        end(journal)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    count, *heavy = done.stdout.split()
    assert heavy == []
    assert int(count) <= 45
