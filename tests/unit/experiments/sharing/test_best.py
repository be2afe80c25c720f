from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.setting.tasks import make_task
from mgptn.experiments.sharing.best import best_of
from mgptn.experiments.sharing.formats import export_best
from mgptn.population.records.agents import AgentId, Birth, Example
from mgptn.population.records.generation import Generation
from tests.shared_run import CONFIG, write_made_up
from tests.synthetic import synthetic_run


def last(**changes: object) -> Generation:
    """The last of some made-up generations, of which six agents answered."""
    (*_, one), _ = synthetic_run(arms=("selected",))
    return replace(one.generation, **changes)


def test_the_highest_fitness_wins_whatever_the_verdicts_say() -> None:
    generation = last()
    everybody = generation.agents
    fitness = np.array([0.1, 0.2, 0.9, 0.3, 0.9, math.nan])
    verdicts = generation.outcomes.verdicts.reshape(6, -1).copy()
    verdicts[2], verdicts[4], verdicts[5] = False, True, True
    outcomes = replace(generation.outcomes, verdicts=verdicts.ravel())
    best = best_of(
        replace(generation, fitness=fitness, survivors=everybody, births=(), outcomes=outcomes)
    )
    assert best.agent == everybody[2]  # the older of two that are equal, and all wrong
    assert (best.measured, best.fitness, best.right) == (everybody[2].id, 0.9, 0.0)


def test_a_child_stands_for_its_parent_and_mutants_come_last() -> None:
    generation = last()
    fit, unfit, *_ = generation.agents
    fitness = np.array([0.9, *(0.1,) * 5])
    ids = [AgentId(100 + i) for i in range(3)]
    births = (
        Birth(ids[0], fit.id, ("drop", "jitter")),
        Birth(ids[1], fit.id, ("swap",)),
        Birth(ids[2], ids[1], ()),  # of a child, in the same generation
    )
    children = [replace(fit, id=one, parent=fit.id, born=3) for one in ids]
    alive = (unfit, children[0], children[2])
    best = best_of(replace(generation, fitness=fitness, births=births, survivors=alive))
    assert (best.agent.id, best.measured, best.mutations) == (ids[2], fit.id, ("swap",))


def test_without_any_fitness_nobody_is_best() -> None:
    with pytest.raises(ConfigError, match="--best: expected agents with a fitness in generation 3"):
        best_of(last(fitness=np.full(6, math.nan)))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Whose best agent has a persona, a temperature, and examples, one of them with a level."""
    committed, _ = synthetic_run(arms=("selected", "unselected"))
    one = committed[-2]
    best = best_of(one.generation).agent
    shown = (Example("Two and two?", "four"), Example("One {more}?", "five", level=3))
    genome = replace(best.genome, persona="A clerk", sampling_temperature=0.7, context=shown)
    survivors = tuple(
        replace(agent, genome=genome) if agent.id == best.id else agent
        for agent in one.generation.survivors
    )
    told = replace(one, generation=replace(one.generation, survivors=survivors))
    return write_made_up(tmp_path / "run", [*committed[:-2], told, committed[-1]])


def test_the_best_agent_is_written_as_a_prompt(run: Path, tmp_path: Path) -> None:
    said, _ = export_best(run, tmp_path / "best")
    plain = json.loads((tmp_path / "best/agent.json").read_text())
    assert plain["chosen"] in said
    assert "chosen by fitness, not by verdict" in said
    assert (plain["persona"], plain["sampling_temperature"]) == ("A clerk", 0.7)
    assert plain["examples"] == [
        {"question": "Two and two?", "answer": "four"},
        {"question": "One {more}?", "answer": "five", "level": 3},
    ]
    roles = [message["role"] for message in plain["messages"]]
    assert roles == ["system", *("user", "assistant") * 3, "user"]  # the level is asked for, too
    assert plain["messages"][0]["content"] == "A clerk"
    assert plain["messages"][-1]["content"] == "{question}"
    text = (tmp_path / "best/prompt.txt").read_text()
    assert text.startswith("Question: Two and two?\nAnswer: four\n")
    assert text.endswith("A clerk\nQuestion: {question}\nAnswer:")
    assert plain["weights"] is None
    assert sorted(p.name for p in (tmp_path / "best").iterdir()) == ["agent.json", "prompt.txt"]


def test_an_arm_that_is_not_there_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--arm: expected one of selected, unselected, got 'sel'"):
        export_best(run, tmp_path / "best", "sel")
    assert not (tmp_path / "best").exists()
    said, _ = export_best(run, tmp_path / "best", "unselected")
    assert "highest of arm unselected" in said


def test_what_everybody_is_shown_belongs_to_the_prompt(tmp_path: Path) -> None:
    task = {"name": "addition", "size": 2, "shots": 2, "instruction": "Say it in short."}
    run = write_made_up(tmp_path / "run", synthetic_run(("selected",), 1)[0], task=task)
    export_best(run, tmp_path / "best")
    plain = json.loads((tmp_path / "best/agent.json").read_text())
    addition = make_task(check_config(CONFIG | {"task": task}).task).task
    assert len(plain["shots"]) == 2
    assert all(addition.verify(shown["question"], shown["answer"]) for shown in plain["shots"])
    first, second, *_, last = plain["messages"]
    assert (first["content"], second["content"]) == tuple(plain["shots"][0].values())
    assert last["content"] == "{question}\n\nSay it in short."
    text = (tmp_path / "best/prompt.txt").read_text()
    assert text.startswith(f"Question: {first['content']}\n")
    assert text.endswith("Say it in short.\nQuestion: {question}\nAnswer:")
