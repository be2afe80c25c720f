"""Training a rung: a corpus that is what it says, and weights that a kill does not change."""

# SPDX-License-Identifier: Apache-2.0

import json
import math
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import binom, chi2, rankdata
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.training.adaptation import EXAMPLES, adaptation_curve
from mgptn.agents.training.corpus import (
    FORMS,
    KIND_ANSWER,
    KIND_LEVEL,
    KIND_NONE,
    MIXTURE,
    PERSONA_SHOWN,
    PERSONA_SKILLS,
    SKILLS,
    OwnAnswers,
    draw_documents,
)
from mgptn.agents.training.forward import training_forward
from mgptn.agents.training.own_answers import PROBLEMS, draw_own_answers
from mgptn.agents.training.pretrain import pretrain
from mgptn.agents.training.recipe import BLOCK_STEPS, Recipe
from mgptn.agents.training.rungs import CONTEXT_TOKENS, RUNGS, ladder_tokenizer, llama_config
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.markers import (
    END,
    GRADE,
    JUDGE,
    LEVEL_MARKERS,
    PERSONAS,
    START,
    VOCABULARY,
)
from mgptn.protocols.raters import RATERS
from mgptn.protocols.table import TASKS

LEVEL = "|".join(re.escape(marker) for marker in LEVEL_MARKERS)
ITEM = re.compile(
    rf"(?P<judge><judge>)?(?:<want>(?P<want>{LEVEL}))?(?P<query>[^<>;=]+=)(?P<answer>[^<>;=]+)"
    rf"(?:<grade>(?P<grade>{LEVEL}))?;"
)
EXACT = {(name, size): TASKS[name](size) for name, size in MIXTURE}


def task_of(query):
    """The one task and size of the mixture that a query is of."""
    found = [key for key, task in EXACT.items() if task.parse(query) is not None]
    assert len(found) == 1, query
    return found[0]


def items_of(documents):
    """Each document's persona, task, and whole items, parsed from its text."""
    parsed = []
    for row in documents.tokens:
        text = "".join(VOCABULARY[token] for token in row)
        assert text.startswith(START)
        body = text.removeprefix(START)
        persona = next((name for name, mark in PERSONAS.items() if body.startswith(mark)), None)
        body = body.removeprefix(PERSONAS.get(persona, ""))
        whole = body[: body.rfind(END) + 1]
        items = [match.groupdict() for match in ITEM.finditer(whole)]
        assert "".join(match.group() for match in ITEM.finditer(whole)) == whole
        key = task_of(items[0]["query"])
        for item in items:
            item["right"] = EXACT[key].verify(item["query"], item["answer"])
            item["form"] = form_of(item)
            item["persona"], item["task"] = persona, key
        parsed.append(items)
    return parsed


def form_of(item):
    if item["judge"]:
        assert item["grade"]
        assert not item["want"]
        return "judged"
    if item["want"]:
        assert not item["grade"]
        return "wanted"
    return "graded" if item["grade"] else "plain"


def alarm(observed, shares):
    """p-value of χ² of counts against shares."""
    observed, shares = np.asarray(observed, dtype=float), np.asarray(shares, dtype=float)
    expected = observed.sum() * shares / shares.sum()
    assert expected.min() > 5
    return chi2.sf(((observed - expected) ** 2 / expected).sum(), len(observed) - 1)


@pytest.fixture(scope="module")
def batch():
    return draw_documents(3, 1, np.zeros(1500), CONTEXT_TOKENS)


@pytest.fixture(scope="module")
def documents(batch):
    return items_of(batch)


def test_documents_are_their_seeds_and_blocks():
    def drawn(seed=0, block=5, error_free=0.5, skills="four"):
        return draw_documents(seed, block, np.full(8, error_free), CONTEXT_TOKENS, skills=skills)

    assert np.array_equal(drawn().tokens, drawn().tokens)
    assert np.array_equal(drawn().kinds, drawn().kinds)
    others = (drawn(seed=1), drawn(block=6), drawn(error_free=0.0), drawn(skills="dense"))
    assert all(not np.array_equal(drawn().tokens, other.tokens) for other in others)


