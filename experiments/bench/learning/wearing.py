"""What it costs a host to wear many agents' weights in turn."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate
from mgptn.agents.tiles import plan_mixed
from mgptn.experiments.bench.engine.comparison import Comparison, Ways, interleaved
from mgptn.experiments.bench.learning.subject import Subject
from mgptn.population.records.weights import Weights

NEW, HELD = "ours", "numbers held by the host"
BARE, TOGETHER = "bare founder", "bare founder, all at once"

Worn = Sequence[Weights | None]


def wearing(subject: Subject, repeats: int) -> Comparison:
    """Answers of agents whose weights are worn in turn, beside as many of the founder itself.

    Ours are as after a generation that has learned: the host is yet to load each agent's numbers.
    The bare founder answers an agent's questions after another's, in tiles of the same shapes; or
    all in one plan.
    """
    host = TransformersHost(subject.host_settings())
    agents = range(subject.scale.agents)
    questions = [subject.questions(agent) for agent in agents]
    together = [[request for own in questions for request in own]]
    turns = count()

    def new() -> None:
        turn = next(turns)
        _answer(subject, host, [subject.anew(agent, turn) for agent in agents], questions)

    def answer(worn: Worn, asked: list[list[Generate]]) -> Callable[[], None]:
        return lambda: _answer(subject, host, worn, asked)

    ways: Ways = {
        NEW: new,
        HELD: answer(subject.weights, questions),
        BARE: answer([None] * len(agents), questions),
        TOGETHER: answer([None], together),
    }
    return Comparison(
        f"{len(agents)} agents answer",
        len(together[0]),
        "answers",
        interleaved(ways, repeats, subject.device),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A change of weights alone: seconds of each repeat, an agent."""

    anew: list[float]
    held: list[float]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        said = []
        for seconds, what in ((self.anew, "loaded anew"), (self.held, "that are held")):
            low, middle, high = (1e3 * f(seconds) for f in (min, statistics.median, max))
            said.append(f"{middle:.2f} ms ({low:.2f} to {high:.2f}) to numbers {what}")
        return f"A change of weights by itself takes {', '.join(said)}."


def change(subject: Subject, repeats: int) -> Change:
    """What the difference in answers is made of, too short to be seen there."""
    from mgptn.agents.learning.wardrobe import Wardrobe

    wardrobe, agents = Wardrobe(subject.model()), range(subject.scale.agents)
    turns = count()

    def anew() -> None:
        turn = next(turns)
        for agent in agents:
            wardrobe.wear(subject.anew(agent, turn), subject.numbers)

    def held() -> None:
        for weights in subject.weights:
            wardrobe.wear(weights, subject.numbers)

    seconds = interleaved({"anew": anew, "held": held}, repeats, subject.device)
    return Change(**{n: [s / len(agents) for s in spent] for n, spent in seconds.items()})


def _answer(
    subject: Subject,
    host: TransformersHost,
    worn: Worn,
    questions: Sequence[Sequence[Generate]],
) -> None:
    """Every agent's questions in a plan of their own, from an empty cache of prefixes."""
    host.forget_prefixes()
    for weights, own in zip(worn, questions, strict=True):
        asked = [((subject.checkpoint.weights, weights), request) for request in own]
        for tile in plan_mixed(asked, subject.scale.answers, subject.numbers).tiles:
            run_tile(host, tile)
