"""Factors of low rank, trained, written and worn, against peft."""

from dataclasses import replace

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load, save
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.files import TakenError
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.learning.exporting import ExportError, write_adapter, write_checkpoint
from mgptn.agents.learning.factors import (
    Factors,
    Outfit,
    adapted_layers,
    count_factors,
    first_factors,
)
from mgptn.agents.learning.learner import Learner
from mgptn.agents.learning.numbers import Numbers
from mgptn.agents.learning.trainable import outline
from mgptn.agents.learning.wardrobe import Wardrobe
from mgptn.agents.requests import Learn, Lora, Score
from mgptn.agents.tiles import plan_mixed
from mgptn.population.records.weights import learned, merged, noised
from tests.rooms import imports, modules

STEPS, DOCUMENTS, WIDTH, VOCABULARY = 3, 4, 8, 11
LORA = Lora(rank=2, alpha=6)
SCALE = 3.0
PROMPT = (5, 3, 7, 1, 2)


def gpt2():
    return GPT2Config(
        vocab_size=VOCABULARY, n_positions=32, n_embd=8, n_layer=2, n_head=2, bos_token_id=1,
        eos_token_id=2,
    )  # fmt: skip


def llama():
    return LlamaConfig(
        vocab_size=VOCABULARY, max_position_embeddings=32, hidden_size=8, intermediate_size=12,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, bos_token_id=1,
        eos_token_id=2, tie_word_embeddings=False,
    )  # fmt: skip


KINDS = {"gpt2": (GPT2LMHeadModel, gpt2), "llama": (LlamaForCausalLM, llama)}