@pytest.mark.parametrize("length", [30, 100, CONTEXT_TOKENS])
def test_a_document_is_full_of_tokens(length):
    documents = draw_documents(0, 0, np.full(40, 0.3), length)
    assert documents.tokens.shape == documents.kinds.shape == (40, length)
    assert documents.tokens.min() >= 0
    assert documents.tokens.max() < len(VOCABULARY)
    assert set(np.unique(documents.kinds)) <= {KIND_NONE, KIND_ANSWER, KIND_LEVEL}


def test_no_held_out_problem_is_ever_trained_on(documents):
    for items in documents:
        task = EXACT[items[0]["task"]]
        fields = np.concatenate([task.parse(item["query"]) for item in items])
        assert not task.held_out(fields).any()


def test_tasks_personas_and_forms_have_their_shares(documents):
    """χ² of 1 500 documents and their first 10 items. False alarm 1e-6 each; fixed seed."""
    tasks = [items[0]["task"] for items in documents]
    assert alarm([tasks.count(key) for key in MIXTURE], list(MIXTURE.values())) > 1e-6
    shown = [items[0]["persona"] for items in documents]
    counts = [shown.count(name) for name in (*PERSONAS, None)]
    half = PERSONA_SHOWN / 2
    assert alarm(counts, [half, half, 1 - PERSONA_SHOWN]) > 1e-6
    forms = [item["form"] for items in documents for item in items[:10]]
    assert alarm([forms.count(form) for form in FORMS], list(FORMS.values())) > 1e-6


@pytest.mark.parametrize("persona", [None, "careful", "careless"])
def test_writers_are_as_often_wrong_as_their_persona_says(documents, persona):
    """How many of a document's first 4 own answers are right: a mixture of binomials by skill.

    χ² with 4 degrees of freedom. False-alarm probability 1e-6; fixed seed.
    """
    own = [
        [i["right"] for i in items if i["form"] != "judged"][:4]
        for items in documents
        if items[0]["persona"] == persona
    ]
    right = [sum(answers) for answers in own if len(answers) == 4]
    assert len(right) > 250
    prior = PERSONA_SKILLS.get(persona, (0.25,) * 4)
    mixture = sum(p * binom.pmf(range(5), 4, s) for p, s in zip(prior, SKILLS, strict=True))
    assert alarm(np.bincount(right, minlength=5), mixture) > 1e-6


def test_dense_skills_are_uniform():
    """Right answers among a document's first 4 are evenly 0 … 4. False alarm 1e-6; fixed seed."""
    documents = items_of(draw_documents(2, 0, np.zeros(800), CONTEXT_TOKENS, skills="dense"))
    own = [[i["right"] for i in items if i["form"] != "judged"][:4] for items in documents]
    right = [sum(answers) for answers in own if len(answers) == 4]
    assert alarm(np.bincount(right, minlength=5), np.ones(5)) > 1e-6


@pytest.mark.parametrize("error_free", [0.5, 1.0])
def test_the_curriculum_has_its_share_of_faultless_writers(error_free):
    """Documents without a fault in 6 own answers, of 600. False alarm 1e-6; fixed seed."""
    documents = items_of(draw_documents(1, 0, np.full(600, error_free), CONTEXT_TOKENS))
    own = [[i["right"] for i in items if i["form"] != "judged"][:6] for items in documents]
    own = [answers for answers in own if len(answers) == 6]
    faultless = sum(all(answers) for answers in own)
    if error_free == 1.0:
        assert faultless == len(own)
    else:
        share = 0.5 + 0.5 * np.mean([skill**6 for skill in SKILLS])
        assert alarm([faultless, len(own) - faultless], [share, 1 - share]) > 1e-6


def test_judged_items_are_right_as_often_as_wrong_whoever_writes(documents):
    """χ² in documents by good writers and by bad ones. False alarm 1e-6; fixed seed.

    That judged answers are somebody else's: their verdicts do not follow the document's writer.
    """
    counts = np.zeros((2, 2))
    for items in documents:
        own = [i["right"] for i in items if i["form"] != "judged"]
        good = int(np.mean(own) > 0.5)
        for item in items:
            if item["form"] == "judged":
                counts[good, int(item["right"])] += 1
    expected = counts.sum(axis=1, keepdims=True) / 2
    assert counts.min() > 500
    assert chi2.sf(((counts - expected) ** 2 / expected).sum(), 2) > 1e-6


