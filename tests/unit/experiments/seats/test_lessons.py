"""What agents learn, as requests: what is rehearsed beside it, and in which layout."""

# SPDX-License-Identifier: Apache-2.0

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.learning.learner import pages_of
from mgptn.agents.requests import Learn
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import character_tokenizer
from mgptn.experiments.config.sections.learning import LearningConfig
from mgptn.experiments.seats.asking import Script
from mgptn.experiments.seats.lessons import Known, learn_request
from mgptn.population.breeding.memory import Lesson
from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from mgptn.protocols.interfaces.columns import SPECIAL, VOCABULARY, ColumnsInterface
from mgptn.protocols.interfaces.markers import GRADE, JUDGE, LEVEL_MARKERS, WANT
from mgptn.protocols.table import TASKS

AGENT = Agent(AgentId(3), Genome("m", 1.0), None, AgentId(3), -1)
MEMORY = (
    Lesson(2, (Example("12+34=", "640"),)),
    Lesson(3, (Example("123+456=", "9750"), Example("111+222=", "3330", 4))),
)
KNOWN = Known("addition", (1, 2), 4)
JUDGES = replace(KNOWN, judging=0.5)
ID = {token: i for i, token in enumerate(VOCABULARY)}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    character_tokenizer(VOCABULARY, SPECIAL, 100).save_pretrained(folder)
    encoder = Encoder(Checkpoint("m", folder, "", {}))
    return Script(TASKS["addition"](3), ColumnsInterface(), encoder, 5, "empty", 7, "w")


def asked(
    script: Script, known: Known | None = KNOWN, generation: int = 5, **settings: object
) -> Learn:
    learning = LearningConfig.model_validate(
        {"method": "full", "steps": 3, "documents": 8, **settings}
    )
    return learn_request(AGENT, MEMORY, learning, script, known, generation)


def test_a_lesson_is_laid_out_as_ever(script: Script):
    """Bit for bit what it was before answers could be judged or told their levels after."""
    learn = asked(script)
    pages = learn.tokens + learn.taught + learn.offsets
    assert learn.shape == (3, 8, 16)
    assert hashlib.blake2b(pages, digest_size=8).hexdigest() == "b47eebf060fe890a"


def test_who_was_taught_to_judge_rehearses_it_at_the_same_share(script: Script):
    plain, judging = (pages_of(asked(script, known)) for known in (KNOWN, JUDGES))
    judged = judging.tokens[:, :, 1] == ID[JUDGE]
    assert np.array_equal(judged, np.broadcast_to(np.arange(8) >= 6, judged.shape))
    width = plain.tokens.shape[2]
    assert np.array_equal(judging.tokens[:, :6, :width], plain.tokens[:, :6])
    assert np.array_equal(judging.offsets, plain.offsets)
    assert np.all(judging.taught[judged].sum(axis=1) == 1)
    later = pages_of(asked(script, JUDGES, 6)).tokens
    assert not np.array_equal(later[:, 6:], judging.tokens[:, 6:])


def test_a_checkpoint_says_what_it_was_trained_on():
    said = {"task": "addition", "sizes": [1, 2], "offsets": 4}
    assert Known.of(Checkpoint("m", Path(), "", {"mgptn": said})) == KNOWN
    judges = Checkpoint("m", Path(), "", {"mgptn": {**said, "judging": 0.5}})
    assert Known.of(judges) == JUDGES


@pytest.mark.parametrize(("entry", "marker"), [("before", WANT), ("after", GRADE)])
def test_a_level_stands_where_it_is_configured_to(entry: str, marker: str, script: Script):
    tokens = pages_of(asked(script, None, entry=entry, rehearsal=0.0)).tokens.reshape(24, -1)
    told = (tokens == ID[LEVEL_MARKERS[4]]).any(axis=1)
    assert 0 < told.sum() < len(told)  # the other example has no level
    assert np.array_equal((tokens == ID[marker]).any(axis=1), told)
    if entry == "before":
        assert np.all(tokens[told, 1] == ID[WANT])
