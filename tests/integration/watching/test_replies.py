"""What the page is told of a run is what its journal holds."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.record.rounds import JOURNAL, RunRecord, read_rounds
from mgptn.experiments.running.compact import ALL, compact
from mgptn.experiments.seats.humans import Choice, Opinion, columns_of
from mgptn.experiments.views.measured import measured
from mgptn.experiments.views.planned import write_planned
from mgptn.experiments.watching.answers import Wanted, conversation, listed
from mgptn.experiments.watching.finding import (
    WatchError,
    look_at,
    run_folders,
    seconds_left,
    unbegun,
)
from mgptn.experiments.watching.graders import MOST, grading_matrix, reliability
from mgptn.experiments.watching.lineages import tree
from mgptn.experiments.watching.people import agent_told
from mgptn.experiments.watching.rounds import Rounds
from mgptn.population.measures.lineage import Tracer
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcome
from tests.integration.watching.conftest import Page, made_run, served

CUT = 0.6
ARMS = ("selected", "neutral-drift", "random-selector", "unselected")


def generations(folder: Path, arm: str = SELECTED) -> list[Generation]:
    return [c.generation for done in read_rounds(folder) for c in done.committed if c.arm == arm]


def test_rounds_by_index_are_those_in_order(looked_at: Path, tmp_path: Path) -> None:
    journal = (looked_at / JOURNAL).read_bytes()
    made_compact = made_run(tmp_path / "compact")
    assert (made_compact / JOURNAL).read_bytes()[:16] == journal[:16]
    compact(made_compact, ALL)
    assert len((made_compact / JOURNAL).read_bytes()) < len(journal)
    for folder in (looked_at, made_compact):
        record = RunRecord(folder)
        in_order = list(record.rounds())
        by_index = Rounds(folder, record.spans)
        assert len(by_index) == len(in_order) == 5
        for index in (4, 0, 3, 1, 2, 4):
            assert by_index[index] == in_order[index]
        with pytest.raises(IndexError, match="expected 0 to 4, got 5"):
            by_index[5]


def test_a_run_is_looked_at_without_reading_it(looked_at: Path, tmp_path: Path) -> None:
    found = look_at(looked_at, "one")
    assert (found.done, found.planned, found.ended) == (5, 5, True)
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "manifest.json").write_bytes((looked_at / "manifest.json").read_bytes())
    assert look_at(cut, "cut").to_plain() == {
        "name": "cut", "done": 0, "planned": 5, "ended": False, "changed": None,
    }  # fmt: skip
    spans = spans_of(looked_at)
    for rounds in range(6):
        end = spans[rounds][0] if rounds < 5 else (looked_at / JOURNAL).stat().st_size - 5
        (cut / JOURNAL).write_bytes((looked_at / JOURNAL).read_bytes()[:end])
        assert (look_at(cut, "cut").done, look_at(cut, "cut").ended) == (rounds, False)


def spans_of(folder: Path) -> list[tuple[int, int]]:
    record = RunRecord(folder)
    list(record.rounds())
    return record.spans


def test_runs_are_found_in_folders_of_folders(looked_at: Path, tmp_path: Path) -> None:
    for name in ("sweep/cells/b", "sweep/cells/a", "sweep/cells/deep/er/no"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").write_text("{}")
    assert [name for _, name in run_folders([tmp_path / "sweep"])] == ["cells/a", "cells/b"]
    assert [name for _, name in run_folders([looked_at, looked_at])] == ["looked-at"]
    with pytest.raises(WatchError, match=r"nowhere: expected the folder of a run"):
        run_folders([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(WatchError, match=r"empty: expected a run .a folder with manifest\.json"):
        run_folders([tmp_path / "empty"])


def test_a_series_has_every_measure(page: Page, looked_at: Path) -> None:
    told = page.ask("run", run="looked-at")
    _, config = recorded(looked_at)
    rows = told["series"]["rows"]
    assert [row["generation"] for row in rows] == list(range(5))
    for row, done in zip(rows, measured(read_rounds(looked_at), config), strict=True):
        assert tuple(row["arms"]) == ARMS
        for arm, measures in done.measures.items():
            for name in ("gold_error", "youden_j", "collision", "lineages", "price_selection"):
                value = getattr(measures, name)
                expected = None if np.isnan(value) else pytest.approx(value, abs=0)
                assert row["arms"][arm][name] == expected
        survivors = done.of(SELECTED)
        assert survivors is not None
        assert sum(count for _, count in row["founders"]) == len(survivors.generation.survivors)
    assert told["finding"]["heading"]
    assert told["config"]["population"]["size"] == 12


def test_the_tree_leads_from_founders_to_the_living(looked_at: Path) -> None:
    tracer = Tracer()
    for generation in generations(looked_at):
        tracer.add(generation)
    lineage = tracer.lineage()
    whole = tree(lineage)
    assert whole["whole"]
    assert len(whole["lives"]) == len(lineage.lives)
    for most in (30, 20, 16, 4):
        found = tree(lineage, most)
        ids = [life[0] for life in found["lives"]]
        assert len(ids) <= most or found["sampled"] == 1  # one ancestry is never cut
        assert not found["whole"]
        known: set[int] = {-1}
        for id_, parent, *_ in found["lives"]:
            assert parent in known
            known.add(id_)
        assert len(known & {int(agent) for agent in lineage.living}) >= found["sampled"] >= 1


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(right=True),
        Wanted(right=False, accepted=True),
        Wanted(accepted=False, problem=2),
        Wanted(unknown=True),
        Wanted(cut_off=True),
        Wanted(unread=True),
        Wanted(disputed=True),
        Wanted(disputed=False, right=False),
        Wanted(unread=False, right=True, order="disputed"),
        Wanted(text="1", order="score"),
        Wanted(order="grade"),
        Wanted(right=True, first=3),
    ],
)
def test_answers_are_those_that_are_asked_for(looked_at: Path, arm: str, wanted: Wanted) -> None:
    generation = generations(looked_at, arm)[2]
    some = np.arange(len(generation.outcomes)) % 7 == 3  # of which nobody knows
    verdicts = generation.outcomes.verdicts & ~some
    outcomes = replace(generation.outcomes, unknown=some, verdicts=verdicts)
    generation = replace(generation, outcomes=outcomes)
    accepted = set(generation.accepted.tolist())
    expected = [
        i
        for i, outcome in enumerate(generation.outcomes)
        if wanted.right in (None, outcome.verdict)
        and wanted.unknown in (None, outcome.verdict is None)
        and wanted.accepted in (None, i in accepted)
        and wanted.cut_off in (None, not outcome.finished)
        and wanted.unread in (None, any(g.value is None for g in outcome.grades))
        and wanted.disputed in (None, disputed(outcome))
        and wanted.problem in (None, outcome.match.problem)
        and wanted.text in outcome.answer
    ]
    found = listed(generation, wanted, CUT, count=10_000)
    assert found["total"] == len(expected)
    rows = [row["index"] for row in found["rows"]]
    assert set(rows) <= set(expected)
    assert len(rows) == max(0, len(expected) - wanted.first)
    if wanted.order == "index":
        assert rows == expected[wanted.first :]
    if wanted.order in ("score", "grade"):
        values = [-1.0 if r[wanted.order] is None else r[wanted.order] for r in found["rows"]]
        assert values == sorted(values, reverse=True)
    if wanted.order == "disputed":
        peers = generation.outcomes.peer_values()
        spreads = [np.std(peers[i][~np.isnan(peers[i])]) if len(peers[i]) else 0.0 for i in rows]
        assert np.all(np.diff(np.nan_to_num(spreads, nan=-1.0)) <= 1e-12)


def disputed(outcome: Outcome) -> bool:
    """Do some peers' grades accept an answer, and others not?"""
    peers = [one.value for one in outcome.grades if one.grader != outcome.match.author]
    return len({value >= CUT for value in peers if value is not None}) == 2


