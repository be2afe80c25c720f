"""Journals from elsewhere: whatever their records say, they are read, or refused in words."""

# SPDX-License-Identifier: Apache-2.0

import copy
import tracemalloc
from pathlib import Path

import msgpack
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.experiments.cli import main
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.fields import RecordError
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import ManifestError
from mgptn.experiments.record.packed_arrays import pack, unpack
from mgptn.experiments.record.reading import JournalError, read_journal
from mgptn.experiments.record.rounds import JOURNAL, Round, RunRecord, read_rounds, read_run
from tests.rebound import rewrite
from tests.shared_run import write_made_up
from tests.synthetic import synthetic_run

RUN, _ = synthetic_run(("selected", "neutral-drift"), generations=3, agents=4, problems=3)
PLAIN = msgpack.unpackb(msgpack.packb(RUN[2].to_plain()))


def ways(plain, here=()):
    """Every way into nested plain data."""
    pairs = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in pairs:
        yield (*here, key)
        if isinstance(value, dict | list):
            yield from ways(value, (*here, key))


WAYS = list(ways(PLAIN))
LARGE = 10**12
NONSENSE = [
    None, True, -1, 2, LARGE, 2**64 - 1, 0.5, float("nan"), "", "é" * 50, b"", b"\xff" * 9, [], {},
    [[]], {"a": 1}, [LARGE], [2, LARGE], {"dtype": "V100000000000", "shape": [1], "data": b""},
    {"dtype": "bits", "shape": [LARGE], "data": b"\0"}, pack(RUN[0].generation.fitness),
    {"dtype": "|u1", "shape": [0, LARGE], "data": b""}, "V100000000000", "O", "<U4", "bits", "<f8",
]  # fmt: skip


def altered(plain, way, value):
    whole = here = copy.deepcopy(plain)
    for key in way[:-1]:
        here = here[key]
    here[way[-1]] = value
    return whole


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(WAYS), st.sampled_from(NONSENSE))
def test_any_value_anywhere_is_read_or_refused_and_nothing_is_allocated_for_it(way, value):
    tracemalloc.start()
    try:
        read = Committed.from_plain(altered(PLAIN, way, value))
    except RecordError as error:
        said = str(error)
    else:
        said = "read: expected"
        # What is read is whole: every row of every column can be looked at, and written again.
        assert len(list(read.generation.outcomes)) == len(read.generation.outcomes)
        read.to_plain()
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert ": expected" in said
    assert len(said) < 400
    assert peak < 8 * 2**20


@pytest.mark.parametrize("key", ["generation", "arm", "seconds", "counters"])
def test_a_field_that_is_not_there_is_named(key):
    plain = {name: value for name, value in PLAIN.items() if name != key}
    with pytest.raises(RecordError, match=f"^{key}: expected a field of this name, got none$"):
        Committed.from_plain(plain)


@pytest.mark.parametrize("dtype", ["V100000000000", "O", "<U4", "<c16", "<f4", ">i8", "float64"])
def test_only_the_types_that_are_written_are_read(dtype):
    with pytest.raises(ValueError, match="dtype: expected one of bits, "):
        unpack({"dtype": dtype, "shape": [1], "data": b"\0" * 8})


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"dtype": "bits", "shape": [LARGE], "data": b"\0"}, "expected 125000000000 bytes"),
        ({"dtype": "<i8", "shape": [2], "data": b"\0" * 8}, "expected 16 bytes"),
        ({"dtype": "|u1", "shape": [-1], "data": b"\0"}, "expected lengths ≥ 0"),
        ({"dtype": "|u1", "shape": [0, 2**63], "data": b""}, "expected lengths ≥ 0"),
        ({"dtype": "<f8", "shape": [3], "data": b"\0" * 2, "distinct": b"\0" * 8}, "3 places"),
        ({"dtype": "<f8", "shape": [1], "data": b"\1", "distinct": b"\0" * 8}, "among 1 floats"),
    ],
)
def test_an_array_is_no_longer_than_its_bytes(plain, message):
    with pytest.raises(ValueError, match=message):
        unpack(plain)


# Whole runs


def swap(records):
    records[0], records[1] = records[1], records[0]


