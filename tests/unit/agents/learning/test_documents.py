"""Documents to learn from, token for token: levels before answers, after them, and judged."""

# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.learning.documents import (
    Document,
    document,
    judged_documents,
    lay_out,
    with_last,
)
from mgptn.agents.learning.training import train
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import character_tokenizer
from mgptn.protocols.interfaces.chat import ChatInterface
from mgptn.protocols.interfaces.columns import SPECIAL, VOCABULARY, ColumnsInterface
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.markers import (
    END,
    GRADE,
    JUDGE,
    LEVEL_MARKERS,
    START,
    WANT,
)
from mgptn.protocols.scale import LEVEL_VALUES, LEVELS, RATERS, rated
from mgptn.protocols.table import TASKS

LAYOUT = ColumnsInterface()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    character_tokenizer(VOCABULARY, SPECIAL, 100).save_pretrained(folder)
    return Encoder(Checkpoint("m", folder, "", {}))


def written(one: Document) -> tuple[list[str], list[str]]:
    """The tokens that come before, and those that are taught."""
    tokens = [VOCABULARY[token] for token in one.tokens]
    return tokens[: one.first], tokens[one.first :]


SUM = ["+", "<24>", "<13>", "="]


@pytest.mark.parametrize(
    ("level", "after", "before", "taught"),
    [
        (None, False, [START, *SUM], ["6", "4", "0", END]),
        (None, True, [START, *SUM], ["6", "4", "0", END]),
        (3, False, [START, WANT, LEVEL_MARKERS[3], *SUM], ["6", "4", "0", END]),
        (3, True, [START, *SUM], ["6", "4", "0", GRADE, LEVEL_MARKERS[3]]),
    ],
)
def test_a_level_stands_before_an_answer_after_it_or_nowhere(
    level: int | None, after: bool, before: list[str], taught: list[str], encoder: Encoder
):
    one = document(LAYOUT, encoder, "12+34=", "640", level, after=after)
    assert written(one) == (before, taught)


def test_a_layout_that_tells_no_level_after_an_answer_is_refused(encoder: Encoder):
    chat = ChatInterface(lambda messages, answering: "".join(m["content"] for m in messages))
    with pytest.raises(ValueError, match=r"interface: expected one that can tell a level .* chat"):
        document(chat, encoder, "12+34=", "640", 3, after=True)


def test_what_is_judged_is_asked_as_graders_are_and_its_level_is_taught(encoder: Encoder):
    sizes = [2, 1, 3] * 400
    judged = judged_documents(
        ColumnsInterface(), encoder, "addition", sizes, np.random.default_rng(0)
    )
    assert judged == judged_documents(
        ColumnsInterface(), encoder, "addition", sizes, np.random.default_rng(0)
    )
    given: dict[bool, list[int]] = {True: [], False: []}
    for size, one in zip(sizes, judged, strict=True):
        before, (level,) = written(one)
        assert before[:3] == [START, JUDGE, "+"]
        columns, answer = before[3 : 3 + size], "".join(before[4 + size : -1])
        first, second = ("".join(c[i] for c in reversed(columns)) for i in (1, 2))
        query = f"{first}+{second}="
        prompt = LAYOUT.grade_prompt(Asked(query, answer))
        assert one.tokens[: one.first] == encoder.prefix(prompt.prefix) + encoder.suffix(
            prompt.suffix
        )
        right = TASKS["addition"](size).verify(query, answer)
        given[right].append(LEVEL_MARKERS.index(level))
    # 1,200 fair coins, and levels of some 600 by the raters: six standard errors, below 1e-8 each.
    assert abs(len(given[True]) - 600) < 6 * (1200 / 4) ** 0.5
    shares = np.mean(RATERS, axis=0)
    for right, expected in ((True, shares), (False, shares[::-1])):
        found = np.bincount(given[right], minlength=len(LEVELS)) / len(given[right])
        assert np.all(np.abs(found - expected) < 6 * (expected / len(given[right])) ** 0.5)