def test_reliability_is_the_share_right_by_tenths_of_grades(looked_at: Path) -> None:
    generation = generations(looked_at)[1]
    by: dict[int, list[tuple[float, bool]]] = {}
    for outcome in generation.outcomes:
        for grade in outcome.grades:
            if grade.value is not None and grade.grader != outcome.match.author:
                place = min(9, int(grade.value * 10 + 1e-9))
                by.setdefault(place, []).append((grade.value, bool(outcome.verdict)))
    told = reliability(generation)
    assert [bin_["grades"] for bin_ in told] == [len(by[i]) for i in sorted(by)]
    for bin_, place in zip(told, sorted(by), strict=True):
        assert bin_["mean"] == pytest.approx(np.mean([value for value, _ in by[place]]))
        assert bin_["right"] == pytest.approx(np.mean([right for _, right in by[place]]))


def test_an_agent_is_told_with_its_parent_and_who_graded_it(looked_at: Path) -> None:
    course = generations(looked_at)
    seen = 0
    for before, now in pairwise(course):
        for slot, agent in enumerate(now.agents):
            told = agent_told(now, before, agent.id)
            grades = [
                (grade.grader, grade.value)
                for outcome in now.outcomes
                if outcome.match.author == agent.id
                for grade in outcome.grades
            ]
            for one in told["graded_by"]:
                own = [value for grader, value in grades if grader == one["grader"]]
                assert one["grades"] == len(own)
                assert one["mean"] == mean([value for value in own if value is not None])
            assert sum(one["grades"] for one in told["graded_by"]) == len(grades)
            parent = {a.id: a for a in before.agents}[told["parent_told"]]
            assert told["beside"]["digest"] == parent.genome.digest()
            size = len(parent.genome.context) + len(told["gained"]) - len(told["lost"])
            assert size == len(agent.genome.context)
            seen += bool(told["gained"])
            assert told["slot"] == slot
    assert seen