FORGERIES = {
    "an unknown arm": lambda r: r[1]["arms"][0].update(arm="strange"),
    "an arm twice": lambda r: r[1]["arms"].append(r[1]["arms"][0]),
    "no arm": lambda r: r[1]["arms"].clear(),
    "another order": lambda r: r[1]["arms"].reverse(),
    "a generation again": lambda r: r.insert(1, r[0]),
    "a generation too early": swap,
    "one that is not there": lambda r: r.pop(1),
    "another index within": lambda r: r[1]["arms"][0]["generation"].update(index=5),
    "another kind": lambda r: r[1].update(kind="surprise"),
    "no kind": lambda r: r[1].pop("kind"),
    "what follows the end": lambda r: r.insert(1, {"kind": "end", "population_hash": "ab" * 32}),
    "a list": lambda r: r.__setitem__(1, [1, 2]),
    "a type that is not written": lambda r: r[1]["arms"][0]["generation"]["scores"].update(
        dtype="V100000000000"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_made_up(tmp_path / "run", RUN, population={"size": 4, "generations": 3})


@pytest.mark.parametrize("forgery", FORGERIES)
def test_records_that_no_run_writes_are_refused_where_they_stand(folder, forgery):
    rewrite(folder, FORGERIES[forgery])
    assert read_journal(folder / JOURNAL).damage is None
    record = RunRecord(folder)
    before = list(record.intact())
    assert record.damage is not None
    place = f"at byte {record.damage.offset}: record {len(before)}"
    if forgery == "what follows the end":
        place = f"at byte {record.damage.offset}: record 2"
    for reading in (RunRecord(folder).rounds, lambda: read_rounds(folder)):
        with pytest.raises(JournalError, match=place + " is none that a run writes: .*: expected"):
            list(reading())
    # Read again, it stands before the same record.
    assert (list(record.intact()), record.offset) == ([], record.damage.offset)
    # What stands before is kept, and goes on.
    contents = read_run(folder / JOURNAL)
    assert contents.intact_bytes == record.damage.offset
    with Journal.reopen(folder / JOURNAL, read_run) as journal:
        journal.append({"kind": "end", "population_hash": "cd" * 32})
    assert read_journal(folder / JOURNAL).damage is None
    assert (folder / f"{JOURNAL}.damaged-{record.damage.offset}").exists()


@pytest.mark.parametrize(
    "payload", [b"", b"\xc1", b"\x91" * 5000, b"\xdd\xff\xff\xff\xff", b"\x81"]
)
def test_a_record_that_is_no_msgpack_is_refused(tmp_path, payload, monkeypatch):
    with Journal.create(tmp_path / JOURNAL) as journal:
        monkeypatch.setattr(msgpack, "packb", lambda _: payload)
        journal.append({})
    monkeypatch.undo()
    with pytest.raises(JournalError, match="record 0 is none that a run writes: record: expected"):
        list(read_rounds(tmp_path))


VIEWS = {
    "report": [],
    "transcript": [],
    "export": ["--to", "csv"],
    "replay": [],
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_refuses_a_journal_that_was_altered(folder, view):
    data = bytearray((folder / JOURNAL).read_bytes())
    data[-100] ^= 1
    (folder / JOURNAL).write_bytes(data)
    done = CliRunner().invoke(main, [view, str(folder), *VIEWS[view]])
    assert done.exit_code == 1
    assert "record 2 was altered" in done.output
    assert sorted(path.name for path in folder.iterdir()) == [JOURNAL, "manifest.json"]


# Manifests


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected a JSON object"),
        ("[" * 100_000, "expected a run's manifest"),
        ('{"arms": []}', "got one without 'config'"),
        ('{"config": {}, "arms": 5}', "arms: expected a list of names"),
        ('{"config": {}, "arms": ["a", "a"]}', "arms: expected each once"),
        ('{"config": {}, "arms": ["a"], "weights": "00"}', "weights: expected texts by name"),
        ('{"config": {}, "arms": ["a"], "versions": {"torch": 2}}', "versions: expected texts"),
        ('{"config": {}, "arms": ["a"], "today": "soon"}', "today: expected a date"),
        ('{"config": {}, "arms": ["a"], "seed": true}', "seed: expected a whole number"),
        ('{"config": {}, "arms": ["a"], "endpoints": {"e": 1}}', "endpoints: expected"),
        ('{"config": [], "arms": ["a"]}', "config: expected a configuration"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(folder, content, message):
    (folder / "manifest.json").write_text(content)
    for command in ("replay", "report", "resume"):
        done = CliRunner().invoke(main, [command, str(folder)])
        assert (done.exit_code, type(done.exception)) == (1, SystemExit)
        assert message in done.output
    with pytest.raises(ManifestError):
        Round(next(read_rounds(folder)).committed)
