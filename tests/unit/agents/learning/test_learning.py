"""Weights put on, disturbed, mixed and trained, against plain PyTorch."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from transformers import GPT2Config, GPT2LMHeadModel

from mgptn.agents.learning.learner import Learner
from mgptn.agents.learning.numbers import Numbers, NumbersError, NumbersFolder, hash_of
from mgptn.agents.learning.trainable import trainable_names
from mgptn.agents.learning.wardrobe import Wardrobe
from mgptn.agents.requests import Learn
from mgptn.population.records.weights import learned, merged, noised

STEPS, DOCUMENTS, WIDTH, VOCABULARY = 4, 3, 8, 11


def model(**further):
    """A model of no pretensions, always the same."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=16, n_embd=8, n_layer=2, n_head=2, resid_pdrop=0.3,
        embd_pdrop=0.3, attn_pdrop=0.3, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
        **further,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()


@cache
def pages(seed=0):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, VOCABULARY, (STEPS, DOCUMENTS, WIDTH), dtype=np.int32)
    taught = (rng.random(tokens.shape) < 0.6).astype(np.uint8)
    taught[:, :, -1] = 1
    return tokens, taught


def asked(worn=None, rate=1e-2, trainable=("all",), seed=0):
    tokens, taught = pages(seed)
    offsets = np.zeros((STEPS, DOCUMENTS), dtype=np.int32)
    return Learn(
        worn, "full", trainable, rate, tokens.shape, tokens.tobytes(), taught.tobytes(),
        offsets.tobytes(),
    )  # fmt: skip


