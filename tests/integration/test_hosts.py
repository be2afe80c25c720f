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

from agents import transformers_host
from agents.checkpoints import CheckpointError, find_checkpoint
from agents.fleet import LocalFleet, run_tile
from agents.host import HostSettings
from agents.requests import Generate, Generated, Score, Scored
from agents.tiles import plan
from agents.transformers_host import TransformersHost
from experiments.casting import read_levels
from experiments.config import check_config
from experiments.simulation import Simulation
from experiments.stage import Stage
from population.streams import philox_key
from protocols.interfaces.wordings import WORDS

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
def test_the_coldest_sampling_writes_what_greedy_decoding_does(served, prefix):
    """Only texts whose every best token is at least 0.25 logits ahead: 300·exp(−25) a token.

    False-alarm probability below 1e-6 over the few hundred tokens.
    """
    rng = np.random.default_rng(2)
    requests, expected = [], []
    for request in generates(rng, 24, prefix, sampling_temperature=0.01, max_tokens=5, stops=(0,)):
        text = prefix + request.suffix
        made = served.plain.generate(
            torch.tensor([text]),
            attention_mask=torch.ones(1, len(text)),
            do_sample=False,
            max_new_tokens=5,
            eos_token_id=0,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        best = torch.stack([logits[0].topk(2).values for logits in made.logits])
        if float((best[:, 0] - best[:, 1]).min()) > 0.25:
            requests.append(request)
            expected.append(made.sequences[0, len(text) :].tolist())
    assert len(requests) >= 4
    for reply, tokens in zip(served.run(requests), expected, strict=True):
        finished = tokens[-1] == 0
        assert reply.finished == finished
        assert list(reply.tokens) == (tokens[:-1] if finished else tokens)


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


def test_equal_tiles_give_equal_bits_whatever_the_cache_holds(served, monkeypatch):
    tiles = mixed_tiles(served.settings.weights)
    once = bits([run_tile(served.host, tile) for tile in tiles])
    warm = [run_tile(served.host, tile) for tile in reversed(tiles)][::-1]
    assert bits(warm) == once
    cold = TransformersHost(served.settings)
    alone = []
    for tile in tiles:
        cold.forget_prefixes()
        alone.append(run_tile(cold, tile))
    assert bits(alone) == once
    assert sum(reply.work.tokens_saved for reply in alone) < sum(
        reply.work.tokens_saved for reply in warm
    )
    monkeypatch.setattr(transformers_host, "PREFIX_CACHE_BYTES", 1)
    tiny = TransformersHost(served.settings)
    assert bits([run_tile(tiny, tile) for tile in (*tiles, *tiles)]) == bits([*warm, *warm])


ELSEWHERE = """
import pickle, sys
from agents.fleet import run_tile
from agents.transformers_host import TransformersHost
for settings, tiles in pickle.load(sys.stdin.buffer):
    host = TransformersHost(settings)
    for tile in tiles:
        print(run_tile(host, tile).replies)
"""


def test_equal_tiles_give_equal_bits_in_another_process(folders):
    work = []
    for name in CONFIGS:
        settings = settings_for(folders / name)
        work.append((settings, mixed_tiles(settings.weights)))
    here = [TransformersHost(settings) for settings, _ in work]
    run = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=pickle.dumps(work),
        env={**os.environ, "PYTHONHASHSEED": "9"},
        capture_output=True,
        check=True,
    )
    assert run.stdout.decode().splitlines() == [
        one
        for host, (_, tiles) in zip(here, work, strict=True)
        for one in bits([run_tile(host, tile) for tile in tiles])
    ]


@pytest.mark.parametrize("prefix", PREFIXES, ids=len)
@pytest.mark.parametrize(
    ("own", "lengths"), [(9, (1, 3)), (9, (9, 9)), (24, (1, 24)), (9, (24, 24))]
)
def test_a_reply_does_not_depend_on_what_the_other_rows_hold(served, prefix, own, lengths):
    """To the bit: same shape, same row, other content and other lengths beside it.

    Rows of full width beside a row of full width leave nothing to mask, short ones do.
    """
    rng = np.random.default_rng(6)
    for make in (generates, single_scores, scores):
        kept = replace(make(rng, 1, prefix)[0], suffix=tuple(range(30, 30 + own)))
        tiles = []
        for shortest, longest in ((own, own), lengths):
            beside = zip(make(rng, 7, prefix), texts(rng, 7, shortest, longest), strict=True)
            requests = [kept, *(replace(request, suffix=suffix) for request, suffix in beside)]
            tiles += plan(requests, served.settings.weights, 64).tiles
        rows, width = max(t.rows for t in tiles), max(t.width for t in tiles)
        first, second = (
            run_tile(served.host, replace(tile, rows=rows, width=width)).replies for tile in tiles
        )
        assert repr(first[1:]) != repr(second[1:])
        assert repr(first[0]) == repr(second[0])


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
    assert read_levels(scored) is None
    assert isinstance(generated, Generated)
    assert (generated.tokens, generated.finished) == ((), False)
    assert math.isnan(generated.log_probability)


def test_an_infinite_logit_is_unreadable_too(folders, tmp_path):
    """Overflow of one token's logit to +∞ leaves no distribution to draw from."""

    def overflow(weights):
        weights["lm_head.weight"][9] = 0.0
        weights["lm_head.weight"][9, 0] = 3e38

    host, weights = altered(folders / "llama", tmp_path, overflow)
    with torch.inference_mode():
        infinite = [
            suffix
            for suffix in texts(np.random.default_rng(8), 30)
            if host.model(torch.tensor([[0, *suffix]])).logits[0, -1, 9] == math.inf
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


def test_half_precision_is_near_and_repeats_itself(served):
    host = TransformersHost(replace(served.settings, dtype="bfloat16"))
    assert {p.dtype for p in host.model.parameters()} == {torch.bfloat16}
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