@pytest.mark.parametrize("form", ["graded", "wanted", "judged"])
def test_levels_follow_the_verdict_with_the_raters_noise(documents, form):
    """χ² of levels after right and after wrong answers. False alarm 5e-7 each; fixed seed.

    One level a document: those of one document share their rater.
    """
    first = [next((i for i in items if i["form"] == form), None) for items in documents]
    shares = np.mean(RATERS, axis=0)
    for right in (True, False):
        levels = [i["grade"] or i["want"] for i in first if i and i["right"] == right]
        counts = [levels.count(marker) for marker in LEVEL_MARKERS]
        assert alarm(counts, shares if right else shares[::-1]) > 5e-7


def test_only_answers_and_levels_are_trained_on(batch):
    """Own answers with what ends them, and levels that follow an answer; nothing that is given."""
    for row, kinds in zip(batch.tokens[:100], batch.kinds[:100], strict=True):
        tokens = [VOCABULARY[token] for token in row]
        begun = 1 + (tokens[1] in PERSONAS.values())
        assert not kinds[:begun].any()
        ends = [begun - 1, *(i for i, token in enumerate(tokens) if token == END)]
        for before, end in pairwise(ends):
            item, marked = tokens[before + 1 : end + 1], kinds[before + 1 : end + 1].tolist()
            equals, judged, graded = item.index("="), item[0] == JUDGE, GRADE in item
            answer = len(item) - equals - 1 - 2 * graded  # with the grade's marker or the end
            expected = [KIND_NONE] * (equals + 1)
            expected += [KIND_NONE if judged else KIND_ANSWER] * answer
            if graded:
                expected += [KIND_LEVEL, KIND_NONE]
            assert marked == expected


def test_prompts_of_a_run_are_beginnings_of_what_was_trained_on(documents):
    interface, tokenizer = LadderInterface(), ladder_tokenizer()
    item = next(i for items in documents for i in items if i["form"] == "judged")
    prompt = interface.grade_prompt(Asked(item["query"], item["answer"]))
    trained = f"{START}{JUDGE}{item['query']}{item['answer']}{GRADE}{item['grade']}{END}"
    assert trained.startswith(prompt.prefix + prompt.suffix)
    ids = tokenizer(trained, add_special_tokens=False).input_ids
    assert [VOCABULARY[i] for i in ids] == tokenizer.convert_ids_to_tokens(ids)
    assert "".join(VOCABULARY[i] for i in ids) == trained
    assert tokenizer.decode(ids, skip_special_tokens=True) == item["query"] + item["answer"]


# Leakage: the verdict is in question and answer together, and in neither alone.


PROBED = 20_000
AGAIN = (("addition", 3), ("subset-sum", 5), ("composition", 2), ("indivisible", 7))
"""Tasks of the mixture that are probed, in another size, among the quick tests as well."""


@pytest.mark.parametrize(
    "key",
    [pytest.param(k, marks=pytest.mark.slow) if k in AGAIN else k for k in MIXTURE],
    ids=lambda key: f"{key[0]}-{key[1]}",
)
@pytest.mark.parametrize("part", ["query", "answer"])
def test_no_probe_of_one_part_alone_finds_the_verdict(key, part):
    """A network on every character and its place, trained on 20 000 judged answers, has an area
    under the curve of at most .53 on as many others: five standard errors from no skill."""
    task = EXACT[key]
    rng = np.random.default_rng(7)
    problems = task.draw_batch(rng, 2 * PROBED, "train")
    wrong = task.corrupt_batch(rng, problems, rng.integers(0, 3, size=2 * PROBED))
    right = rng.random(2 * PROBED) < 0.5
    answers = np.where(right[:, None], problems.references, wrong)
    shown = answers if part == "answer" else task.render(problems.fields)
    scores = probe_scores(one_hot(shown), torch.from_numpy(right).float())
    assert area_under_curve(scores, right[PROBED:]) <= 0.53