def plainly(trained, rate=1e-2, seed=0, names=None):
    """The same steps as anybody would write them down."""
    tokens, taught = (torch.from_numpy(part) for part in pages(seed))
    chosen = [p for n, p in trained.named_parameters() if names is None or n in names]
    optimizer = torch.optim.AdamW(chosen, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    for step in range(STEPS):
        logits = trained(input_ids=tokens[step].long()).logits[:, :-1]
        logs = torch.log_softmax(logits, -1)
        losses = -logs.gather(-1, tokens[step, :, 1:, None].long())[..., 0]
        weights = taught[step, :, 1:].float()
        optimizer.zero_grad()
        ((losses * weights).sum() / weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(chosen, 1.0)
        optimizer.step()
    return dict(trained.named_parameters())


def test_what_is_learned_is_what_plain_steps_lead_to():
    found = load(Learner.of_model(model()).learn(asked(), None).numbers)
    expected = plainly(model())
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor.detach(), rtol=1e-4, atol=1e-6)


def test_the_same_is_learned_whatever_was_learned_before():
    learner, numbers = Learner.of_model(model()), Numbers()
    first = learner.learn(asked(), numbers)
    worn = learned(None, "m", numbers.keep(first.numbers))
    after = learner.learn(asked(worn, seed=1), numbers)
    assert after.numbers != first.numbers
    assert learner.learn(asked(), numbers) == first
    fresh = Learner.of_model(model())
    assert fresh.learn(asked(worn, seed=1), numbers) == after


@pytest.mark.parametrize(
    ("parts", "changed"),
    [
        (("head",), {"lm_head.weight"}),
        (("embeddings",), {"transformer.wte.weight"}),
        (("layers.1", "head"), None),
        (("mlp",), None),
        (("attention",), None),
    ],
)
def test_what_is_frozen_stays(parts, changed):
    names = trainable_names(model(), parts)
    found = load(Learner.of_model(model()).learn(asked(trainable=parts), None).numbers)
    assert set(found) == set(names)
    if changed is not None:
        assert set(names) == changed
    if parts == ("mlp",):
        assert all(".mlp." in name for name in names)
        assert len(names) == 2 * 4
    if parts == ("attention",):
        assert all(".attn." in name for name in names)
    expected = plainly(model(), names=set(names))
    for name in names:
        torch.testing.assert_close(found[name], expected[name].detach(), rtol=1e-4, atol=1e-6)


def test_a_part_that_a_model_has_not_is_refused():
    with pytest.raises(ValueError, match=r"trainable: expected a part of GPT2LMHeadModel .*7"):
        trainable_names(model(), ("layers.7",))


def test_a_loss_that_is_no_number_is_refused():
    found = Learner.of_model(model()).learn(asked(rate=1e30), None)
    assert found.numbers is None
    assert math.isfinite(found.losses[0])


def test_dropout_is_no_part_of_it():
    """A global generator's state neither matters nor moves."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = Learner.of_model(model()).learn(asked(), None)
    torch.manual_seed(2)
    assert Learner.of_model(model()).learn(asked(), None) == one
    torch.set_rng_state(before)


def worn_by(wardrobe, subject, weights, supply):
    wardrobe.wear(weights, supply)
    return {name: tensor.detach().clone() for name, tensor in subject.named_parameters()}


def test_weights_are_put_on_and_taken_off():
    subject, numbers = model(), Numbers()
    own = {name: tensor.detach().clone() for name, tensor in subject.named_parameters()}
    wardrobe = Wardrobe(subject)
    content = numbers.keep(save({"lm_head.weight": torch.ones(VOCABULARY, 8)}))
    taught = learned(None, "m", content)
    on = worn_by(wardrobe, subject, taught, numbers)
    assert on["lm_head.weight"].eq(1).all()
    assert all(torch.equal(on[name], own[name]) for name in own if name != "lm_head.weight")

    noisy = noised(taught, "m", (3, 4), 0.5)
    disturbed = worn_by(wardrobe, subject, noisy, numbers)
    moved = torch.cat([(disturbed[name] - on[name]).flatten() for name in sorted(on)])
    # Mean and deviation of 1,864 normal numbers of deviation .5: six standard errors.
    assert abs(moved.mean()) < 6 * 0.5 / len(moved) ** 0.5
    assert abs(moved.std() - 0.5) < 6 * 0.5 / (2 * len(moved)) ** 0.5
    rng = np.random.Generator(np.random.Philox(key=np.array([3, 4], dtype=np.uint64)))
    drawn = rng.standard_normal(len(moved), dtype=np.float32) * np.float32(0.5)
    torch.testing.assert_close(moved, torch.from_numpy(drawn), rtol=1e-4, atol=1e-6)

    half = worn_by(wardrobe, subject, merged(taught, "m", noisy, "", 0.25), numbers)
    for name in own:
        between = 0.75 * on[name] + 0.25 * disturbed[name]
        torch.testing.assert_close(half[name], between, rtol=1e-5, atol=1e-6)

    off = worn_by(wardrobe, subject, None, None)
    assert all(torch.equal(off[name], own[name]) for name in own)


def test_numbers_of_another_model_are_refused():
    numbers = Numbers()
    content = numbers.keep(save({"lm_head.weight": torch.ones(2, 2)}))
    with pytest.raises(ValueError, match=rf"weights {content}: expected numbers of this model"):
        Wardrobe(model()).wear(learned(None, "m", content), numbers)


def test_what_is_held_of_weights_has_a_bound():
    subject, numbers = model(), Numbers()
    wardrobe = Wardrobe(subject, held_bytes=3 * VOCABULARY * 8 * 4)
    several = [
        learned(None, "m", numbers.keep(save({"lm_head.weight": torch.full((VOCABULARY, 8), x)})))
        for x in (1.0, 2.0, 3.0, 4.0, 5.0)
    ]
    for weights in (*several, several[0]):
        wardrobe.wear(weights, numbers)
    assert len(wardrobe._held) == 3
    assert subject.lm_head.weight.eq(1).all()


def test_a_folder_of_numbers_holds_them_to_their_names(tmp_path):
    folder = NumbersFolder(tmp_path / "weights")
    content = folder.keep(b"numbers")
    assert content == hash_of(b"numbers")
    assert NumbersFolder(folder.folder)(content) == b"numbers"
    other = folder.keep(b"others")
    folder.path(content).write_bytes(b"altered")
    again = NumbersFolder(folder.folder)
    with pytest.raises(NumbersError, match="the file was altered"):
        again(content)
    with pytest.raises(NumbersError, match="the file was altered"):
        again.missing([content])
    assert again.missing([other, "gone"]) == [again.path("gone")]
    (folder.folder / f".{content}.safetensors.tmp").write_bytes(b"half")
    again.prune({other})
    assert [path.name for path in folder.folder.iterdir()] == [f"{other}.safetensors"]


def test_numbers_that_cannot_be_written_are_told(tmp_path):
    (tmp_path / "weights").write_text("in the way")
    with pytest.raises(NumbersError, match="expected to write 7 bytes, got"):
        NumbersFolder(tmp_path / "weights").keep(b"numbers")
