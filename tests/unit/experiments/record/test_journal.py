"""The journal: what was written is read, what was not whole or was altered is named."""

# SPDX-License-Identifier: Apache-2.0

import math
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.reading import MAGIC, JournalError, read_journal

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
records_of = st.lists(st.dictionaries(st.text(max_size=3), values, max_size=3), max_size=5)

RECORDS = [{"kind": "generation", "index": i, "text": "ü" * i, "rate": i / 3} for i in range(4)]


def write(path, records):
    """Write a journal; the byte at which each record begins, and the file's length."""
    offsets = []
    with Journal.create(path) as journal:
        for record in records:
            offsets.append(path.stat().st_size)
            journal.append(record)
    return [*offsets, path.stat().st_size]


@settings(deadline=None, max_examples=40)
@given(records_of)
def test_what_is_written_is_read(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("journal") / "j"
    *_, end = write(path, records)
    contents = read_journal(path)
    assert list(contents.records) == records
    assert (contents.intact_bytes, contents.damage) == (end, None)


def test_infinity_and_nan_survive(tmp_path):
    write(tmp_path / "j", [{"a": math.inf, "b": -math.inf, "c": math.nan}])
    (record,) = read_journal(tmp_path / "j").records
    assert (record["a"], record["b"]) == (math.inf, -math.inf)
    assert math.isnan(record["c"])


def test_a_journal_written_in_parts_is_the_one_written_at_once(tmp_path):
    write(tmp_path / "whole", RECORDS)
    write(tmp_path / "parts", [])
    for record in RECORDS:
        with Journal.reopen(tmp_path / "parts") as journal:
            journal.append(record)
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


def test_every_record_is_whole_on_disk_before_the_next(tmp_path):
    with Journal.create(tmp_path / "j") as journal:
        for i, record in enumerate(RECORDS):
            journal.append(record)
            assert list(read_journal(tmp_path / "j").records) == RECORDS[: i + 1]


def test_a_journal_is_never_overwritten(tmp_path):
    path = tmp_path / "j"
    write(path, RECORDS)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="expected no journal there yet, got one"):
        Journal.create(path)
    assert path.read_bytes() == before


def test_a_record_cut_anywhere_is_torn_and_what_stands_before_it_goes_on(tmp_path):
    whole = tmp_path / "whole"
    *_, last, end = write(whole, RECORDS)
    data = whole.read_bytes()
    path = tmp_path / "j"
    for cut in range(last + 1, end):
        path.write_bytes(data[:cut])
        contents = read_journal(path)
        assert list(contents.records) == RECORDS[:-1]
        assert contents.damage is not None
        assert (contents.damage.offset, contents.damage.torn) == (last, True)
        assert f"got {cut - last}" in contents.damage.reason
        assert contents.intact_bytes == last
        with Journal.reopen(path) as journal:
            journal.append(RECORDS[-1])
        assert path.read_bytes() == data
        kept = tmp_path / f"j.damaged-{last}"
        assert kept.read_bytes() == data[last:cut]
        kept.unlink()
    path.write_bytes(data[:last])
    assert read_journal(path).damage is None


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "j"
    offsets = write(path, RECORDS)
    return path.read_bytes(), offsets


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_an_altered_byte_is_found_in_its_record(written, tmp_path_factory, data):
    intact, offsets = written
    place = data.draw(st.integers(0, len(intact) - 1))
    flip = data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "altered"
    path.write_bytes(intact[:place] + bytes([intact[place] ^ flip]) + intact[place + 1 :])
    if place < len(MAGIC):
        with pytest.raises(JournalError, match="expected a journal starting with"):
            read_journal(path)
        return
    contents = read_journal(path)
    struck = sum(offset <= place for offset in offsets) - 1
    assert contents.damage is not None
    assert contents.damage.offset == contents.intact_bytes == offsets[struck]
    assert list(contents.records) == RECORDS[:struck]
    assert f"record {struck} " in contents.damage.reason
    if place >= offsets[struck] + 4:  # not in the length, which alone can make it look cut short
        assert not contents.damage.torn


def test_a_record_taken_out_or_moved_is_found(written, tmp_path):
    data, offsets = written
    first, second = data[offsets[0] : offsets[1]], data[offsets[1] : offsets[2]]
    for altered in (
        data[: offsets[0]] + data[offsets[1] :],
        data[: offsets[0]] + second + first + data[offsets[2] :],
    ):
        (tmp_path / "j").write_bytes(altered)
        contents = read_journal(tmp_path / "j")
        assert contents.records == ()
        assert contents.damage is not None
        assert (contents.damage.offset, contents.damage.torn) == (offsets[0], False)


@pytest.mark.parametrize("begun", range(16))
def test_a_journal_that_was_only_begun_is_torn_and_can_be_carried_on(tmp_path, begun):
    (tmp_path / "j").write_bytes(MAGIC[:begun])
    contents = read_journal(tmp_path / "j")
    assert contents.records == ()
    assert contents.damage.offset == 0
    assert contents.damage.torn
    with Journal.reopen(tmp_path / "j") as journal:
        journal.append({"kind": "first"})
    assert read_journal(tmp_path / "j").records == ({"kind": "first"},)
    assert read_journal(tmp_path / "j").damage is None


def test_a_journal_of_outcomes_one_by_one_is_named_as_what_it_is(tmp_path):
    (tmp_path / "j").write_bytes(b"MGPTN-JOURNAL-1\n" + b"whatever stands in it")
    with pytest.raises(JournalError, match=r"of format 4, got one of format 1"):
        read_journal(tmp_path / "j")


