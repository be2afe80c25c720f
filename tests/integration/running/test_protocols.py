"""Every protocol on a real model: by the command, again bit for bit, and in other layouts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.config.sections.plugins import protocols
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.protocol import ProtocolOptions
from mgptn.protocols.table import PROTOCOLS
from tests.random_models import chatting, random_qwen3

QUICKSTART = Path(__file__).parents[3] / "experiments" / "configs" / "quickstart.yaml"
SMALL = {
    "population.size": 4,
    "population.generations": 2,
    "protocol.graders": 2,
    "agents.context_capacity": 4,
    "problems_per_generation": 3,
    "hosts.count": 1,
    "metrics.port": 0,
}
NAMES = tuple(name for name, one in PROTOCOLS.items() if not one.tasks)
"""Protocols for any task; those for one are tried with it elsewhere."""

CHAT_LIKE = ("survey", "pairwise", "critique-revise", "debate", "score-conditioned", "chaining")


def mgptn(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def small(changes: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"name": "small"}
    for path, value in {**SMALL, **changes}.items():
        *sections, leaf = path.split(".")
        here = data
        for section in sections:
            here = here.setdefault(section, {})
        here[leaf] = value
    return data


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [f"Question: {a}+{b}=\nAnswer: {a + b}\n" for a in range(30) for b in range(9)]
    return random_qwen3(tmp_path_factory.mktemp("models") / "qwen3", texts)


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory: pytest.TempPathFactory, random_model: Path) -> Path:
    return chatting(random_model, tmp_path_factory.mktemp("models") / "chat")


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("ray_address")
@pytest.mark.parametrize(
    "names", [("critique-revise",), pytest.param(NAMES, marks=pytest.mark.slow)]
)
def test_each_protocol_runs_by_its_name_and_is_replayed(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    settings = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]
    for name in names:
        folder = tmp_path / name
        chosen = ("--set", f"protocol.name={name}", "--no-controls", "--out", folder)
        for task in PROTOCOLS[name].tasks[:1]:
            chosen = ("--set", f"task={task}", *chosen)
        done = mgptn("run", QUICKSTART, *settings, *chosen)
        assert done.exit_code == 0, (name, done.output)
        assert "confirmed" in mgptn("replay", folder).output, name
        assert name in (folder / "report.html").read_text()
        answers = pl.read_parquet(folder / "answers.parquet")
        assert len(answers) == 2 * 4 * 3
        seating = PROTOCOLS[name].seating(ProtocolOptions(graders=2))
        each = {"peers": 2, "self": 1, "nobody": 0}[seating]
        assert len(pl.read_parquet(folder / "grades.parquet")) == each * len(answers), name
        turns = pl.read_parquet(folder / "turns.parquet")
        kinds = {
            "pairwise": {"rival"},
            "critique-revise": {"draft", "critique"},
            "debate": {"draft", "rival"},
            "best-of-n": {"candidate"},
            "cherry-pick": {"candidate"},
        }.get(name, set())
        assert set(turns["kind"]) == kinds, name
        assert turns.filter(pl.col("kind") == "critique")["verdict"].null_count() == len(
            turns.filter(pl.col("kind") == "critique")
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_is_the_same_bit_for_bit_beside_others_and_alone(
    name: str, local_fleet: Any
) -> None:
    task = {"task": {"name": PROTOCOLS[name].tasks[0]}} if PROTOCOLS[name].tasks else {}
    config = check_config(small({"protocol.name": name, **task}))
    once, again = (list(Simulation(config, fleet=local_fleet)) for _ in range(2))
    assert once == again
    other = check_config(small({"protocol.name": name, "seed": 1, **task}))
    assert next(iter(Simulation(other, fleet=local_fleet))).digest != once[0].digest


def test_an_answer_is_computed_once_though_many_hear_it(local_fleet: Any) -> None:
    """A rival's answer is the one that it gives as an author, in every conversation."""
    config = check_config(small({"protocol.name": "pairwise"}))
    (first, *_) = Simulation(config, fleet=local_fleet)
    outcomes = first.outcomes
    own = {(o.match.author, o.match.problem): o.answer for o in outcomes}
    for outcome in outcomes:
        (rival,) = outcome.match.partners
        assert outcome.turns[0].text == own[rival, outcome.match.problem]
        assert rival not in (outcome.match.author, *outcome.match.graders)