def test_a_level_is_taught_in_any_scale(encoder: Encoder):
    """The same raters' levels in digits, and by yes and no: as often yes as the level is high."""
    sizes = [2] * 2000
    said = {}
    for scale in ("words", "digits", "yes-no"):
        documents = judged_documents(
            LAYOUT, encoder, "addition", sizes, np.random.default_rng(1), scale
        )
        said[scale] = [tuple(written(one)[1]) for one in documents]
    levels = [LEVEL_MARKERS.index(one) for (one,) in said["words"]]
    assert [one for (one,) in said["digits"]] == [str(level + 1) for level in levels]
    assert {one for (one,) in said["yes-no"]} == {LEVEL_MARKERS[0], LEVEL_MARKERS[-1]}
    for level, value in enumerate(LEVEL_VALUES):
        of = [y == (LEVEL_MARKERS[-1],) for y, at in zip(said["yes-no"], levels, strict=True)
              if at == level]  # fmt: skip
        # Five standard errors: 6e-7 each.
        assert abs(np.mean(of) - value) <= 5 * (value * (1 - value) / len(of)) ** 0.5


def test_raters_differ_in_how_sharp_they_are():
    """Levels of 4,000 right answers by each rater: six standard errors."""
    right = np.ones(8000, dtype=np.bool_)
    vague = np.repeat([0, 1], 4000)
    levels = rated(np.random.default_rng(1), right, vague)
    for rater, rates in enumerate(RATERS):
        found = np.bincount(levels[vague == rater], minlength=len(LEVELS)) / 4000
        assert np.all(np.abs(found - rates) < 6 * (np.array(rates) / 4000) ** 0.5)
    wrong = rated(np.random.default_rng(1), ~right, vague)
    assert np.array_equal(wrong, len(LEVELS) - 1 - levels)


def test_the_last_documents_of_each_step_are_replaced():
    a, b, c, d, e, f = (Document((i,), 0) for i in range(6))
    assert with_last([[a, b], [c, d]], [e, f]) == [[a, e], [c, f]]
    assert with_last([[a, b], [c, d]], []) == [[a, b], [c, d]]


def founder() -> GPT2LMHeadModel:
    """A founder of no pretensions, always the same."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(VOCABULARY), n_positions=24, n_embd=16, n_layer=1, n_head=2,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, tie_word_embeddings=False,
        bos_token_id=VOCABULARY.index(START), eos_token_id=VOCABULARY.index(END),
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval().requires_grad_(False)


def surprise(model: GPT2LMHeadModel, one: Document) -> float:
    """What a document costs a model, in nats: all that is taught of it."""
    tokens = torch.tensor([one.tokens])
    with torch.no_grad():
        logs = model(input_ids=tokens).logits[0, :-1].log_softmax(-1)
    costs = -logs.gather(-1, tokens[0, 1:, None])[:, 0]
    return float(costs[one.first - 1 :].sum())


def learned(encoder: Encoder, after: bool) -> GPT2LMHeadModel:
    """After 60 steps of answers of ones, which got the top level, and of zeros, the lowest."""
    model, rows = founder(), []
    for step in range(60):
        rng = np.random.default_rng(step)
        pairs = [(int(i), int(j)) for i, j in rng.integers(0, 10, size=(16, 2))]
        rows.append(
            [
                document(
                    LAYOUT, encoder, f"{i}+{j}=", "11" if good else "00", 4 * good, after=after
                )
                for (i, j), good in zip(pairs, (True, False) * 8, strict=True)
            ]
        )
    pages = lay_out(rows, np.zeros((60, 16), dtype=np.int64))
    train(model, list(model.parameters()), [pages], lambda step: 1e-2)
    return model


def test_what_is_learned_after_a_level_is_said_where_that_level_is_wanted(encoder: Encoder):
    """Before learning, a level that is wanted hardly matters; after, it decides."""

    def preferred(model: GPT2LMHeadModel, level: int | None) -> float:
        """How much rather an answer of ones is given than one of zeros, in nats."""
        one, other = (document(LAYOUT, encoder, "3+4=", said, level) for said in ("11", "00"))
        return surprise(model, other) - surprise(model, one)

    model = learned(encoder, after=False)
    assert abs(preferred(founder(), 4) - preferred(founder(), 0)) < 0.1
    assert preferred(model, 4) > 1.0
    assert preferred(model, 0) < -1.0


def test_what_is_learned_before_a_level_foretells_it(encoder: Encoder):
    model = learned(encoder, after=True)
    for answer, right in (("11", 4), ("00", 0)):
        costs = [
            surprise(model, document(LAYOUT, encoder, "3+4=", answer, level, after=True))
            for level in (0, 4)
        ]
        assert int(np.argmin(costs)) * 4 == right
        assert abs(costs[0] - costs[1]) > 1.0
