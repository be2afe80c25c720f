"""What weights learn from is what was accepted: programs and tests, proofs, moves; and no other."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.learning.documents import Document, document
from mgptn.agents.learning.learner import pages_of
from mgptn.agents.requests import Learn, Tile, TileReply
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.rounds import JOURNAL, read_rounds
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.founders import train_founders
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.generation import Generation

TINY = {
    "layers": 1,
    "width": 32,
    "heads": 2,
    "documents": 32,
    "rate": 0.01,
    "offsets": 0,
    "count": 2,
}
CODERS: dict[str, Any] = {
    "task": {"name": "code-and-tests", "size": 2},
    "agents": {"founders": {"task": "code-and-tests", "sizes": "2-2", "steps": 100, **TINY}},
    "protocol": {"name": "code-and-tests", "graders": 2, "threshold": 0.5},
}
PROVERS: dict[str, Any] = {
    "task": {"name": "proofs", "size": 4},
    "agents": {"founders": {"task": "proofs", "sizes": "4-4", "steps": 150, **TINY}},
    "protocol": {"name": "majority", "graders": 2},
    "selector": "oracle",  # the checker's word
}
BOTH = {"code-and-tests": CODERS, "proofs": PROVERS}


class Learning(LocalFleet):
    """A host in this process, and what it was given to learn, by generation."""

    lessons: list[Learn]

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        self.lessons += [one for tile in tiles for one in tile.requests if isinstance(one, Learn)]
        return super().run(tiles)


def learned_documents(asked: Learn) -> set[Document]:
    """The documents of a lesson, without what they are filled up with."""
    pages, found = pages_of(asked), set()
    flat = pages.tokens.reshape(-1, pages.tokens.shape[-1])
    for tokens, taught in zip(flat, pages.taught.reshape(flat.shape), strict=True):
        places = np.flatnonzero(taught)
        assert np.array_equal(places, np.arange(places[0], places[-1] + 1))
        found.add(Document(tuple(tokens[: places[-1] + 1].tolist()), int(places[0])))
    return found


def accepted_documents(generation: Generation, stage: Stage) -> list[set[Document]]:
    """By agent, what its accepted answers are as documents."""
    script = next(iter(stage.scripts.values()))
    outcomes, found = generation.outcomes, [set() for _ in generation.agents]
    for answer in generation.accepted.tolist():
        query = outcomes.queries[outcomes.matches.asked[answer]]
        text = outcomes.texts[outcomes.answers[answer]]
        author = answer // len(outcomes.queries)
        found[author].add(document(script.interface, script.encoder, query, text))
    return found


@pytest.mark.parametrize("memory", ["accumulate", pytest.param("replace", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", BOTH)
def test_documents_are_exactly_what_was_accepted_and_a_killed_run_learns_the_same(
    kind: str, memory: str, tmp_path: Path
):
    """In 256 draws from at most 24 documents one is left out with a probability below 1e-3."""
    learning = {"method": "full", "steps": 2, "documents": 128, "rehearsal": 0, "memory": memory}
    given = BOTH[kind]
    config = check_config(
        {
            **given,
            "name": "accepting",
            "population": {"size": 3, "generations": 3, "selection": {"process": "none"}},
            "agents": {**given["agents"], "learning": learning, "context_capacity": 0},
            "hosts": {"count": 1, "device": "cpu", "slots": 16},
            "problems_per_generation": 8,
            "metrics": {"port": 0},
        }
    )
    list(train_founders(config))
    stage = Stage(config)
    fleet = Learning(stage.host_settings("cpu"))
    session = Session.create(tmp_path / "run", config, (SELECTED,), stage, "cpu")
    lessons = []
    while not session.finished:
        fleet.lessons = []
        advance([session], fleet)
        lessons.append(fleet.lessons)
    whole = session.end()
    session.close()
    known: list[set[Document]] = [set() for _ in range(3)]
    taught = 0
    for done, asked in zip(read_rounds(tmp_path / "run"), lessons, strict=True):
        generation = done.committed[0].generation
        new = accepted_documents(generation, stage)
        known = new if memory == "replace" else [a | b for a, b in zip(known, new, strict=True)]
        expected = [all_of for all_of, own in zip(known, new, strict=True) if own]
        assert [learned_documents(one) for one in asked] == expected
        assert [content is not None for content in generation.learned or [None] * 3] == [
            bool(own) for own in new
        ]
        taught += len(asked)
        if kind == "proofs":
            assert all(generation.outcomes.verdicts[generation.accepted])
    assert taught >= 3
    again = Session.create(tmp_path / "killed", config, (SELECTED,), stage, "cpu")
    advance([again], fleet)
    again.close()
    with Journal.reopen(tmp_path / "killed" / JOURNAL) as journal:
        carried = Session.reopen(tmp_path / "killed", config, (SELECTED,), stage, journal)
        while not carried.finished:
            advance([carried], fleet)
        assert carried.end() == whole