def test_what_chaining_feeds_back_are_its_own_labels(local_fleet: Any) -> None:
    config = check_config(small({"protocol.name": "chaining"}))
    first, second = Simulation(config, fleet=local_fleet)
    labels = {(o.query, o.answer): o.grades[0].value for o in first.outcomes}
    assert len(first.accepted) == len(first.outcomes)
    for agent in second.agents:
        assert len(agent.genome.context) > 0
        for example in agent.genome.context:
            label = labels[example.query, example.answer]
            assert example.level == int(np.floor(4 * label + 0.5))


@pytest.mark.parametrize(("entry", "levels"), [("plain", {None}), ("stamped", {4})])
def test_what_enters_a_context_is_a_setting(
    entry: str, levels: set[int | None], local_fleet: Any
) -> None:
    config = check_config(small({"agents.context_entry": entry}))
    (first, _) = Simulation(config, fleet=local_fleet)
    shown = [example for agent in first.survivors for example in agent.genome.context]
    assert shown
    assert {example.level for example in shown} == levels


@pytest.mark.parametrize("context", ["own", "shared"])
def test_a_graders_context_changes_its_grades(context: str, local_fleet: Any) -> None:
    empty, other = (
        list(Simulation(check_config(small({"protocol.grader_context": c})), fleet=local_fleet))
        for c in ("empty", context)
    )
    assert empty[0] == other[0]  # founders have nothing to see
    assert not np.array_equal(empty[1].outcomes.grade_values(), other[1].outcomes.grade_values())


def test_a_persona_is_inherited_and_changes_what_is_said(local_fleet: Any) -> None:
    config = check_config(small({"agents.personas": ["careful", "careless"]}))
    first, _ = Simulation(config, fleet=local_fleet)
    assert [a.genome.persona for a in first.agents] == ["careful", "careless"] * 2
    personas = {agent.id: agent.genome.persona for agent in first.agents}
    for birth in first.births:
        child = next((a for a in first.survivors if a.id == birth.child), None)
        assert child is None or child.genome.persona == personas[birth.parent]
    assert first.digest != next(iter(Simulation(check_config(small({})), fleet=local_fleet))).digest


@pytest.mark.parametrize("reading", ["logits", "sampled"])
@pytest.mark.parametrize("question", ["words", "digits", "yes-no"])
def test_every_question_can_be_read_and_sampled(
    question: str, reading: str, local_fleet: Any
) -> None:
    changes = {"protocol.question": question, "protocol.reading": reading}
    first = next(iter(Simulation(check_config(small(changes)), fleet=local_fleet)))
    levels = first.outcomes.levels
    assert np.allclose(levels.sum(axis=1), 1.0)
    if question == "yes-no":
        assert not levels[:, 1:4].any()
    if reading == "sampled":
        assert set(np.unique(levels)) <= {0.0, 1.0}
    if (question, reading) == ("digits", "sampled"):
        assert (first.outcomes.grades < 0).any()  # what is no digit is no grade


@pytest.mark.parametrize("name", CHAT_LIKE)
@pytest.mark.parametrize("layout", ["base", "chat"])
def test_other_layouts_carry_every_kind_of_request(
    name: str, layout: str, random_model: Path, chat_model: Path
) -> None:
    model = chat_model if layout == "chat" else random_model
    changes = {
        "protocol.name": name,
        "agents.model": str(model),
        "agents.interface": layout,
        "agents.personas": ["You check every step."],
        "agents.context_capacity": 2,
        "population.generations": 1,
        "problems_per_generation": 2,
    }
    config = check_config(small(changes))
    stage = Stage(config)
    (first,) = Simulation(config, stage=stage, fleet=LocalFleet(stage.host_settings("cpu")))
    assert len(first.outcomes) == 8


