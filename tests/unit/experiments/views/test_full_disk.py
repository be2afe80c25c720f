"""A disk that is full as tables are written: one error with the file, and nothing half done."""

# SPDX-License-Identifier: Apache-2.0

import errno
import os
import resource
import subprocess
import sys

import polars as pl
import pytest

from mgptn.agents.files import NoPlainFileError, read_bounded, system_faults
from tests.shared_run import write_made_up
from tests.synthetic import synthetic_run

LIMITED = """
import resource, sys
from mgptn.experiments.figures import files
files.FIGURES = {}
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from mgptn.experiments.cli import main
main(["report", sys.argv[2]])
"""


@pytest.mark.parametrize("room", [16, 6_000])
def test_a_report_that_has_no_room_says_so_and_leaves_what_was(tmp_path, room):
    run = write_made_up(tmp_path / "run", synthetic_run()[0])
    (run / "report.html").write_text("the old one")
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(room), str(run)],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "File too large; what was committed to a journal is intact" in done.stderr
    assert "Traceback" not in done.stderr
    assert "panicked" not in done.stderr
    assert (run / "report.html").read_text() == "the old one"
    assert not [path for path in run.iterdir() if path.name.startswith(".")]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_libraries_make_of_the_system_is_the_systems_error(tmp_path):
    frame = pl.DataFrame({"a": range(100_000)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with (
            pytest.raises(OSError, match="File too large") as caught,
            system_faults(tmp_path / "t"),
        ):
            frame.write_ipc(tmp_path / "t")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "t"))
    with pytest.raises(ZeroDivisionError), system_faults(tmp_path / "t"):
        1 / 0  # noqa: B018


def test_only_plain_files_are_read_and_no_more_than_they_may_have(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bounded(tmp_path / "file", 5) == b"12345"
    with pytest.raises(NoPlainFileError, match="more than 4 bytes"):
        read_bounded(tmp_path / "file", 4)
    os.mkfifo(tmp_path / "pipe")
    for path, kind in (("pipe", "a pipe"), ("/dev/zero", "a device"), (".", "a folder")):
        with pytest.raises(NoPlainFileError, match=kind):
            read_bounded(tmp_path / path, 5)