def model(kind):
    torch.manual_seed(0)
    made, config = KINDS[kind]
    return made(config()).eval()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A folder of each kind."""
    found = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp("models") / kind
        model(kind).save_pretrained(folder)
        found[kind] = find_checkpoint(str(folder))
    return found


def asked(worn=None, rate=0.05, lora=LORA, key=(7, 8), seed=0):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, VOCABULARY, (STEPS, DOCUMENTS, WIDTH), dtype=np.int32)
    taught = np.ones(tokens.shape, dtype=np.uint8)
    offsets = np.zeros((STEPS, DOCUMENTS), dtype=np.int32)
    return Learn(
        worn, "lora", ("all",), rate, tokens.shape, tokens.tobytes(), taught.tobytes(),
        offsets.tobytes(), lora, key,
    )  # fmt: skip


@pytest.fixture(scope="module")
def taught():
    """Of each kind, where numbers are kept, and weights after a first lesson."""
    found = {}
    for kind in KINDS:
        numbers = Numbers()
        reply = Learner.of_model(model(kind)).learn(asked(), None)
        found[kind] = (numbers, learned(None, "m", numbers.keep(reply.numbers)))
    return found


def worn_by(wardrobe, subject, weights, supply):
    wardrobe.wear(weights, supply)
    return {name: tensor.detach().clone() for name, tensor in subject.named_parameters()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_the_very_bytes_is_what_peft_loads(kind, checkpoints, taught, tmp_path):
    """The host that wears a file says what peft says of it."""
    checkpoint, (numbers, worn) = checkpoints[kind], taught[kind]
    content = numbers(worn.content)
    write_adapter(tmp_path / "adapter", checkpoint, content)
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == content
    base = AutoModelForCausalLM.from_pretrained(checkpoint.folder, dtype=torch.float32)
    with torch.no_grad():
        plain = base(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1)
        adapted = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
        expected = adapted(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1)
    assert (expected - plain).abs().max() > 0.01
    host = TransformersHost(
        HostSettings(str(checkpoint.folder), checkpoint.weights, "cpu", "float32", 1)
    )
    score = Score((), PROMPT, tuple((token,) for token in range(VOCABULARY)))
    (tile,) = plan_mixed([((checkpoint.weights, worn), score)], 4, numbers).tiles
    (reply,) = host.score(tile).replies
    assert reply.log_probabilities == pytest.approx(expected.tolist(), abs=2e-5)

    write_checkpoint(tmp_path / "merged", checkpoint, worn, numbers, "float32")
    merged_model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    with torch.no_grad():
        found = merged_model(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=2e-5)
    with pytest.raises(TakenError, match="expected nothing there yet"):
        write_checkpoint(tmp_path / "merged", checkpoint, worn, numbers, "float32")
    with pytest.raises(ExportError, match=r"weights of factors alone.*1 whole"):
        write_adapter(tmp_path / "other", checkpoint, save({"a": torch.ones(1)}))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_worn_is_the_founders_own_and_the_product(kind, taught):
    numbers, worn = taught[kind]
    subject = model(kind)
    own = {name: tensor.detach().clone() for name, tensor in subject.named_parameters()}
    on = worn_by(Wardrobe(subject), subject, worn, numbers)
    factors = Outfit.of_file(numbers(worn.content)).factors
    assert sorted(factors.pairs) == sorted(adapted_layers(subject, ()))
    for layer, (a, b) in factors.pairs.items():
        assert b.abs().max() > 0
        product = SCALE * (b.double() @ a.double())
        expected = own[f"{layer}.weight"] + (product.t() if kind == "gpt2" else product)
        torch.testing.assert_close(on[f"{layer}.weight"].double(), expected, rtol=1e-5, atol=1e-7)
    others = set(own) - {f"{layer}.weight" for layer in factors.pairs}
    assert all(torch.equal(on[name], own[name]) for name in others)


def test_bits_do_not_depend_on_what_was_worn_before(taught):
    numbers, worn = taught["gpt2"]
    subject = model("gpt2")
    wardrobe = Wardrobe(subject)
    whole = learned(None, "m", numbers.keep(save({"transformer.wte.weight": torch.ones(11, 8)})))
    first = worn_by(wardrobe, subject, worn, numbers)
    for before in (whole, noised(worn, "m", (1, 2), 0.1), None):
        other = worn_by(wardrobe, subject, before, numbers)
        assert not all(torch.equal(first[name], other[name]) for name in first)
        again = worn_by(wardrobe, subject, worn, numbers)
        assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_goes_on_training_its_own_factors(kind, taught):
    numbers, worn = taught[kind]
    learner = Learner.of_model(model(kind))
    held = numbers(worn.content)
    on = learner.learn(asked(worn, seed=1), numbers)
    # By hand: peft's model of the file, and plain steps.
    factors = Outfit.of_file(held).factors
    subject = model(kind)
    config = peft.LoraConfig(
        r=2, lora_alpha=6, target_modules=[*factors.pairs], fan_in_fan_out=kind == "gpt2"
    )
    wrapped = peft.get_peft_model(subject, config)
    peft.set_peft_model_state_dict(wrapped, factors.tensors())
    chosen = [p for p in wrapped.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(chosen, lr=0.05, betas=(0.9, 0.98), weight_decay=0.01)
    tokens = np.random.default_rng(1).integers(
        0, VOCABULARY, (STEPS, DOCUMENTS, WIDTH), dtype=np.int32
    )
    for step in torch.from_numpy(tokens).long():
        optimizer.zero_grad()
        wrapped(input_ids=step, labels=step).loss.backward()
        torch.nn.utils.clip_grad_norm_(chosen, 1.0)
        optimizer.step()
    expected = peft.get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    found = load(on.numbers)
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-5)
    # Neither the key nor what was learned between matters then, and no file has changed.
    assert learner.learn(asked(worn, seed=1, key=(1, 1)), numbers) == on
    assert learner.learn(asked(), numbers).numbers == held == numbers(worn.content)


def test_factors_are_drawn_by_their_key_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = Learner.of_model(model("llama"))
    torch.set_rng_state(before)
    first = one.learn(asked(), None)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert one.learn(asked(), None) == first
    assert one.learn(asked(key=(7, 9)), None) != first
    begun = first_factors(one.model, LORA, (7, 8))
    for a, b in begun.pairs.values():
        assert not b.any()
        assert a.abs().max() < a.shape[1] ** -0.5
        assert a.abs().max() > 0.5 * a.shape[1] ** -0.5
    assert set(dict(one.model.named_parameters())) == set(dict(model("llama").named_parameters()))


def test_a_file_says_all_of_itself_and_equal_numbers_are_equal_bytes(taught):
    for numbers, worn in taught.values():
        content = numbers(worn.content)
        outfit = Outfit.of_file(content)
        assert (outfit.factors.rank, outfit.factors.alpha, dict(outfit.whole)) == (2, 6, {})
        assert outfit.to_file() == content
        backwards = dict(reversed(outfit.factors.pairs.items()))
        assert Outfit({}, Factors(2, 6, backwards)).to_file() == content
        silent = numbers.keep(save(load(content)))
        with pytest.raises(ValueError, match=rf"weights {silent}: expected metadata with rank"):
            Wardrobe(model("gpt2")).wear(learned(None, "m", silent), numbers)
    numbers, worn = taught["llama"]
    with pytest.raises(ValueError, match=rf"weights {worn.content}: expected numbers of this"):
        Wardrobe(model("gpt2")).wear(worn, numbers)


def test_noise_and_mixture_are_of_whole_weights(taught):
    numbers, worn = taught["gpt2"]
    subject = model("gpt2")
    wardrobe = Wardrobe(subject)
    own, on = (worn_by(wardrobe, subject, w, numbers) for w in (None, worn))
    noisy = noised(worn, "m", (3, 4), 0.5)
    disturbed = worn_by(wardrobe, subject, noisy, numbers)
    assert all(0.1 < (disturbed[n] - on[n]).std() < 1.0 for n in on if on[n].numel() > 8)
    half = worn_by(wardrobe, subject, merged(worn, "m", None, "", 0.5), numbers)
    for name in own:
        torch.testing.assert_close(half[name], (own[name] + on[name]) / 2, rtol=1e-5, atol=1e-6)
    # What learns on from there keeps it whole beneath new factors, and its file says both.
    reply = Learner.of_model(model("gpt2")).learn(asked(noisy, rate=1e-6), numbers)
    outfit = Outfit.of_file(reply.numbers)
    assert set(outfit.whole) == set(own)
    after = learned(noisy, "m", numbers.keep(reply.numbers))
    found = worn_by(wardrobe, subject, after, numbers)
    for name in own:
        torch.testing.assert_close(found[name], disturbed[name], rtol=0, atol=1e-4)
    again = Learner.of_model(model("gpt2")).learn(asked(after), numbers)
    assert all(torch.equal(disturbed[n], Outfit.of_file(again.numbers).whole[n]) for n in own)


def test_a_mixture_with_another_founder_is_of_that_ones_own(checkpoints, taught, tmp_path):
    """Factors of the second parent are added to its own founder's weights."""
    numbers, worn = taught["gpt2"]
    other = model("gpt2")
    with torch.no_grad():
        for tensor in other.parameters():
            tensor.add_(0.25)
    other.save_pretrained(tmp_path / "other")
    subject = model("gpt2")
    wardrobe = Wardrobe(subject)
    own, on = (worn_by(wardrobe, subject, w, numbers) for w in (None, worn))
    name = str(tmp_path / "other")
    mixed = worn_by(wardrobe, subject, merged(None, "m", worn, name, 0.5), numbers)
    for part in own:
        expected = own[part] + 0.5 * (on[part] - own[part] + 0.25)
        torch.testing.assert_close(mixed[part], expected, rtol=1e-4, atol=1e-5)


