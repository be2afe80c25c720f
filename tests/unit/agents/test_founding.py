"""Recipes of founders: what they are called, and what share of their documents teaches judging."""

# SPDX-License-Identifier: Apache-2.0

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgptn.agents.checkpoints import Checkpoint, find_checkpoint
from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.agents.founding.train import BLOCK_STEPS, _pages, train_founder
from mgptn.agents.learning.documents import true_documents
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import character_tokenizer
from mgptn.experiments.config.sections.learning import FoundersConfig
from mgptn.protocols.interfaces.cases import CasesInterface
from mgptn.protocols.interfaces.columns import SPECIAL, VOCABULARY, ColumnsInterface
from mgptn.protocols.interfaces.markers import JUDGE
from mgptn.protocols.interfaces.markers import VOCABULARY as LADDER
from mgptn.protocols.interfaces.steps import StepsInterface
from mgptn.protocols.interfaces.table import INTERFACES, Setting, make_interface
from mgptn.protocols.table import TASKS

TINY = FounderRecipe(
    least=1, most=2, layers=1, width=16, heads=2, steps=BLOCK_STEPS + 2, documents=8, offsets=2,
    places=12,
)  # fmt: skip


def test_recipes_without_judging_keep_their_names():
    """Those of founders that were trained before there was any."""
    assert FounderRecipe().name(0) == "founders/addition-1-5-8776f36e/0"
    assert FounderRecipe(judging=0.0).digest() == FounderRecipe().digest()
    assert "judging" not in FounderRecipe().content()
    assert FoundersConfig().names[0] == FounderRecipe().name(0)


def test_another_share_of_judging_is_another_founder():
    shares = (0.0, 0.3, 0.5)
    assert len({FounderRecipe(judging=share).digest() for share in shares}) == len(shares)
    assert FounderRecipe(judging=0.3).content()["judging"] == 0.3
    assert FoundersConfig(judging=0.3).recipe.judging_documents == round(0.3 * 64)


def test_another_scale_of_grades_is_another_founder():
    assert FounderRecipe(judging=0.5).name(0) == "founders/addition-1-5-a22d607f/0"
    scales = [FounderRecipe(judging=0.5, scale=one) for one in ("words", "digits", "yes-no")]
    assert len({one.digest() for one in scales}) == 3
    assert "scale" not in scales[0].content()
    assert FoundersConfig(judging=0.5, scale="digits").recipe == scales[1]
    with pytest.raises(ValueError, match="scale: expected words where judging = 0, got 'digits'"):
        FounderRecipe(scale="digits")


def test_careless_writers_are_another_founder():
    assert "noise" not in FounderRecipe().content()
    assert FounderRecipe(noise=0.3).digest() != FounderRecipe().digest()
    for noise in (-0.1, 1.1, float("nan")):
        with pytest.raises(
            ValueError, match=rf"noise: expected a number from 0 to 1, got {noise}$"
        ):
            replace(TINY, noise=noise)


def test_a_task_without_columns_is_laid_out_as_the_ladder_is(tmp_path: Path):
    """A founder of it is asked as a ladder's model, has tokens for the task, and learns noise."""
    recipe = FounderRecipe(
        task="facts", least=6, most=6, layers=1, width=16, heads=2, steps=2, documents=8,
        offsets=0, places=12, judging=0.25, noise=0.5,
    )  # fmt: skip
    train_founder(recipe, 0, tmp_path / "0")
    checkpoint = find_checkpoint(str(tmp_path / "0"))
    encoder = Encoder(checkpoint)
    assert checkpoint.restarts == ()
    assert checkpoint.context_tokens == 12
    assert checkpoint.config["mgptn"] == {
        "offsets": 0, "task": "facts", "sizes": [6, 6], "judging": 0.25, "noise": 0.5
    }  # fmt: skip
    setting = Setting("m", encoder.vocabulary)
    assert make_interface("auto", setting, INTERFACES).name == "ladder"
    assert recipe.vocabulary == LADDER  # which has all that facts are written with
    assert "-" in FounderRecipe(task="subtraction").vocabulary  # it has columns
    with pytest.raises(ValueError, match=r"offsets: expected 0 to 0, .* got 1"):
        replace(recipe, offsets=1)


def test_what_careless_writers_answer_is_wrong_as_often_as_they_are_careless(tmp_path: Path):
    """Within 4.9 deviations, false-alarm probability 1e-6."""
    character_tokenizer(VOCABULARY, SPECIAL, 100).save_pretrained(tmp_path)
    encoder = Encoder(Checkpoint("m", tmp_path, "", {}))
    made, rng = TASKS["addition"](2), np.random.default_rng(0)
    for noise in (0.0, 0.3, 1.0):
        problems = made.corpus(rng, 2000, noise)
        wrong = 1.0 - made.right(problems.fields, problems.references).mean()
        assert abs(wrong - noise) <= 4.9 * (noise * (1 - noise) / 2000) ** 0.5
    layout, sizes = ColumnsInterface(), [1, 2] * 100
    drawn = [
        true_documents(layout, encoder, "addition", sizes, np.random.default_rng(1), noise)
        for noise in (0.0, 1e-12, 1.0)
    ]
    assert drawn[0] != drawn[2]
    assert [one.first for one in drawn[0]] == [one.first for one in drawn[2]]


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan"), 0.01, 0.99])
def test_a_share_of_nothing_or_of_all_is_refused(share: float):
    with pytest.raises(ValueError, match=rf"judging: expected .*got {share}$"):
        replace(TINY, judging=share)


def test_what_teaches_answering_is_drawn_as_without_judging(tmp_path: Path):
    character_tokenizer(VOCABULARY, SPECIAL, 100).save_pretrained(tmp_path)
    encoder = Encoder(Checkpoint("m", tmp_path, "", {}))
    plain = list(_pages(TINY, 3, encoder))
    judging = list(_pages(replace(TINY, judging=0.25), 3, encoder))
    judge = VOCABULARY.index(JUDGE)
    seen = set()
    for before, after in zip(plain, judging, strict=True):
        width = before.tokens.shape[2]
        assert np.array_equal(after.tokens[:, :6, :width], before.tokens[:, :6])
        assert not after.tokens[:, :6, width:].any()
        assert np.array_equal(after.taught[:, :6, :width], before.taught[:, :6])
        assert np.array_equal(after.offsets, before.offsets)
        assert np.all(after.tokens[:, 6:, 1] == judge)
        assert np.all(after.taught[:, 6:].sum(axis=2) == 1)
        seen.update(row.tobytes() for row in after.tokens[:, 6:].reshape(-1, after.tokens.shape[2]))
    assert len(seen) > 50  # of 104


@pytest.mark.parametrize(
    ("layout", "edition", "tokens"),
    [
        (CasesInterface, 1, "cff5c61a"),
        (ColumnsInterface, 1, "abfb90ac"),
        (StepsInterface, 2, "87cb069d"),
    ],
)
def test_a_layout_whose_tokens_change_has_another_edition(layout, edition, tokens):
    """So that founders trained before are not taken for those of now: their names say it."""
    told = hashlib.blake2b(repr(layout.vocabulary).encode(), digest_size=4).hexdigest()
    assert (layout.edition, told) == (edition, tokens)


def test_the_edition_is_in_a_founders_name(monkeypatch):
    recipe = FounderRecipe(task="walks", least=6, most=6)
    name = recipe.name(0)
    monkeypatch.setattr(StepsInterface, "edition", 3)
    assert recipe.name(0) != name
    monkeypatch.setattr(StepsInterface, "edition", 2)
    assert recipe.name(0) == name