@pytest.mark.parametrize("data", [b"MGPTN-JOURNAL-9\n", b"MGx", b"something else altogether"])
def test_what_is_no_journal_is_refused(tmp_path, data):
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(JournalError, match="expected a journal starting with"):
        read_journal(tmp_path / "j")


def test_no_file_is_refused(tmp_path):
    with pytest.raises(JournalError, match="expected a journal, got: No such file"):
        read_journal(tmp_path / "j")


def test_a_second_damaged_end_does_not_replace_the_first_that_was_kept(tmp_path):
    path = tmp_path / "j"
    write(path, RECORDS)
    data = path.read_bytes()
    tails = []
    for cut in (5, 3):
        path.write_bytes(data[:-cut])
        contents = read_journal(path)
        tails.append(data[contents.intact_bytes : -cut])
        with Journal.reopen(path) as journal:
            journal.append(RECORDS[-1])
    kept = [p.read_bytes() for p in tmp_path.iterdir() if p != path]
    assert sorted(kept) == sorted(tails)


def test_a_journal_that_is_open_is_not_even_read_by_another(tmp_path):
    """What is committed between a reading and a lock was once cut off as damage."""
    path = tmp_path / "j"
    write(path, RECORDS[:1])
    with Journal.reopen(path) as first:
        first.append(RECORDS[1])
        with pytest.raises(JournalError, match="nobody else is writing"):
            Journal.reopen(path)
        first.append(RECORDS[2])
    with Journal.reopen(path) as second:
        assert list(second.contents.records) == RECORDS[:3]


def test_opening_alone_changes_nothing(tmp_path):
    path = tmp_path / "j"
    write(path, RECORDS)
    torn = path.read_bytes()[:-3]
    path.write_bytes(torn)
    Journal.reopen(path).close()
    assert path.read_bytes() == torn
    assert list(tmp_path.iterdir()) == [path]


def test_closing_twice_is_allowed(tmp_path):
    journal = Journal.create(tmp_path / "j")
    journal.close()
    journal.close()
    assert read_journal(tmp_path / "j").damage is None


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.reading import JournalError, read_journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, room = Path(sys.argv[1]), int(sys.argv[2])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
journal = Journal.create(path)
journal.append({"index": 0})
resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
for attempt in range(2):
    try:
        journal.append({"index": 1, "text": "x" * 500})
    except JournalError as error:
        print(error)
assert read_journal(path).records == ({"index": 0},), read_journal(path)
assert read_journal(path).damage is None
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.append({"index": 2})
journal.close()
"""


@pytest.mark.parametrize("room", [70, 200])
def test_a_full_disk_leaves_everything_before_intact_and_the_journal_open(tmp_path, room):
    path = tmp_path / "j"
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), str(room)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    first, second = run.stdout.splitlines()
    assert first == second
    assert "expected to write" in first
    assert "File too large; everything before is intact" in first
    assert read_journal(path).records == ({"index": 0}, {"index": 2})
    with Journal.reopen(path) as journal:
        journal.append({"index": 3})
    assert [r["index"] for r in read_journal(path).records] == [0, 2, 3]


NO_ROOM_AT_ALL = """
import resource, signal, sys
from pathlib import Path
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.reading import JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
try:
    Journal.create(Path(sys.argv[1]))
except JournalError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
Journal.create(Path(sys.argv[1])).close()
"""


def test_a_journal_that_could_not_be_begun_can_be_begun_again(tmp_path):
    path = tmp_path / "j"
    run = subprocess.run(
        [sys.executable, "-c", NO_ROOM_AT_ALL, str(path)], capture_output=True, text=True
    )
    assert "expected to write" in run.stdout
    assert run.returncode == 0, run.stderr
    assert read_journal(path).records == ()


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
def test_a_journal_that_nobody_will_find_is_not_written_on(tmp_path, how):
    folder = tmp_path / "run"
    folder.mkdir()
    with Journal.create(folder / "j") as journal:
        journal.append({"index": 0})
        before = (folder / "j").read_bytes()
        if how == "removed":
            shutil.rmtree(folder)
        else:
            folder.rename(tmp_path / "elsewhere")
        if how == "replaced":
            folder.mkdir()
            (folder / "j").write_bytes(before)
        got = "another file" if how == "replaced" else "nothing"
        with pytest.raises(JournalError, match=f"got {got}: the run's folder was removed, moved"):
            journal.append({"index": 1})
    if how != "removed":
        assert (tmp_path / "elsewhere" / "j").read_bytes() == before


@pytest.mark.parametrize("first", [bytes(len(MAGIC)), MAGIC[:1] + bytes(7) + MAGIC[8:], bytes(3)])
def test_first_bytes_that_became_zeros_are_a_journal_that_was_only_begun(tmp_path, first):
    path = tmp_path / "j"
    path.write_bytes(first)
    assert read_journal(path).damage.torn
    with Journal.reopen(path) as journal:
        journal.append(RECORDS[0])
    assert list(read_journal(path).records) == RECORDS[:1]
    # Of zeros where records follow, or of other bytes, nobody knows what they were.
    for other in (bytes(len(MAGIC)) + b"record", b"x" * len(MAGIC)):
        path.write_bytes(other)
        with pytest.raises(JournalError, match="expected a journal starting with"):
            read_journal(path)
