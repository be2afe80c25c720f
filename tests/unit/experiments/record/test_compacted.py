"""Records made compact: read back as they were, whatever they are made of, and bounded."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
import zlib
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mgptn.experiments.record.committed import NOT_KEPT, Committed
from mgptn.experiments.record.compacted import (
    CONVERSATIONS,
    Compacted,
    compact_round,
    without_conversations,
)
from mgptn.experiments.record.drawing_again import as_drawn, drawn_graders
from mgptn.experiments.record.packed_arrays import pack, squeezed, unpack
from mgptn.experiments.record.reading import FORMAT, JournalError
from mgptn.experiments.record.rounds import Round, read_rounds
from mgptn.population.records.agents import Agent
from mgptn.population.records.matches import Matches
from tests.rebound import rewrite
from tests.synthetic import synthetic_run

GOLDEN = Path(__file__).parents[3] / "golden" / "journals" / f"format-{FORMAT}"
SEEDS = {"scripted": 11, "hosted": 12, "learning": 13, "bound": 14}
Before = dict[str, tuple[Agent, ...]]


def again(done: Round, before: Before, seed: int, dropped: tuple[str, ...]) -> list[Committed]:
    """A round through its compact record."""
    plain = compact_round(done.committed, before, seed, dropped)
    arms = msgpack.unpackb(msgpack.packb(plain))["arms"]
    return [Committed.from_plain(arm, before.get(arm["arm"])) for arm in arms]


@pytest.mark.parametrize("dropped", [(), (CONVERSATIONS,)], ids=["all", "numbers"])
@pytest.mark.parametrize("name", SEEDS)
def test_every_kind_of_run_comes_back_as_it_was(name: str, dropped: tuple[str, ...]) -> None:
    before: Before = {}
    for done in read_rounds(GOLDEN / name):
        found = again(done, before, SEEDS[name], dropped)
        expected = [without_conversations(c) if dropped else c for c in done.committed]
        assert found == expected
        before = {one.arm: one.generation.survivors for one in done.committed}


def test_what_is_not_kept_entered_no_context() -> None:
    found: set[bool] = set()
    for one in (c for name in SEEDS for r in read_rounds(GOLDEN / name) for c in r.committed):
        left = without_conversations(one).generation
        accepted = set(left.accepted.tolist())
        pairs = zip(one.generation.outcomes, left.outcomes, strict=True)
        for i, (was, now) in enumerate(pairs):
            assert now.answer in (was.answer, NOT_KEPT)
            assert i not in accepted or now.answer == was.answer
            assert {turn.text for turn in now.turns} <= {NOT_KEPT}
            found.add(now.answer == was.answer)
    assert found == {False, True}


def test_agents_are_written_once_where_they_are_the_survivors() -> None:
    run, _ = synthetic_run(generations=1, agents=4, problems=3)
    one = run[0]
    plain = compact_round((one,), {one.arm: one.generation.agents}, 0, ())
    assert len(plain["arms"][0]["generation"]["populations"]["sizes"]) == 1
    plain = compact_round((one,), {one.arm: one.generation.survivors}, 0, ())
    assert len(plain["arms"][0]["generation"]["populations"]["sizes"]) == 2


@pytest.mark.parametrize("own", [False, True])
def test_graders_are_drawn_again_only_where_they_were_drawn(own: bool) -> None:
    graders = drawn_graders(7, 3, (40, 5), 4, own=own)
    matches = Matches(np.arange(40), 5, graders)
    assert as_drawn(matches, 7, 3) == {"seed": 7, "own": int(own)}
    for seed, generation in ((8, 3), (7, 4)):
        assert as_drawn(matches, seed, generation) is None
    swapped = graders.copy()
    swapped[9, :2] = swapped[9, 1::-1]
    assert as_drawn(Matches(np.arange(40), 5, swapped), 7, 3) is None


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([np.bool_, np.int8, np.uint16, np.int64, np.float64]).flatmap(
        lambda kind: arrays(kind, array_shapes(max_dims=2, max_side=40, min_side=0))
    )
)
def test_squeezed_arrays_come_back_bit_for_bit(values: Any) -> None:
    small = squeezed(pack(values))
    assert len(small["data"]) <= len(pack(values)["data"])
    assert unpack(small).tobytes() == unpack(pack(values)).tobytes()


def test_an_array_that_would_fill_memory_is_not_unsqueezed() -> None:
    bomb = zlib.compress(bytes(2**24), 9)
    plain = {"dtype": "|u1", "shape": [2**24], "data": bomb, "squeezed": True}
    with pytest.raises(ValueError, match=f"at most 128 times {len(bomb)} bytes, got {2**24}"):
        unpack(plain)
    # Nor does anything that is written need it.
    assert "squeezed" not in squeezed(pack(np.zeros(2**24, dtype=np.int8)))
    for data in (zlib.compress(bytes(99)), zlib.compress(bytes(101)), b"nonsense", b""):
        with pytest.raises(ValueError, match="data: expected"):
            unpack({"dtype": "|u1", "shape": [100], "data": data, "squeezed": True})


def test_the_record_stands_once_before_the_rounds(tmp_path: Path) -> None:
    said = Compacted("2026-01-31", (CONVERSATIONS,), "ab" * 32).to_plain()
    for number, place in enumerate([1, 2]):
        run = Path(shutil.copytree(GOLDEN / "bound", tmp_path / str(number)))
        rewrite(run, lambda records, place=place: records.insert(place, said))
        if place == 1:
            assert len(list(read_rounds(run))) == 2
            rewrite(run, lambda records: records.insert(1, said))
        with pytest.raises(JournalError, match="kind: expected generation or end, got 'compacted'"):
            list(read_rounds(run))
    run = Path(shutil.copytree(GOLDEN / "bound", tmp_path / "strange"))
    rewrite(run, lambda records: records.insert(1, {**said, "dropped": ["verdicts"]}))
    with pytest.raises(JournalError, match="dropped: expected conversations or nothing"):
        list(read_rounds(run))
