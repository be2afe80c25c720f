"""A population's work on a real model: what is asked, ways that say the same, files, tables."""

# SPDX-License-Identifier: Apache-2.0

import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest
import transformers
from click.testing import CliRunner

from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Generate, Generated
from mgptn.experiments.bench.real.contest import Measured
from mgptn.experiments.bench.real.gguf import ALIGNMENT, NotConverted, write_gguf
from mgptn.experiments.bench.real.tables import (
    as_plain,
    equal_share,
    greatest_difference,
    rate_table,
    ratio_table,
    ratios,
)
from mgptn.experiments.bench.real.trimming import trimmed
from mgptn.experiments.bench.real.ways import Continuous, Generating, Ours
from mgptn.experiments.bench.real.where import MOVING, ROWS, SCORING, where
from mgptn.experiments.bench.real.workload import Size, configured, make_workload, workload_of
from mgptn.experiments.commands.bench import bench
from mgptn.experiments.setting.stage import Stage
from tests.random_models import TINY, chatting, qwen_like_tokenizer, random_weights

SIZE = Size(problems=2, agents=3, graders=2, examples=2, shots=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A Llama of two layers with random weights that converses."""
    place = tmp_path_factory.mktemp("real")
    tokenizer = qwen_like_tokenizer(["What is it? The answer is this."] * 9, 256, 2048)
    shape = {**TINY, "vocab_size": len(tokenizer), "max_position_embeddings": 2048}
    shape |= {"eos_token_id": 0, "bos_token_id": None}
    random_weights(place / "plain", transformers.LlamaConfig(**shape, tie_word_embeddings=True))
    tokenizer.save_pretrained(place / "plain")
    return chatting(place / "plain", place / "chat")


@pytest.fixture(scope="module")
def stage(folder):
    return Stage(configured(str(folder), SIZE, "cpu", "float32", 1))


@pytest.fixture(scope="module")
def workload(stage):
    """What is asked where every agent answers with its own number of letters."""

    def answering(requests):
        texts = ["ab"[: 1 + i % 2] for i in range(len(requests))]
        return [Generated(stage.script.encoder.suffix(text), "stop", ()) for text in texts]

    return make_workload(stage, SIZE, answering)


def test_agents_with_contexts_of_their_own_answer_and_others_grade_after_a_rubric(stage, workload):
    assert len(workload.answers) == SIZE.agents * SIZE.problems
    assert len({r.prefix for r in workload.answers}) == SIZE.agents
    assert all(r.top_k == 1 for r in workload.answers)
    written = stage.script.encoder.written
    contexts = {written(r.prefix) for r in workload.answers}
    assert all(text.count("[user]") == SIZE.examples + 1 for text in contexts)
    shown = [turn.partition("<")[0] for text in contexts for turn in text.split("[user]")[1:-1]]
    assert len(set(shown)) == SIZE.agents * SIZE.examples  # nobody has another's examples
    # Some answers are the same, and no grader is asked the same twice.
    assert len(set(workload.grades)) == len(workload.grades)
    most = len(workload.answers) * SIZE.graders
    assert 0 < len(workload.grades) <= most
    assert len({r.prefix for r in workload.grades}) == SIZE.agents
    for request in workload.grades:
        assert written(request.prefix).count("Somebody's answer:") == SIZE.shots
        assert written(request.suffix).count("Somebody's answer:") == 1


def test_a_workload_is_the_same_after_its_way_through_json(workload):
    again = workload_of(json.loads(json.dumps(workload.as_plain())))
    assert again.grades == workload.grades
    assert [(r.prefix, r.suffix, r.stops, r.endings, r.max_tokens) for r in again.answers] == [
        (r.prefix, r.suffix, r.stops, r.endings, r.max_tokens) for r in workload.answers
    ]


def test_all_ways_say_the_same(folder, stage, workload):
    (checkpoint,) = stage.checkpoints.values()
    workload = replace(
        workload,
        answers=tuple(replace(r, max_tokens=4 + i) for i, r in enumerate(workload.answers[:4])),
        grades=workload.grades[:3],
    )
    ours = Ours(HostSettings(str(folder), checkpoint.weights), workload.slots)
    plain, continuous = (made(folder, "cpu", "float32") for made in (Generating, Continuous))
    answers = [tuple(answer) for answer in ours.answer(workload.answers)]
    assert len(set(answers)) > 1
    assert plain.answer(workload.answers) == answers
    assert continuous.answer(workload.answers) == answers
    masses = np.array(ours.grade(workload.grades))
    np.testing.assert_allclose(plain.grade(workload.grades), masses, atol=1e-4)
    assert np.isnan(continuous.grade(workload.grades)).all()
    parts = where(ours, workload)
    assert set(parts) == {"answers", "grades"}
    assert parts["grades"][ROWS] > parts["grades"][SCORING] >= 0
    assert parts["answers"][MOVING] >= 0
    assert "prefix" not in vars(ours.host.way)  # nothing is left that was timed


def test_an_answer_ends_before_a_stop_after_an_ending_and_where_it_is_cut_off():
    asked = Generate((), (1,), (7,), 3, 1.0, (0, 0), frozenset({8}))
    assert trimmed([4, 7, 5], asked) == (4,)
    assert trimmed([4, 8, 5], asked) == (4, 8)
    assert trimmed([4, 5, 6, 4], asked) == (4, 5, 6)


def test_a_llama_as_llama_cpp_reads_it(folder, tmp_path):
    """The file read by its format, without what wrote it; queries turned as llama.cpp's own does.

    The halves of a head's width that are rotated together are neighbours there.
    """
    file = write_gguf(folder, tmp_path / "model.gguf", "float16")
    settings, tensors = _read(file)
    assert settings["general.architecture"] == "llama"
    assert settings["llama.rope.freq_base"] == 10000.0
    assert len(settings["tokenizer.ggml.tokens"]) == settings["llama.vocab_size"]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    known = model.state_dict()
    expected = known["model.layers.1.self_attn.q_proj.weight"].numpy()  # 4 heads, 8 wide
    for row in range(32):
        head, inside = divmod(row, 8)
        source = head * 8 + (inside % 2) * 4 + inside // 2
        np.testing.assert_allclose(
            tensors["blk.1.attn_q.weight"][row], expected[source], rtol=1e-3, atol=1e-6
        )
    embedded = tensors["token_embd.weight"]
    assert embedded.dtype == np.float16
    np.testing.assert_allclose(embedded, known["model.embed_tokens.weight"].numpy(), rtol=2e-3)
    assert tensors["blk.0.attn_norm.weight"].dtype == np.float32
    assert "output.weight" not in tensors  # the embeddings are used again


def test_another_kind_of_model_is_not_written(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "qwen3"}))
    with pytest.raises(NotConverted, match="plain Llama, got 'qwen3'"):
        write_gguf(tmp_path, tmp_path / "model.gguf", "float32")


def _measured(seconds, answers, masses):
    return Measured(
        starts=[2 * s for s in seconds],
        answer=list(seconds),
        grade=[3 * s for s in seconds],
        first=8.0,
        peak=2**30,
        answers=answers,
        masses=masses,
    )


def test_ratios_are_of_one_repeat_and_what_is_not_said_is_not_compared():
    ours = _measured([1.0, 2.0], [[1], [2, 3]], [[math.log(0.5), math.log(0.25)]])
    other = _measured([3.0, 4.0], [[1], [2, 4]], [[math.log(0.75), math.nan]])
    found = ratios(ours, other)
    assert found["answer"] == found["grade"] == found["both"] == [3.0, 2.0]
    assert found["cold"] == [14 / 10, 16 / 12]
    assert equal_share(ours, other) == 0.5
    assert greatest_difference(ours, other) == pytest.approx(0.25)
    both = {"ours": ours, "other": other}
    plain = json.loads(json.dumps(as_plain(both)))
    assert plain["against"]["other"]["ratios"]["both"] == [3.0, 2.0]
    assert ratio_table(both, "t").row_count == 5
    assert rate_table(both).row_count == 8
    silent = _measured([3.0, 4.0], [[1], [2, 4]], [[math.nan, math.nan]])
    assert as_plain({"ours": ours, "x": silent})["against"]["x"]["greatest_difference"] is None


def test_what_is_of_a_model_needs_one():
    said = CliRunner().invoke(bench, ["engine", "--threads", "2"])
    assert said.exit_code == 2
    assert "--threads: expected --model beside it" in said.output


def _read(path):
    """Settings and tensors of a file in GGUF's third version."""
    data = path.read_bytes()
    magic, version, count, pairs = struct.unpack_from("<4sIQQ", data)
    assert (magic, version) == (b"GGUF", 3)
    at = 24

    def take(form):
        nonlocal at
        (value,) = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(f"<{form}")
        return value

    def text():
        nonlocal at
        length = take("Q")
        at += length
        return data[at - length : at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, length = take("I"), take("Q")
            return [value(inner) for _ in range(length)]
        return take({4: "I", 5: "i", 6: "f"}[kind])

    settings = {}
    for _ in range(pairs):
        key = text()
        settings[key] = value(take("I"))
    heads = []
    for _ in range(count):
        name, dims = text(), take("I")
        shape = [take("Q") for _ in range(dims)][::-1]
        heads.append((name, shape, {0: np.float32, 1: np.float16}[take("I")], take("Q")))
    start = -(-at // ALIGNMENT) * ALIGNMENT
    return settings, {
        name: np.frombuffer(data, kind, math.prod(shape), start + offset).reshape(shape)
        for name, shape, kind, offset in heads
    }