def test_a_probe_finds_a_verdict_that_stands_in_the_answer():
    """That the probe above could fail: the last digit decides divisibility by 5."""
    rng = np.random.default_rng(7)
    answers = rng.integers(ord("0"), ord("9") + 1, size=(2 * PROBED, 2))
    right = (answers[:, 1] - ord("0")) % 5 != 0
    scores = probe_scores(one_hot(answers), torch.from_numpy(right).float())
    assert area_under_curve(scores, right[PROBED:]) > 0.99


def one_hot(codes):
    """Characters and their places, float [N, width × 128]."""
    numbers = torch.from_numpy(codes.astype(np.int64))
    return torch.nn.functional.one_hot(numbers, 128).float().flatten(1)


def probe_scores(features, verdicts):
    """What a small network, trained on the first items, says of the rest."""
    torch.manual_seed(0)
    probe = torch.nn.Sequential(
        torch.nn.Linear(features.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
    )
    steps = torch.optim.Adam(probe.parameters(), lr=3e-3, weight_decay=1e-5)
    for _ in range(4):
        for rows in torch.randperm(PROBED).split(256):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                probe(features[rows])[:, 0], verdicts[rows]
            )
            steps.zero_grad()
            loss.backward()
            steps.step()
    with torch.no_grad():
        return probe(features[PROBED:])[:, 0].numpy()


def area_under_curve(scores, right):
    ranks = rankdata(scores)
    count = right.sum()
    return (ranks[right].sum() - count * (count + 1) / 2) / (count * (len(right) - count))


# The model's own answers.


@pytest.fixture(scope="module")
def small_model():
    torch.manual_seed(0)
    return LlamaForCausalLM(llama_config(RUNGS["gpt-1"]))


def test_own_answers_are_the_models_and_their_verdicts_true(small_model):
    pool = draw_own_answers(small_model, 0, 3, "cpu")
    assert set(pool) == set(MIXTURE)
    own = pool["indivisible", 7]
    task = TASKS["indivisible"](7)
    verdicts = task.right(own.problems.fields, own.answers)
    assert verdicts[: own.right].all()
    assert not verdicts[own.right :].any()
    assert not task.held_out(own.problems.fields).any()
    assert 0 < len(own.answers) < PROBLEMS  # an untrained model seldom writes two digits
    again = draw_own_answers(small_model, 0, 3, "cpu")["indivisible", 7]
    assert np.array_equal(again.answers, own.answers)


def test_half_of_what_is_judged_is_then_the_models_own():
    """Judged answers that are in the pool, of the tasks with right and wrong ones there."""
    rng = np.random.default_rng(0)
    task = TASKS["addition"](3)
    problems = task.draw_batch(rng, 200, "train")
    wrong = task.corrupt_batch(rng, problems, np.zeros(200, dtype=int))
    answers = np.concatenate([problems.references[:100], wrong[100:]])
    pool = {("addition", 3): OwnAnswers(problems, answers, 100)}
    documents = items_of(draw_documents(1, 0, np.zeros(1500), CONTEXT_TOKENS, pool=pool))
    judged = [
        item
        for items in documents
        for item in items
        if item["form"] == "judged" and item["task"] == ("addition", 3)
    ]
    queries = {bytes(row).decode() for row in task.render(problems.fields)}
    taken = [item["query"] in queries for item in judged]
    assert alarm([sum(taken), len(taken) - sum(taken)], [0.5, 0.5]) > 1e-6
    right = [item["right"] for item in judged]
    assert alarm([sum(right), len(right) - sum(right)], [0.5, 0.5]) > 1e-6


# Attention, and the adaptation curve.


@pytest.mark.parametrize(
    ("length", "compiled"),
    [
        *((1, False), (63, False), (64, False), (200, False)),
        pytest.param(70, True, marks=pytest.mark.slow),
    ],
)
def test_the_forward_pass_of_training_is_the_models_own(small_model, length, compiled):
    """Logits and gradients in float64, to 1e-6 of the largest, beside transformers'."""
    model = LlamaForCausalLM(small_model.config).double()
    tokens = torch.randint(len(VOCABULARY), (3, length))
    ours = training_forward(model, torch.float64)
    if compiled:
        ours = torch.compile(ours)
    results = []
    for forward in (lambda t: model(input_ids=t, use_cache=False).logits, ours):
        model.zero_grad()
        logits = forward(tokens)
        logits.square().sum().backward()
        results.append([logits.detach().double(), *(p.grad.clone() for p in model.parameters())])
    for plain, fused in zip(*results, strict=True):
        scale = max(1e-2, float(plain.abs().max()))  # one token alone: none in q and k
        assert torch.allclose(plain, fused, rtol=0, atol=1e-6 * scale)  # sums are in float32


