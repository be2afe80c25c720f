"""`mgptn transcript`: one conversation of a run, as it went."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.compacted import check_conversations
from mgptn.experiments.record.rounds import JOURNAL, read_rounds
from mgptn.experiments.views.printable import visible
from mgptn.population.records.agents import AgentId
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcome
from mgptn.population.records.turns import CRITIQUE, KINDS
from mgptn.protocols.answers.thoughts import thoughts, without_thoughts


def describe_conversation(folder: Path, arm: str, generation: int, answer: int) -> list[str]:
    """Lines of who said what about a problem, with the verifier's word beside each answer.

    Parameters
    ----------
    answer
        Index of the answer in its generation, author-major.

    Raises
    ------
    ConfigError
        If the run has no such arm, generation or answer.
    DroppedError
        If conversations were dropped from its journal.
    """
    check_conversations(folder / JOURNAL)
    found = _generation(folder, arm, generation)
    if not 0 <= answer < len(found.outcomes):
        raise ConfigError(
            f"--answer: expected 0 to {len(found.outcomes) - 1} in this generation, got {answer}"
        )
    outcome = found.outcomes[answer]
    place = f"generation {generation}, problem {outcome.match.problem}"
    return [f"{place}: {_in_line(outcome.query)}", *conversation_lines(outcome, found, answer)]


def _generation(folder: Path, arm: str, index: int) -> Generation:
    arms: dict[str, None] = {}
    last = -1
    for done in read_rounds(folder):
        last = done.index
        for one in done.committed:
            arms[one.arm] = None
            if one.arm == arm and last == index:
                return one.generation
    if last < 0:
        raise ConfigError(f"{folder}: expected a generation that was committed, got none yet")
    if arm not in arms:
        raise ConfigError(f"--arm: expected one of {', '.join(arms) or 'none'}, got {arm!r}")
    raise ConfigError(f"--generation: expected 0 to {last} of this run, got {index}")


def conversation_lines(outcome: Outcome, generation: Generation, index: int) -> list[str]:
    """Lines of who said what on the way to an answer, and of it."""
    match, lines = outcome.match, []
    genomes = {agent.id: agent.genome for agent in generation.agents}

    def name(agent: AgentId) -> str:
        weights = genomes[agent].weights
        return f"agent {agent}" + ("" if weights is None else f" (weights: {weights.told()})")

    for turn in outcome.turns:
        worth = "" if turn.value is None else f", graded {turn.value:.2f}"
        critique = turn.kind == KINDS[CRITIQUE]
        judged = "" if critique else f"  ({told_verdict(turn.verdict)}{worth})"
        lines.append(f"  {turn.kind:10} {_in_line(turn.text)}{judged}")
    answer, thought = outcome.answer, thoughts(outcome.answer)
    if thought:
        answer = without_thoughts(answer).strip()
        lines.append(f"  {'thought':10} {_in_line(thought)}  (counts for nothing)")
    accepted = "accepted" if index in generation.accepted else "not accepted"
    verdict = f"{told_verdict(outcome.verdict)}, {accepted}"
    lines.append(f"  {'answer':10} {_in_line(answer)}  ({verdict}), by {name(match.author)}")
    if outcome.part is not None:
        lines.append(f"  {'of which':10} {_in_line(outcome.part)}  (counts)")
    effects = outcome.order_effects or (None,) * len(outcome.grades)
    for grade, effect in zip(outcome.grades, effects, strict=True):
        said = "could not be read" if grade.value is None else f"{grade.value:.2f}"
        bias = "" if effect is None else f", order effect {effect:+.2f}"
        lines.append(f"  {'grade':10} {said}{bias}, by {name(grade.grader)}")
    if outcome.rating is not None:
        lines.append(f"  {'human':10} {'picked it' if outcome.rating else 'refused them all'}")
    return lines


def told_verdict(right: bool | None) -> str:
    """A verdict in a word or two."""
    return "verdict unknown" if right is None else "right" if right else "wrong"


def _in_line(text: str) -> str:
    return " ⏎ ".join(visible(line) for line in text.splitlines()) or "(nothing)"
