"""Prompts that a page lays out again are those that hosts were sent."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.seats.asking import asked_to_answer
from mgptn.experiments.setting.same_ground import make_manifest
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.watching.prompts import Prompts
from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from tests.integration.watching.conftest import Page

CONTEXT = (Example("17+25=", "240", 4), Example("11+22=", "330"))


@pytest.mark.parametrize(
    ("changes", "persona"),
    [
        ({}, None),
        ({"task": {"name": "addition", "shots": 3}}, "careful"),
        ({"task": {"name": "addition", "growth": {"from": 2, "largest": 3}}}, None),
        ({"agents": {"model": "gpt-1/0", "interface": "base", "context_capacity": 2}}, "Be new."),
    ],
)
def test_as_the_run_lays_them_out(changes: dict[str, Any], persona: str | None) -> None:
    config = check_config({"name": "told", "agents": {"model": "gpt-3/0"}, **changes})
    stage = Stage(config)
    genome = Genome(config.agents.model, 1.0, context=CONTEXT, persona=persona)
    agent = Agent(AgentId(0), genome, None, AgentId(0), -1)
    prompt = stage.script.interface.answer_prompt(asked_to_answer("12+13=", agent, stage.script))
    prompts = Prompts(config, make_manifest(config, ("selected",), stage, "cpu"))
    assert prompts.answering(genome, "12+13=") == {"text": prompt.prefix + prompt.suffix}


def test_why_it_is_not_known_is_told() -> None:
    config = check_config({"name": "told"})
    prompts = Prompts(config, {"task_file": None})
    told = prompts.answering(Genome("org/model", 1.0), "1+1=")
    assert "expected a bundled model, or a folder of this machine" in told["why"]
    other = Prompts(config, {"task_file": "another"})
    assert "file of questions" in other.answering(Genome("gpt-3/0", 1.0), "1+1=")["why"]


def test_a_page_says_so_of_agents_without_a_model(page: Page) -> None:
    told = page.ask("prompt", run="looked-at", arm="selected", generation=0, answer=0)
    assert told == {"why": "These agents have no model: nothing is said to them."}
    status, why = page.refused("prompt", run="looked-at", arm="selected", generation=0, answer=99)
    assert (status, why) == (404, "answer: expected 0 to 71 in this generation, got 99")