def test_the_adaptation_curve_has_a_point_for_every_task_and_writer(small_model):
    curve = adaptation_curve(small_model, CONTEXT_TOKENS, "cpu")
    assert list(curve) == [f"{name} {size}" for name, size in MIXTURE]
    values = [v for writers in curve.values() for points in writers.values() for v in points]
    assert len(values) == len(MIXTURE) * 2 * len(EXAMPLES)
    assert all(0 < value < 1e-2 for value in values)  # an untrained model guesses
    assert curve == adaptation_curve(small_model, CONTEXT_TOKENS, "cpu")


# Training.

LOG_EVERY = 4
RECIPE = Recipe("gpt-1", seed=4, steps=24, documents=2, warm_up_steps=3, own_answers_draws=1)


def train(folder, recipe=RECIPE, stop=None, save_every=2):
    steps = pretrain(
        recipe,
        folder,
        device="cpu",
        compile_model=False,
        threads=1,
        report_every=1,
        log_every=LOG_EVERY,
        save_every=save_every,
    )
    progress = list(islice(steps, stop))
    steps.close()
    return progress


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(folder)


def five_digits(number: float) -> float:
    """As the log keeps it."""
    return float(f"{number:.4e}")


def test_training_reports_every_step_and_learns(trained):
    folder, progress = trained
    assert [p.step for p in progress] == list(range(1, 25))
    assert all(math.isfinite(p.answer_loss) and math.isfinite(p.level_loss) for p in progress)
    assert progress[-1].answer_loss < progress[0].answer_loss
    logged = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    assert [line["step"] for line in logged] == list(range(LOG_EVERY, 25, LOG_EVERY))
    for line in logged:
        # A mean over the steps since the line before lies between the least and the greatest.
        since = [p.answer_loss for p in progress[line["step"] - LOG_EVERY : line["step"]]]
        assert five_digits(min(since)) <= line["answer_loss"] <= five_digits(max(since))
    assert "adaptation" in logged[-1]
    assert "adaptation" not in logged[0]