def test_what_is_left_of_a_grid_is_told(looked_at: Path, tmp_path: Path) -> None:
    grid = tmp_path / "grid"
    for name in ("a", "b"):
        shutil.copytree(looked_at, grid / name)
    write_planned(grid, {"a": 5, "b": 5, "c": 7, "deep/d": 3})
    found = [look_at(folder, name) for folder, name in run_folders([tmp_path])]
    begun = {one.folder for one in found}
    assert unbegun([grid], begun) == [("c", 7), ("deep/d", 3)]
    assert unbegun([tmp_path], begun) == [("grid/c", 7), ("grid/deep/d", 3)]
    timed = [
        replace(one, begun=100.0, changed=changed)
        for one, changed in zip(found, (120.0, 150.0), strict=True)
    ]
    assert seconds_left(timed, 20) == pytest.approx(50.0 * 10 / 10)
    assert seconds_left(timed, 10) is None
    assert seconds_left([], 10) is None
    with served(grid) as page:
        told = page.ask("runs")
    assert (told["to_begin"], told["planned"]) == (2, 20)
    assert told["seconds_left"] is not None
    (grid / "cells.json").write_text("[1, 2")
    assert unbegun([grid], begun) == []


def plain_matrix(generation: Generation, cut: float, names: list[int], by: str) -> Any:
    """Mean grades and agreement by grader and author, a grade at a time."""
    label = {agent.id: int(getattr(agent, by)) for agent in generation.agents}
    given: dict[tuple[int, int], list[tuple[float, bool]]] = {}
    for outcome in generation.outcomes:
        for grade in outcome.grades:
            if grade.value is not None:
                cell = label[grade.grader], label[outcome.match.author]
                right = outcome.verdict == (grade.value >= cut)
                given.setdefault(cell, []).append((grade.value, right))
    means = [[mean([v for v, _ in given.get((i, j), [])]) for j in names] for i in names]
    agreement = [[mean([r for _, r in given.get((i, j), [])]) for j in names] for i in names]
    return means, agreement


def mean(values: list[Any]) -> Any:
    return pytest.approx(float(np.mean(values))) if values else None


def test_the_matrix_is_who_grades_whom(looked_at: Path, tmp_path: Path) -> None:
    generation = generations(looked_at)[1]
    found = grading_matrix(generation, 0.6)
    assert found["by"] == "agent"
    assert len(found["names"]) == 12
    assert (found["means"], found["agreement"]) == plain_matrix(
        generation, 0.6, found["names"], "id"
    )
    assert np.trace(np.array(found["counts"])) == 12 * 6  # everybody grades itself too
    size = {"population": {"size": MOST + 8, "generations": 2}, "problems_per_generation": 2}
    many = generations(made_run(tmp_path / "many", **size))[1]
    found = grading_matrix(many, 0.6)
    assert found["by"] == "founder"
    assert len(found["names"]) <= MOST
    rest = [a for a in many.agents if int(a.founder) not in found["names"]]
    assert found["left_out"] == len(rest)
    means, _ = plain_matrix(many, 0.6, found["names"], "founder")
    assert found["means"] == means


