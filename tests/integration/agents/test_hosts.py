"""The transformers host on real architectures with random weights, against plain forward passes."""

# SPDX-License-Identifier: Apache-2.0

import math
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from scipy.stats import chi2
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from mgptn.agents.alone.answering import OneByOne
from mgptn.agents.checkpoints import CheckpointError, find_checkpoint
from mgptn.agents.hosts.fleet import LocalFleet, run_tile
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate, Generated, Score, Scored
from mgptn.agents.tiles import plan
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage
from mgptn.population.draws.streams import philox_key
from mgptn.protocols.interfaces.reading import normalised
from mgptn.protocols.interfaces.wordings import WORDS

END = "<|endoftext|>"
VOCABULARY = 290
LENGTH = 512
SHAPE = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_attention_heads": 4}
LARGE = {"initializer_range": 0.5, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
LAST_NORMS = ("model.norm.weight", "ln_f.weight", "final_layer_norm.weight")
CONFIGS: dict[str, Any] = {
    "llama": lambda: transformers.LlamaConfig(
        **SHAPE,
        **LARGE,
        num_hidden_layers=2,
        intermediate_size=64,
        num_key_value_heads=2,
        max_position_embeddings=LENGTH,
    ),
    "qwen3": lambda: transformers.Qwen3Config(
        **SHAPE,
        **LARGE,
        num_hidden_layers=2,
        intermediate_size=64,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=LENGTH,
    ),
    "gpt2": lambda: transformers.GPT2Config(
        **LARGE, vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=LENGTH
    ),
    "gpt-neox": lambda: transformers.GPTNeoXConfig(
        **SHAPE,
        **LARGE,
        num_hidden_layers=2,
        intermediate_size=64,
        max_position_embeddings=LENGTH,
    ),
}


@dataclass
class Served:
    """A host, and the same weights as a plain model to hold it against."""

    folder: Path
    settings: HostSettings
    host: TransformersHost
    plain: Any

    def logits(self, tokens):
        """Of one whole text, float64 [L, V]: no cache, no padding, no batch."""
        with torch.inference_mode():
            return self.plain(torch.tensor([tokens])).logits[0].double()

    def log_probability(self, before, continuation, sampling_temperature=1.0):
        logs = torch.log_softmax(
            self.logits((*before, *continuation)) / sampling_temperature, dim=-1
        )
        return sum(float(logs[len(before) + i - 1, token]) for i, token in enumerate(continuation))

    def run(self, requests, slots=8):
        planned = plan(requests, self.settings.weights, slots)
        return planned.collect([run_tile(self.host, tile) for tile in planned.tiles])


def tokenizer():
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator([f"Question: 12+34=\nAnswer: 640\n{WORDS.question}"] * 3, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=END, eos_token=END, model_max_length=LENGTH
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for i, (name, config) in enumerate(CONFIGS.items()):
        torch.manual_seed(i)
        model = transformers.AutoModelForCausalLM.from_config(config())
        with torch.no_grad():  # wide logits, so that the best token is often far ahead
            next(p for n, p in model.named_parameters() if n.endswith(LAST_NORMS)).mul_(3.0)
        model.save_pretrained(root / name)
        tokenizer().save_pretrained(root / name)
    return root


def settings_for(folder, **changes):
    return HostSettings(str(folder), find_checkpoint(str(folder)).weights, **changes)


@pytest.fixture(scope="module", params=list(CONFIGS))
def served(folders, request):
    return serve(folders / request.param)


@pytest.fixture(scope="module")
def half(served):
    """The same host in bfloat16."""
    settings = replace(served.settings, dtype="bfloat16")
    return Served(served.folder, settings, TransformersHost(settings), served.plain)


@pytest.fixture(scope="module")
def llama(folders):
    return serve(folders / "llama")


def serve(folder):
    settings = settings_for(folder)
    plain = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    return Served(folder, settings, TransformersHost(settings), plain)


def texts(rng, count, shortest=1, longest=14):
    """Random token sequences of unequal lengths."""
    return [
        tuple(rng.integers(1, VOCABULARY, size=rng.integers(shortest, longest + 1)).tolist())
        for _ in range(count)
    ]


def generates(rng, count, prefix, sampling_temperature=1.0, max_tokens=6, stops=(7,)):
    return [
        Generate(prefix, suffix, stops, max_tokens, sampling_temperature, philox_key(1, "t", i))
        for i, suffix in enumerate(texts(rng, count))
    ]


def scores(rng, count, prefix):
    """Requests whose options have one token, several, and a beginning in common."""
    return [
        Score(
            prefix,
            suffix,
            ((3,), (4,), (5, 6), (5, 6, 7), (5, 8), tuple(rng.integers(1, VOCABULARY, 4).tolist())),
        )
        for suffix in texts(rng, count)
    ]


def single_scores(rng, count, prefix):
    """Requests whose options have one token each."""
    return [replace(request, options=((3,), (4,), (5,))) for request in scores(rng, count, prefix)]


PREFIXES = [(), (0,), (0, *range(20, 57))]


@pytest.mark.parametrize("prefix", PREFIXES, ids=len)
def test_option_log_probabilities_are_those_of_a_whole_forward_pass(served, prefix):
    requests = scores(np.random.default_rng(1), 5, prefix)
    for request, reply in zip(requests, served.run(requests), strict=True):
        assert reply.log_probabilities == pytest.approx(
            [served.log_probability(prefix + request.suffix, o) for o in request.options],
            abs=1e-4,
        )


@pytest.mark.parametrize("prefix", PREFIXES, ids=len)
def test_options_that_are_the_whole_vocabulary_sum_to_one(served, prefix):
    everything = tuple((token,) for token in range(VOCABULARY))
    (reply,) = served.run([Score(prefix, (9, 8, 7), everything)])
    assert sum(map(math.exp, reply.log_probabilities)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("prefix", PREFIXES, ids=len)
def test_greedy_answers_are_those_of_generate_token_for_token(served, prefix):
    """Only texts whose every best token is ahead by more than rounding can turn."""
    rng = np.random.default_rng(2)
    requests, expected = [], []
    for request in generates(rng, 24, prefix, max_tokens=9, stops=(0,)):
        text = prefix + request.suffix
        made = served.plain.generate(
            torch.tensor([text]),
            attention_mask=torch.ones(1, len(text)),
            do_sample=False,
            max_new_tokens=9,
            eos_token_id=0,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        best = torch.stack([logits[0].topk(2).values for logits in made.logits])
        if float((best[:, 0] - best[:, 1]).min()) > 1e-3:
            requests.append(replace(request, top_k=1))
            expected.append(made.sequences[0, len(text) :].tolist())
    assert len(requests) >= 20
    for reply, tokens in zip(served.run(requests), expected, strict=True):
        assert reply.reason == ("stop" if tokens[-1] == 0 else "length")
        assert list(reply.tokens) == (tokens[:-1] if reply.finished else tokens)
        assert reply.log_probabilities == (0.0,) * len(tokens)


@pytest.mark.parametrize("sampling_temperature", [1.0, 3.0, 9.0])
def test_first_tokens_come_as_often_as_the_softmax_says(llama, sampling_temperature):
    """χ² of 6 000 draws from one prompt, cells pooled below 8 expected.

    False-alarm probability 3e-7 each, below 1e-6 together; the seed is fixed.
    """
    prefix, suffix, draws = (0, 5, 6), (7, 8, 9), 6000
    requests = [
        Generate(prefix, suffix, (), 1, sampling_temperature, philox_key(3, "draw", i))
        for i in range(draws)
    ]
    drawn = [reply.tokens[0] for reply in llama.run(requests, slots=2048)]
    logits = llama.logits(prefix + suffix)[-1] / sampling_temperature
    expected = draws * torch.softmax(logits, dim=-1).numpy()
    counts = np.bincount(drawn, minlength=VOCABULARY)
    rare = expected < 8
    observed = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    assert len(observed) > 5
    kept = expected > 0
    statistic = ((observed - expected)[kept] ** 2 / expected[kept]).sum()
    assert chi2.sf(statistic, kept.sum() - 1) > 3e-7


@pytest.mark.parametrize("sampling_temperature", [1.0, 2.5])
def test_an_answers_log_probability_is_the_sum_of_its_tokens(served, sampling_temperature):
    prefix = (0, 11, 12)
    stops = tuple(range(1, 50))
    requests = generates(np.random.default_rng(3), 16, prefix, sampling_temperature, stops=stops)
    replies = served.run(requests)
    assert {reply.finished for reply in replies} == {True, False}
    for request, reply in zip(requests, replies, strict=True):
        assert not set(reply.tokens) & set(stops)
        before = prefix + request.suffix
        if not reply.finished:
            assert len(reply.tokens) == request.max_tokens
            exact = served.log_probability(before, reply.tokens, sampling_temperature)
            assert reply.log_probability == pytest.approx(exact, abs=1e-3)
        else:  # some stop followed, and it counts
            possible = [
                served.log_probability(before, (*reply.tokens, stop), sampling_temperature)
                for stop in stops
            ]
            assert min(abs(reply.log_probability - p) for p in possible) < 1e-3


def test_an_answer_does_not_depend_on_how_many_tokens_others_may_write(served):
    short, long = (Generate((0,), (5, 6), (), n, 1.0, philox_key(1, "t")) for n in (2, 9))
    first, second = served.run([short, long])
    assert len(first.tokens) == 2
    assert len(second.tokens) == 9
    assert second.tokens[:2] == first.tokens


def mixed_tiles(weights, seed=5):
    """Tiles of both kinds and several prefixes."""
    rng = np.random.default_rng(seed)
    requests = []
    for prefix in PREFIXES:
        requests += generates(rng, 5, prefix) + scores(rng, 3, prefix)
    return plan(requests, weights, 16).tiles


def bits(replies):
    """Replies with every float to its last bit, as its representation gives it."""
    return [repr(reply.replies) for reply in replies]


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_equal_requests_give_equal_bits_whatever_the_cache_holds(served, dtype):
    settings = replace(served.settings, dtype=dtype)
    requests = nested_requests()
    rng = np.random.default_rng(7)
    warm = TransformersHost(settings)
    once = answered(warm, requests)
    assert answered(warm, requests) == once
    for limit in (1, 9_000):  # nothing fits; some of it does
        tiny = TransformersHost(settings, prefix_bytes=limit)
        order = rng.permutation(len(requests))
        shuffled = answered(tiny, [requests[i] for i in order])
        assert shuffled == [once[i] for i in order]
        tiles = plan(requests, settings.weights, 4).tiles
        assert sum(run_tile(tiny, tile).work.prefix_evictions for tile in tiles) > 0
    for i in rng.permutation(len(requests))[:12]:  # cold, and asked one by one
        warm.forget_prefixes()
        assert answered(warm, [requests[i]]) == [once[i]]


@pytest.mark.parametrize("hosts", [2, 4])
def test_equal_requests_give_equal_bits_on_any_number_of_hosts(llama, hosts):
    requests = nested_requests()
    once = answered(llama.host, requests)
    planned = plan(requests[::-1], llama.settings.weights, 4)
    fleet = [TransformersHost(llama.settings) for _ in range(hosts)]
    replies = {i: run_tile(fleet[i % hosts], t) for i, t in reversed([*enumerate(planned.tiles)])}
    collected = planned.collect([replies[i] for i in range(len(planned.tiles))])
    assert list(map(repr, collected[::-1])) == once


def nested_requests():
    """Both verbs on prefixes of which some begin others, across a block's border and within."""
    rng = np.random.default_rng(9)
    long = tuple(rng.integers(1, VOCABULARY, size=200).tolist())
    requests = []
    for prefix in ((), long[:9], long[:40], long[:64], long[:131], long, (*long[:70], 3, 4)):
        requests += generates(rng, 6, prefix) + scores(rng, 3, prefix)
    return requests


def answered(host, requests, slots=4):
    """Replies to the last bit, as their representations give them."""
    planned = plan(requests, host.weights, slots)
    return list(map(repr, planned.collect([run_tile(host, tile) for tile in planned.tiles])))


ELSEWHERE = """
import pickle, sys
from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
for settings, tiles in pickle.load(sys.stdin.buffer):
    host = TransformersHost(settings)
    for tile in tiles:
        print(run_tile(host, tile).replies)
"""


@pytest.mark.parametrize(
    ("others", "names"),
    [
        (1, ("llama",)),
        pytest.param(1, ("llama", "gpt-neox"), marks=pytest.mark.slow),
        pytest.param(2, tuple(CONFIGS), marks=pytest.mark.slow),
    ],
)
def test_equal_tiles_give_equal_bits_in_other_processes(folders, tmp_path, others, names):
    work = []
    for name in names:
        for dtype in ("float32", "bfloat16"):
            settings = settings_for(folders / name, dtype=dtype)
            work.append((settings, mixed_tiles(settings.weights)))
    asked = tmp_path / "work.pickle"
    asked.write_bytes(pickle.dumps(work))
    elsewhere = [
        subprocess.Popen(
            [sys.executable, "-c", ELSEWHERE],
            stdin=asked.open("rb"),
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("9", "10")[:others]
    ]
    here = []
    for settings, tiles in work:
        host = TransformersHost(settings)
        here += bits([run_tile(host, tile) for tile in tiles])
    for process in elsewhere:
        said, _ = process.communicate()
        assert process.returncode == 0
        assert said.decode().splitlines() == here


@pytest.mark.parametrize("prefix", PREFIXES, ids=len)
@pytest.mark.parametrize("own", [9, pytest.param(24, marks=pytest.mark.slow)])
def test_a_reply_does_not_depend_on_what_else_is_asked(served, half, prefix, own):
    """To the bit: alone; in a slot refilled among many; and with a stranger in every other row."""
    rng = np.random.default_rng(6)
    for one in (served, half):
        for make in (generates, single_scores, scores):
            kept = replace(make(rng, 1, prefix)[0], suffix=tuple(range(30, 30 + own)))
            (alone,) = one.run([kept], slots=4)
            for longest in (own, 30):
                beside = [
                    replace(request, suffix=suffix)
                    for request, suffix in zip(
                        make(rng, 23, prefix), texts(rng, 23, 1, longest), strict=True
                    )
                ]
                among = one.run([*beside[:11], kept, *beside[11:]], slots=4)
                assert repr(among[11]) == repr(alone)
                assert repr(one.run(beside, slots=4)) == repr(among[:11] + among[12:])


def altered(folder, tmp_path, change):
    """A copy of a checkpoint with other weights, served."""
    copy = tmp_path / "altered"
    shutil.copytree(folder, copy)
    weights = load_file(copy / "model.safetensors")
    change(weights)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    return TransformersHost(settings_for(copy)), settings_for(copy).weights


def test_what_a_broken_model_says_is_unreadable_and_never_a_number(folders, tmp_path):
    def to_nan(weights):
        weights["model.norm.weight"][3] = math.nan

    host, weights = altered(folders / "llama", tmp_path, to_nan)
    ask = Score((0,), (5,), ((1,), (2,), (3, 4), (5,), (6,)))
    say = Generate((0,), (5,), (7,), 6, 1.0, (1, 2))
    scored, generated = (
        run_tile(host, plan([r], weights, 4).tiles[0]).replies[0] for r in (ask, say)
    )
    assert isinstance(scored, Scored)
    assert all(math.isnan(log) for log in scored.log_probabilities)
    assert normalised(scored.log_probabilities) is None
    assert isinstance(generated, Generated)
    assert (generated.tokens, generated.finished) == ((), False)
    assert math.isnan(generated.log_probability)


def test_an_infinite_logit_is_unreadable_too(folders, tmp_path):
    """Overflow of one token's logit to +∞ leaves no distribution to draw from."""

    def overflow(weights):
        weights["lm_head.weight"][9] = 0.0
        weights["lm_head.weight"][9, 0] = 3e38

    host, weights = altered(folders / "llama", tmp_path, overflow)
    plain = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "altered")
    with torch.inference_mode():
        infinite = [
            suffix
            for suffix in texts(np.random.default_rng(8), 30)
            if plain(torch.tensor([[0, *suffix]])).logits[0, -1, 9] == math.inf
        ]
    assert infinite
    say = Generate((0,), infinite[0], (7,), 6, 1.0, (1, 2))
    generated = run_tile(host, plan([say], weights, 4).tiles[0]).replies[0]
    assert (generated.tokens, generated.finished) == ((), False)
    assert math.isnan(generated.log_probability)


def test_other_weights_than_expected_are_refused(folders):
    settings = settings_for(folders / "llama")
    with pytest.raises(CheckpointError, match="with weights hash 0000 on every machine, got"):
        TransformersHost(replace(settings, weights="0000"))
    host = TransformersHost(settings)
    (tile,) = plan([Generate((), (5,), (), 1, 1.0, (1, 2))], "0000", 1).tiles
    with pytest.raises(ValueError, match=f"tile: expected weights {settings.weights}, got 0000"):
        host.generate(tile)
    adapted = replace(tile, weights=settings.weights, adapter="added")
    with pytest.raises(ValueError, match="tile: expected 'added' to be worn, got ''"):
        host.generate(adapted)


BEYOND = {
    "cannot be replaced": lambda: transformers.BloomConfig(
        vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4
    ),
    "replaced": lambda: transformers.MambaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", list(BEYOND))
def test_a_model_whose_attention_is_another_runs_a_text_at_a_time(tmp_path, reason, caplog):
    model = transformers.AutoModelForCausalLM.from_config(BEYOND[reason]())
    model.save_pretrained(tmp_path)
    host = TransformersHost(settings_for(tmp_path))
    assert isinstance(host.way, OneByOne)
    assert f"{tmp_path} is run a text at a time" in caplog.text
    assert reason in caplog.text


def test_a_whole_texts_log_probability_is_read_off_one_row(served):
    """An option of many tokens: as plausibility under another model is asked."""
    rng = np.random.default_rng(4)
    requests = [
        Score((0, 3, 4), suffix, (tuple(rng.integers(1, VOCABULARY, length).tolist()),))
        for suffix, length in zip(texts(rng, 6), (1, 2, 5, 17, 33, 60), strict=True)
    ]
    for request, reply in zip(requests, served.run(requests), strict=True):
        (tile,) = plan([request], served.settings.weights, 8).tiles
        assert len([request.options]) == len(tile.requests) == 1
        (option,) = request.options
        exact = served.log_probability(request.prefix + request.suffix, option)
        assert reply.log_probabilities[0] == pytest.approx(exact, rel=1e-5)


def test_half_precision_is_near_and_repeats_itself(served):
    host = TransformersHost(replace(served.settings, dtype="bfloat16"))
    assert {p.dtype for p in host.forward.model.parameters()} == {torch.bfloat16}
    tiles = mixed_tiles(served.settings.weights)
    once = [run_tile(host, tile) for tile in tiles]
    assert bits([run_tile(host, tile) for tile in tiles]) == bits(once)
    whole = [run_tile(served.host, tile) for tile in tiles]
    differences = [
        abs(a - b)
        for half, full in zip(once, whole, strict=True)
        for one, other in zip(half.replies, full.replies, strict=True)
        if isinstance(one, Scored) and isinstance(other, Scored)
        for a, b in zip(one.log_probabilities, other.log_probabilities, strict=True)
    ]
    assert 0.0 < np.mean(differences) < 0.5


def config_for(folder, **agents):
    return check_config(
        {
            "name": "tiny",
            "seed": 2,
            "population": {"size": 3, "generations": 2},
            "agents": {"model": str(folder), "context_capacity": 2, **agents},
            "protocol": {"graders": 2, "threshold": 0.0},
            "hosts": {"device": "cpu"},
            "problems_per_generation": 3,
        }
    )


def test_a_whole_simulation_runs_on_a_foreign_model(served):
    config = config_for(served.folder, interface="base")
    generations = list(Simulation(config))
    assert [g.index for g in generations] == [0, 1]
    for generation in generations:
        assert len(generation.outcomes) == 9
        for outcome in generation.outcomes:
            assert len(outcome.grades) == 2
            assert all(g.value is not None and 0 <= g.value <= 1 for g in outcome.grades)
            assert math.isfinite(outcome.log_probability)
            assert "\n" not in outcome.answer
    assert any(agent.genome.context for agent in generations[-1].agents)
    stage = Stage(config)
    fleet = LocalFleet(stage.host_settings("cpu"))
    again = list(Simulation(config, stage=stage, fleet=fleet))
    assert again == generations


def test_a_foreign_model_is_given_the_base_interface_unless_another_is_asked_for(folders):
    assert Stage(config_for(folders / "llama")).script.interface.name == "base"
    with pytest.raises(ValueError, match="lacks <bos>, <judge>, <grade>"):
        Stage(config_for(folders / "llama", interface="ladder"))


def test_a_context_too_long_for_the_model_is_refused(folders):
    config = config_for(folders / "gpt2")
    agents = config.agents.model_copy(update={"context_capacity": 100})
    with pytest.raises(ValueError, match=f"examples that fit into {LENGTH} tokens"):
        Stage(config.model_copy(update={"agents": agents}))