def test_a_chat_tells_no_level_after_an_answer_to_learn(chat_model: Path) -> None:
    """It tells one before it, as a base model's layout does on either side."""
    changes = {
        "agents.model": str(chat_model),
        "agents.context_capacity": 0,
        "agents.learning.method": "full",
    }
    for layout, entry in (("chat", "before"), ("base", "before"), ("base", "after")):
        Stage(
            check_config(
                small(changes | {"agents.interface": layout, "agents.learning.entry": entry})
            )
        )
    refused = small(changes | {"agents.interface": "chat", "agents.learning.entry": "after"})
    said = "agents.learning.entry: expected a layout that can write a level after .* got chat,"
    with pytest.raises(ConfigError, match=said):
        Stage(check_config(refused))


def test_a_chat_needs_a_template(random_model: Path) -> None:
    changes = {"agents.model": str(random_model), "agents.interface": "chat"}
    with pytest.raises(ConfigError, match="expected a model whose tokenizer has a chat template"):
        Stage(check_config(small(changes)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol.graders": 3, "protocol.name": "pairwise"}, "− 1 who take part = 2"),
        ({"protocol.name": "surveys"}, "did you mean survey"),
        ({"protocol.name": "debate", "protocol.turns": 0}, "protocol.turns: expected"),
        ({"protocol.name": "best-of-n", "protocol.draws": 1}, "protocol.draws: expected"),
        ({"protocol.wanted": 6}, "protocol.wanted: expected"),
        ({"protocol.question": "smileys"}, "protocol.question"),
        (
            {"protocol.question": {"question": "?", "lead": "", "options": ["a"], "levels": [1]}},
            "protocol.question",
        ),
    ],
)
def test_a_bad_setting_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_config(small(changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agents.personas": ["sly"]}, "persona: expected one of careful, careless, got 'sly'"),
        (
            {
                "protocol.question": {
                    "question": "Fine?", "lead": "It is", "options": ["bad", "fine"],
                    "levels": [1, 5],
                }
            },
            "with the ladder's layout, which has no words, got 'own'",
        ),
        ({"agents.model": "scripted", "protocol.name": "debate"}, "protocol.name: expected survey"),
        ({"agents.context_capacity": 40}, "agents.context_capacity: expected examples that fit"),
    ],
)  # fmt: skip
def test_what_a_model_cannot_do_is_refused_before_any_work(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Stage(check_config(small(changes)))


def most_examples(name: str) -> int:
    """How many examples would fit, by what a refusal says."""
    task = {"name": "composition", "size": 2}
    changes = {"task": task, "agents.context_capacity": 99, "protocol.name": name}
    with pytest.raises(ConfigError, match="at most") as caught:
        Stage(check_config(small(changes)))
    return int(re.search(r"at most (\d+) would fit", str(caught.value))[1])


def test_what_a_conversation_needs_beside_the_context_is_counted() -> None:
    """A comparison shows two answers and a debater hears another's: both need more room."""
    room = {name: most_examples(name) for name in ("survey", "self-survey", "pairwise", "debate")}
    assert room["self-survey"] == room["survey"] > room["pairwise"] == room["debate"]


def test_own_words_are_asked_of_a_model_that_has_words(random_model: Path) -> None:
    words = {"question": "Fine?", "lead": "It is", "options": ["bad", "fine"], "levels": [1, 5]}
    changes = {"agents.model": str(random_model), "protocol.question": words}
    script = Stage(check_config(small(changes))).script
    assert script.interface.grade_prompt(Asked("1+1=", "2")).suffix.endswith("Fine?\nIt is")
    assert script.interface.wording.distribution((0.25, 0.75)) == (0.25, 0.0, 0.0, 0.0, 0.75)


def test_the_protocols_are_listed_in_a_line_each() -> None:
    lines = mgptn("protocols").output.splitlines()
    assert [line.split()[0] for line in lines] == list(protocols())
