"""Recipes of founders: what they are called, and what share of their documents teaches judging."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.agents.founding.train import BLOCK_STEPS, _pages
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import character_tokenizer
from mgptn.experiments.config.learning import FoundersConfig
from mgptn.protocols.interfaces.columns import SPECIAL, VOCABULARY
from mgptn.protocols.interfaces.markers import JUDGE

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
