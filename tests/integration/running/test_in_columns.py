"""Generations in columns: the tiles, outcomes and population that conversations one by one make."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import pytest

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.column_step import ColumnPlay, plays_in_columns
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.loop.side_by_side import play_together
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.columns import differing

COUNTS = ("answer_requests", "grade_requests", "tiles")


def small(**sections):
    """Two generations of five agents, whose contexts fill."""
    data = {
        "name": "small",
        "agents": {"model": "gpt-1", "context_capacity": 3},
        "population": {"size": 5, "generations": 2},
        "protocol": {"graders": 2, "grader_context": "own"},
        "problems_per_generation": 4,
    }
    for name, section in sections.items():
        data[name] = {**data[name], **section} if isinstance(section, dict) else section
    return check_config(data)


RUNS = {
    "own contexts": small(),
    "empty contexts, digits": small(protocol={"grader_context": "empty", "question": "digits"}),
    "the population's examples": small(protocol={"grader_context": "shared"}),
    "personas, yes or no": small(
        agents={"personas": ["careful", "careless"]}, protocol={"question": "yes-no"}
    ),
    "labels of its own": small(protocol={"name": "chaining"}),
    "a level that is wanted": small(protocol={"name": "score-conditioned", "wanted": 3}),
    "itself": small(protocol={"name": "self-survey"}),
    "few-shot text": small(agents={"interface": "base", "context_capacity": 2}),
    "two models": small(agents={"model": "gpt-1,gpt-2"}),
}


def played(kind, simulation):
    """A generation by one kind of play: its tiles, and what is committed."""
    arm, tournament, stage = simulation.arm, simulation.tournament, simulation.stage
    play = kind(arm, tournament, stage, simulation.numbers)
    tiles = play.plan().tiles
    play = kind(arm, tournament, stage, simulation.numbers)
    play_together([play], simulation.fleet)
    return tiles, play.finish()


@pytest.mark.parametrize("name", RUNS)
def test_columns_make_the_generations_that_conversations_make(name):
    stage = Stage(RUNS[name])
    one = Simulation(RUNS[name], stage=stage)
    other = Simulation(RUNS[name], stage=stage, fleet=one.fleet)
    for _ in range(2):
        assert plays_in_columns(stage, other.tournament)
        (tiles, spoken), (same, told) = played(HostedPlay, one), played(ColumnPlay, other)
        assert tiles == same
        assert not differing(spoken.generation.outcomes, told.generation.outcomes)
        assert spoken.generation.outcomes.texts  # the order of tables is the same as well
        assert not differing(spoken.generation, told.generation)
        assert [spoken.counters[c] for c in COUNTS] == [told.counters[c] for c in COUNTS]


def test_a_layout_that_mixes_a_prompts_parts_is_laid_out_whole():
    """As a chat is, where what is shared is found by laying out the whole."""
    config = RUNS["own contexts"]
    stage = Stage(config)
    layout = type(stage.script.interface)

    class Mixed(layout):
        def grade_prompt(self, asked):
            made = super().grade_prompt(asked)
            return replace(made, prefix=made.prefix[:-1], suffix=made.prefix[-1:] + made.suffix)

    mixed = replace(stage.script, interface=Mixed(stage.script.interface.wording))
    stage.scripts = {name: mixed for name in stage.scripts}
    one = Simulation(config, stage=stage)
    other = Simulation(config, stage=stage, fleet=one.fleet)
    for _ in range(2):
        (_, spoken), (_, told) = played(HostedPlay, one), played(ColumnPlay, other)
        assert not differing(spoken.generation, told.generation)


def test_replies_are_read_as_they_come_in_whatever_the_order():
    config = RUNS["own contexts"]
    simulation = Simulation(config)
    stage, fleet = simulation.stage, simulation.fleet
    ended = []
    for order in (1, -1, 0):
        play = ColumnPlay(simulation.arm, simulation.tournament, stage, simulation.numbers)
        while play.asks:
            planned = play.plan()
            replies = fleet.run(planned.tiles)
            # In order, backwards, and some only when all are there.
            heard = list(enumerate(replies))[::order] if order else [(0, replies[0])]
            for tile, reply in heard:
                play.hear(tile, reply)
            play.answer(planned, replies)
        ended.append(play.ended())
    assert not differing(ended[0], ended[1])
    assert not differing(ended[0], ended[2])


@pytest.mark.parametrize(
    "sections",
    [
        {"protocol": {"name": "best-of-n"}},
        {"protocol": {"reading": "sampled"}},
        {"population": {"adversaries": {"flatterer": 0.4}}},
    ],
)
def test_what_columns_do_not_say_is_played_by_conversations(sections):
    config = small(**sections)
    simulation = Simulation(config)
    assert not plays_in_columns(simulation.stage, simulation.tournament)