def test_a_loss_that_is_no_number_is_refused_and_leaves_no_trace():
    learner = Learner.of_model(model("llama"))
    first = learner.learn(asked(), None)
    assert learner.learn(asked(rate=1e30), None).numbers is None
    assert learner.learn(asked(), None) == first


@pytest.mark.parametrize(
    ("kind", "modules", "names"),
    [
        ("llama", (), "q_proj k_proj v_proj o_proj gate_proj up_proj down_proj"),
        ("llama", ("q_proj", "mlp.up_proj"), "q_proj up_proj"),
        ("llama", ("lm_head",), "lm_head"),
        ("gpt2", (), "c_attn c_proj c_fc"),
        ("gpt2", ("attn.c_proj",), "c_proj"),
    ],
)
def test_modules_are_those_that_peft_would_take(kind, modules, names):
    found = adapted_layers(model(kind), modules)
    assert {name.rpartition(".")[2] for name in found} == set(names.split())
    config = peft.LoraConfig(
        r=2, target_modules=[*modules] or "all-linear", fan_in_fan_out=kind == "gpt2"
    )
    wrapped = peft.get_peft_model(model(kind), config, low_cpu_mem_usage=True)
    taken = peft.get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    layers = {n.removeprefix("base_model.model.").partition(".lora_")[0] for n in taken}
    assert layers == set(found)
    assert count_factors(model(kind), Lora(2, 1, modules)) == sum(t.numel() for t in taken.values())


