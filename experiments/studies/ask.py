"""`mgptn ask`: one answer and one grade, with every word that the model sees."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.requests import AnyRequest, Generate, Generated, Score
from mgptn.agents.texts import Written
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.loop.probing import (
    Item,
    Probe,
    first_answer,
    grades,
    other_wordings,
    probe,
    probe_items,
)
from mgptn.experiments.seats.asking import Script
from mgptn.experiments.seats.reading import from_host
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.doing import doing
from mgptn.experiments.views.transcript import told_verdict
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.messages import AnswerReply, AnswerRequest, grader_seat

PROBED = 8
"""Problems on which ways to ask for grades are held side by side, if nothing else is said."""


def ask(
    config: RunConfig, problem: int = 0, *, others: bool = True, items: int = PROBED
) -> Iterator[str]:
    """Lines of what the first model is asked and says, as they come.

    Parameters
    ----------
    problem
        Which of the first generation's.
    others
        Whether other ways to ask for grades are tried too.
    items
        On so many of the first generation's problems.

    Raises
    ------
    ConfigError
        If there is no such problem, or the agents have no model.
    """
    with doing(f"reading and loading {config.agents.said}"):
        stage = Stage(config)
        if stage.scripted is not None:
            raise ConfigError(
                f"agents.model: expected a model to ask, got {config.agents.model!r}, which is none"
            )
        asked = stage.problems[0]
        if not 0 <= problem < len(asked):
            raise ConfigError(f"--problem: expected 0 to {len(asked) - 1}, got {problem}")
        fleet = stage.local_fleet()
    model, script = next(iter(stage.scripts.items()))
    item = Item(asked[problem], asked[problem].reference, True)
    yield from _answer(stage, fleet, model, script, item)
    yield from _grade(stage, fleet, model, script, item)
    if others:
        yield ""
        yield from _others(stage, fleet, model, script, items)


def _answer(stage: Stage, fleet: Fleet, model: str, script: Script, item: Item) -> Iterator[str]:
    request, reply = first_answer(stage, fleet, model, item.problem)
    assert isinstance(reply, Generated | Written)
    yield f"What {model} is asked ({script.interface.name}, at most {script.max_tokens} tokens):"
    yield from _prompt(request, script)
    said = from_host(reply, AnswerRequest(grader_seat(0), item.problem.query), script)
    assert isinstance(said, AnswerReply)
    if isinstance(reply, Written):
        yield f"What it says ({reply.tokens} tokens, {'ended' if reply.finished else 'cut off'}):"
        yield from _indented(reply.text)
    else:
        yield f"What it says ({len(reply.tokens)} tokens, ended by: {reply.reason}):"
        yield from _indented(script.encoder.written(reply.tokens))
    (right,) = stage.verifier(script.task, [(item.problem.query, said.text)])
    verdict = told_verdict(right)
    counts = "" if said.part is None else f"; of it counts {said.part!r}"
    yield f"  = {verdict}{counts}; a right answer is {item.problem.reference!r}"


def _grade(stage: Stage, fleet: Fleet, model: str, script: Script, item: Item) -> Iterator[str]:
    layout, likely = script.interface, script.by_answering
    asked = Asked(item.problem.query, item.answer)
    if likely:
        asked = replace(asked, examples=script.shots, instruction=script.instruction)
        prompt, said = layout.answer_prompt(asked), layout.said(item.answer)
        told = "How likely a grader would have given the right answer itself"
    else:
        prompt, said = layout.grade_prompt(replace(asked, shots=script.graded_shots)), ""
        told = f"What a grader is asked of the right answer ({script.reading})"
    yield ""
    yield f"{told}:"
    yield from _indented(prompt.prefix + prompt.suffix + said)
    (graded,) = grades(stage, fleet, model, [item], script)
    if graded.levels is None:
        yield "  = a grade that could not be read"
        return
    wording = layout.wording
    shares = ", ".join(
        f"{option} {graded.levels[level]:.3f}"
        for option, level in zip(wording.options, wording.levels, strict=True)
    )
    mass = "" if graded.mass is None else f"; the options have {graded.mass:.3g} together"
    yield f"  = {f'{graded.levels[-1]:.3f}' if likely else shares}{mass}"


def _others(stage: Stage, fleet: Fleet, model: str, script: Script, problems: int) -> Iterator[str]:
    items = probe_items(stage, problems)
    yield f"Ways to ask for grades, on {len(items)} answers, half of them right:"
    yield "  wording       mass    AUC"
    ways = {"(configured)": script, **other_wordings(stage, model)}
    for name, way in ways.items():
        found = replace(probe(stage, fleet, model, items, way), name=name)
        yield f"  {_row(found)}"


def _row(one: Probe) -> str:
    mass = "    –" if math.isnan(one.mass) else f"{one.mass:5.3f}"
    return f"{one.name:12}  {mass}  {one.auc:5.2f}"


def _prompt(request: AnyRequest, script: Script) -> Iterator[str]:
    """A prompt with its control tokens, as the model reads it; or as its server is told it."""
    if not isinstance(request, Generate | Score):
        said = request.prompt
        for role, text in said.turns or (("text", said.text),):
            yield from _indented(f"[{role}] {text}")
        return
    tokens = request.prefix + request.suffix
    yield from _indented(script.encoder.written(tokens))
    if isinstance(request, Score):
        yield f"  options: {[script.encoder.written(option) for option in request.options]}"


def _indented(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield f"  | {line}"