def test_an_agent_is_told_beside_its_parent(page: Page, looked_at: Path) -> None:
    first, second = generations(looked_at)[:2]
    for agent in second.agents:
        told = page.ask("agent", run="looked-at", arm="selected", generation=1, agent=agent.id)
        own = [o for o in second.outcomes if o.match.author == agent.id]
        assert told["right"] == sum(o.verdict for o in own)
        assert told["parent"] == agent.parent
        born_now = [b for b in first.births if b.child == agent.id]
        assert told["mutations"] == [name for b in born_now for name in b.mutations]
        parent = next((a for a in first.agents if a.id == agent.parent), None)
        if born_now and parent is not None:
            jittered = parent.genome.sampling_temperature != agent.genome.sampling_temperature
            assert jittered == any("temperature" in line for line in told["changes"])
    assert any(b.mutations for b in first.births)
    status, said = page.refused("agent", run="looked-at", arm="selected", generation=1, agent=999)
    assert (status, said) == (
        404, "agent: expected one of the 12 that answered in generation 1, got 999",
    )  # fmt: skip


def test_a_conversation_has_every_grade(page: Page, looked_at: Path) -> None:
    generation = generations(looked_at, "neutral-drift")[3]
    query = {"run": "looked-at", "arm": "neutral-drift", "generation": 3}
    told = page.ask("conversation", **query, answer=17)
    outcome = generation.outcomes[17]
    assert told["answer"] == outcome.answer
    assert [g["value"] for g in told["grades"]] == [g.value for g in outcome.grades]
    assert [g["own"] for g in told["grades"]] == [False, False, False, True]
    assert page.refused("conversation", **query, answer=72) == (
        404, "answer: expected 0 to 71 in this generation, got 72",
    )  # fmt: skip


def test_a_conversation_says_who_picked_what(looked_at: Path) -> None:
    one = next(iter(read_rounds(looked_at))).committed[0]
    opinions = [Opinion("ann", 2, 0, 1.5), Opinion("b\x1b", None, None, 2.0)]
    asked = Choice(0, 0, 3, "q", ("a", "b", "c"))
    picked = columns_of([(3, asked, 2, opinions), (4, asked, None, opinions[1:])])
    told = [conversation(replace(one, picked=picked), answer)["picks"] for answer in (2, 3, 4)]
    assert told == [
        [],
        [
            {"who": "ann", "it": True, "none": False, "seconds": 1.5},
            {"who": "b\\x1b", "it": False, "none": True, "seconds": 2.0},
        ],
        [{"who": "b\\x1b", "it": False, "none": True, "seconds": 2.0}],
    ]


@pytest.mark.parametrize(
    ("path", "query", "status", "said"),
    [
        ("run", {"run": "other"}, 404, "run: expected one of those that are listed, got 'other'"),
        ("answers", {"generation": "x"}, 400, "generation: expected a whole number, got 'x'"),
        ("answers", {"generation": "9"}, 404, "generation: expected 0 to 4, got 9"),
        ("answers", {"generation": "1" * 40}, 400, "generation: expected a whole number, got"),
        ("answers", {"generation": "1", "arm": "x"}, 404, "arm: expected one of selected, neutral"),
        ("answers", {"generation": "1", "right": "1"}, 400, "right: expected yes or no, got '1'"),
        ("answers", {"generation": "1", "order": "x"}, 400, "order: expected one of index, disp"),
        ("what-if", {"set": "seed=3"}, 400, "seed: expected what selection alone reads"),
        ("what-if", {"set": "protocol.threshold=2"}, 400, "what if:\n  protocol.threshold: expect"),
        ("what-if", {"without": "99"}, 400, "without: expected slots 0 to 11, got 99"),
    ],
)
def test_what_cannot_be_is_refused(
    page: Page, path: str, query: dict[str, str], status: int, said: str
) -> None:
    found = page.refused(path, **{"run": "looked-at", "arm": "selected", **query})
    assert found[0] == status
    assert found[1].startswith(said)


def test_runs_are_listed(looked_at: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["list", str(looked_at)])
    assert done.exit_code == 0, done.output
    _, row = done.output.splitlines()
    assert re.fullmatch(r"looked-at +5 of 5 +ended +\d{4}-\d\d-\d\d \d\d:\d\d +[\d.]+ kB", row)
    done = CliRunner().invoke(main, ["list", str(tmp_path)])
    assert done.exit_code == 1
    assert "expected a run (a folder with manifest.json)" in done.output.replace("\n", " ")