@pytest.mark.parametrize(
    ("kind", "wanted", "said"),
    [
        ("llama", "c_attn", r"modules: expected linear layers of Llama.* \(down_proj, .*'c_attn'"),
        ("gpt2", "proj", r"linear layers of GPT2LMHeadModel \(c_attn, c_fc, c_proj, lm_head\), go"),
        ("gpt2", "wte", r"got 'wte'"),
        ("gpt2", "lm_head", "own, got 'lm_head', which shares its weight"),
    ],
)
def test_modules_that_cannot_be_are_refused(kind, wanted, said, checkpoints):
    for subject in (model(kind), outline(checkpoints[kind].folder)):
        with pytest.raises(ValueError, match=said):
            adapted_layers(subject, ("c_attn" if kind == "gpt2" else "q_proj", wanted))


def test_other_factors_than_asked_for_are_not_trained(taught):
    numbers, worn = taught["llama"]
    learner = Learner.of_model(model("llama"))
    with pytest.raises(ValueError, match=r"lora: expected weights with factors of rank.*\(3, 6"):
        learner.learn(asked(worn, lora=replace(LORA, rank=3)), numbers)


def test_embeddings_that_are_the_head_too_are_worn_in_both_places(checkpoints):
    """The engine lays a head out anew: then it is another tensor than the embeddings."""
    numbers, checkpoint = Numbers(), checkpoints["gpt2"]
    ones = torch.linspace(-1, 1, VOCABULARY * 8).view(VOCABULARY, 8)
    worn = learned(None, "m", numbers.keep(save({"transformer.wte.weight": ones})))
    host = TransformersHost(
        HostSettings(str(checkpoint.folder), checkpoint.weights, "cpu", "float32", 1)
    )
    score = Score((), PROMPT, tuple((token,) for token in range(VOCABULARY)))
    (tile,) = plan_mixed([((checkpoint.weights, worn), score)], 4, numbers).tiles
    (reply,) = host.score(tile).replies
    plain = model("gpt2")
    with torch.no_grad():
        plain.transformer.wte.weight.copy_(ones)
        expected = plain(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1)
    assert reply.log_probabilities == pytest.approx(expected.tolist(), abs=2e-5)
    noisy = noised(worn, "m", (1, 1), 0.1)
    with torch.inference_mode():
        host._wardrobe.wear(noisy, numbers)
    Wardrobe(plain).wear(noisy, numbers)
    for name in ("lm_head.weight", "transformer.wte.weight"):
        there = host.forward.model.get_parameter(name)
        torch.testing.assert_close(there, plain.transformer.wte.weight, rtol=1e-5, atol=1e-6)


def test_peft_is_not_imported_unasked():
    assert not [m for m in modules() if "peft" in {n.split(".")[0] for n in imports(m, top=True)}]