@pytest.mark.parametrize("stop", [*(pytest.param(s, marks=pytest.mark.slow) for s in (3, 16)), 19])
def test_a_training_killed_and_carried_on_ends_in_the_same_bits(trained, tmp_path, stop):
    folder, progress = trained
    train(tmp_path, stop=stop)
    assert not (tmp_path / "model.safetensors").exists()
    rest = train(tmp_path)
    assert [p.step for p in rest] == list(range(stop // 2 * 2 + 1, 25))
    assert [p.answer_loss for p in rest] == [p.answer_loss for p in progress[-len(rest) :]]
    whole, resumed = (load_file(f / "model.safetensors") for f in (folder, tmp_path))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert find_checkpoint(str(folder)).weights == find_checkpoint(str(tmp_path)).weights


@pytest.mark.slow
def test_an_interrupted_training_has_lost_nothing(tmp_path):
    """SIGINT, far from the next checkpoint: it is written, and the same command carries on."""
    words = "pretrain --rung gpt-1 --steps 4000 --no-compile --threads 1 --set documents=1"
    command = [sys.executable, "-m", "mgptn.experiments", *words.split(), "--out", str(tmp_path)]
    log = tmp_path / "training.jsonl"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 120
        while not log.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said.decode()
    assert b"carries on from the checkpoint" in said
    step = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"]
    assert 20 <= step < 500
    assert not (tmp_path / "training.json").exists()


@pytest.mark.slow
def test_a_stopped_training_carries_on_to_the_same_bits(trained, tmp_path):
    folder, progress = trained
    asked = iter([False, False, True])
    first = pretrain(
        RECIPE, tmp_path, device="cpu", compile_model=False, threads=1,
        report_every=1, stopped=lambda: next(asked),
    )  # fmt: skip
    rest = [*first, *train(tmp_path)]
    assert [p.answer_loss for p in rest] == [p.answer_loss for p in progress]
    assert find_checkpoint(str(folder)).weights == find_checkpoint(str(tmp_path)).weights


@pytest.mark.slow
def test_the_seed_and_the_data_decide_the_weights(trained, tmp_path):
    other = replace(RECIPE, seed=5)
    train(tmp_path, other)
    assert find_checkpoint(str(tmp_path)).weights != find_checkpoint(str(trained[0])).weights


def test_the_folder_is_one_that_transformers_loads(trained):
    folder, _ = trained
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rung = RUNGS["gpt-1"]
    assert model.config.model_type == "llama"
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (rung.layers, rung.width)
    assert model.config.max_position_embeddings == CONTEXT_TOKENS
    saved = torch.load(folder / "checkpoint.pt", weights_only=True)["model"]
    rounded = {name: value.bfloat16() for name, value in saved.items()}
    assert all(torch.equal(rounded[name], value) for name, value in model.state_dict().items())
    assert tokenizer.convert_ids_to_tokens(list(range(len(VOCABULARY)))) == list(VOCABULARY)
    assert (tokenizer.bos_token, tokenizer.eos_token) == (START, END)
    ids = tokenizer("<judge>12+34=640<grade>", add_special_tokens=False).input_ids
    assert len(ids) == 11
    checkpoint = find_checkpoint(str(folder))
    assert checkpoint.context_tokens == CONTEXT_TOKENS


def test_how_the_weights_came_about_is_written_down(trained):
    folder, progress = trained
    written = json.loads((folder / "training.json").read_text())
    assert written["recipe"]["seed"] == 4
    assert written["tokens"] == 24 * 2 * CONTEXT_TOKENS
    since = [p.answer_loss for p in progress[-LOG_EVERY:]]
    assert five_digits(min(since)) < written["answer_loss"] < five_digits(max(since))
    assert written["versions"]["torch"] == torch.__version__
    assert (written["device"], written["threads"]) == ("cpu", 1)


def test_a_kill_before_the_model_was_written_costs_nothing(trained, tmp_path):
    folder, _ = trained
    for name in ("checkpoint.pt", "training.jsonl"):
        shutil.copy(folder / name, tmp_path / name)
    assert train(tmp_path) == []
    for name in ("model.safetensors", "training.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_another_recipe_in_the_same_folder_is_refused(trained, tmp_path):
    train(tmp_path, stop=2)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    other = replace(RECIPE, steps=25, documents=3)
    with pytest.raises(ValueError, match="one that differs in steps, documents"):
        train(tmp_path, other)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_finished_training_asked_for_again_changes_nothing(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert train(tmp_path) == []
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()


def test_a_recipe_that_cannot_be_followed_is_refused():
    with pytest.raises(ValueError, match=r"rung: expected one of gpt-1, .*gpt-5, got 'gpt-9'"):
        Recipe("gpt-9")
    with pytest.raises(ValueError, match="steps: expected at least 1, or 0 for the rung's, got -1"):
        Recipe("gpt-1", steps=-1)
    with pytest.raises(ValueError, match="skills: expected four or dense, got 'five'"):
        Recipe("gpt-1", skills="five")
    assert Recipe("gpt-1").steps == RUNGS["gpt-1"].steps


def test_the_schedule_warms_up_and_falls():
    recipe = Recipe("gpt-1", steps=100, warm_up_steps=10)
    rates = [recipe.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, rel=1e-2)
    assert max(rates) == pytest.approx(1.0, rel=0.05)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 0.06
    shares = [recipe.error_free(block)[::16].tolist() for block in range(13)]
    shares = [share for block in shares for share in block][:100]
    assert shares[0] == recipe.error_free_share
    assert shares[60:] == [0.0] * 40
    assert shares[:61] == sorted(shares[:61], reverse=True)


def test_own_answers_are_drawn_from_half_of_the_steps_on():
    recipe = Recipe("gpt-1", steps=1600, own_answers_draws=4)
    drawn = [block for block in range(200) if recipe.own_answers_drawn(block)]
    assert drawn == [100, 125, 150, 175]
    assert BLOCK_STEPS == 8
