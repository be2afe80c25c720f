"""Training a rung: a corpus that is what it says, and weights that a kill does not change."""

# SPDX-License-Identifier: Apache-2.0

import json
import math
import re
from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import binom, chi2
from transformers import AutoModelForCausalLM, AutoTokenizer

from agents.checkpoints import find_checkpoint
from agents.training.corpus import (
    FORMS,
    KIND_ANSWER,
    KIND_LEVEL,
    KIND_NONE,
    LEVELS_IF_RIGHT,
    SKILLS,
    draw_batch,
)
from agents.training.pretrain import Recipe, pretrain
from agents.training.rungs import CONTEXT_TOKENS, RUNGS, ladder_tokenizer
from protocols.interfaces.ladder import LadderInterface
from protocols.interfaces.markers import END, GRADE, JUDGE, LEVEL_MARKERS, START, VOCABULARY
from protocols.tasks.addition import Addition

TASK = Addition(2)
LEVEL = "|".join(re.escape(marker) for marker in LEVEL_MARKERS)
ITEM = re.compile(
    rf"(?P<judge><judge>)?(?:<want>(?P<want>{LEVEL}))?(?P<query>\d\d\+\d\d=)(?P<answer>\d{{3}})"
    rf"(?:<grade>(?P<grade>{LEVEL}))?;"
)


def items_of(batch):
    """Whole items of each document, parsed from its text."""
    documents = []
    for row in batch.tokens:
        text = "".join(VOCABULARY[token] for token in row)
        assert text.startswith(START)
        body = text.removeprefix(START)
        whole = body[: body.rfind(END) + 1]
        items = [match.groupdict() for match in ITEM.finditer(whole)]
        assert "".join(match.group() for match in ITEM.finditer(whole)) == whole
        for item in items:
            item["right"] = TASK.verify(item["query"], item["answer"])
            item["form"] = form_of(item)
        documents.append(items)
    return documents


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
    return draw_batch(seed=3, step=1, documents=1500, length=CONTEXT_TOKENS, error_free=0.0)


@pytest.fixture(scope="module")
def documents(batch):
    return items_of(batch)


def test_a_batch_is_its_seeds_and_steps():
    def drawn(seed=0, step=5, error_free=0.5):
        return draw_batch(seed, step, 8, CONTEXT_TOKENS, error_free)

    assert np.array_equal(drawn().tokens, drawn().tokens)
    assert np.array_equal(drawn().kinds, drawn().kinds)
    others = (drawn(seed=1), drawn(step=6), drawn(error_free=0.0))
    assert all(not np.array_equal(drawn().tokens, other.tokens) for other in others)


@pytest.mark.parametrize("length", [12, 50, CONTEXT_TOKENS])
def test_a_document_is_full_of_tokens(length):
    batch = draw_batch(0, 0, 40, length, 0.3)
    assert batch.tokens.shape == batch.kinds.shape == (40, length)
    assert batch.tokens.min() >= 0
    assert batch.tokens.max() < len(VOCABULARY)
    assert set(np.unique(batch.kinds)) <= {KIND_NONE, KIND_ANSWER, KIND_LEVEL}


def test_no_held_out_problem_is_ever_trained_on(documents):
    pairs = np.array(
        [[int(i["query"][:2]), int(i["query"][3:5])] for items in documents for i in items]
    )
    assert not TASK.held_out(pairs).any()
    assert len(pairs) > 15_000


def test_forms_have_their_shares(documents):
    """χ² of the first 10 items of 1 500 documents. False-alarm probability 1e-6; fixed seed."""
    forms = [item["form"] for items in documents for item in items[:10]]
    assert alarm([forms.count(form) for form in FORMS], list(FORMS.values())) > 1e-6


def test_writers_are_as_often_wrong_as_their_skill_says(documents):
    """How many of a document's first 6 own answers are right: a mixture of binomials by skill.

    χ² with 6 degrees of freedom. False-alarm probability 1e-6; fixed seed.
    """
    own = [[i["right"] for i in items if i["form"] != "judged"][:6] for items in documents]
    right = [sum(answers) for answers in own if len(answers) == 6]
    assert len(right) > 1400
    mixture = np.mean([binom.pmf(range(7), 6, skill) for skill in SKILLS], axis=0)
    assert alarm(np.bincount(right, minlength=7), mixture) > 1e-6


@pytest.mark.parametrize("error_free", [0.5, 1.0])
def test_the_curriculum_has_its_share_of_faultless_writers(error_free):
    """Documents without a fault in 8 own answers, in 600. False alarm 1e-6; fixed seed."""
    documents = items_of(draw_batch(1, 0, 600, CONTEXT_TOKENS, error_free))
    own = [[i["right"] for i in items if i["form"] != "judged"][:8] for items in documents]
    own = [answers for answers in own if len(answers) == 8]
    faultless = sum(all(answers) for answers in own)
    if error_free == 1.0:
        assert faultless == len(own)
    else:
        share = 0.5 + 0.5 * np.mean([skill**8 for skill in SKILLS])
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
    """χ² of levels after right and after wrong answers. False alarm 5e-7 each; fixed seed."""
    items = [i for items in documents for i in items if i["form"] == form]
    for right in (True, False):
        levels = [i["grade"] or i["want"] for i in items if i["right"] == right]
        counts = [levels.count(marker) for marker in LEVEL_MARKERS]
        assert alarm(counts, LEVELS_IF_RIGHT if right else LEVELS_IF_RIGHT[::-1]) > 5e-7


def test_only_answers_and_levels_are_trained_on(batch):
    """Own answers with what ends them, and levels that follow an answer; nothing that is given."""
    for row, kinds in zip(batch.tokens[:100], batch.kinds[:100], strict=True):
        tokens = [VOCABULARY[token] for token in row]
        assert kinds[0] == KIND_NONE
        ends = [0, *(i for i, token in enumerate(tokens) if token == END)]
        for before, end in pairwise(ends):
            item, marked = tokens[before + 1 : end + 1], kinds[before + 1 : end + 1].tolist()
            equals, judged = item.index("="), item[0] == JUDGE
            graded = GRADE in item
            expected = [KIND_NONE] * (equals + 1)
            expected += [KIND_NONE if judged else KIND_ANSWER] * 4  # three digits, grade or end
            if graded:
                expected += [KIND_LEVEL, KIND_NONE]
            assert marked == expected


def test_prompts_of_a_run_are_beginnings_of_what_was_trained_on(documents):
    interface, tokenizer = LadderInterface(), ladder_tokenizer()
    item = next(i for items in documents for i in items if i["form"] == "judged")
    prompt = interface.grade_prompt([], item["query"], item["answer"])
    trained = f"{START}{JUDGE}{item['query']}{item['answer']}{GRADE}{item['grade']}{END}"
    assert trained.startswith(prompt.prefix + prompt.suffix)
    ids = tokenizer(trained, add_special_tokens=False).input_ids
    assert [VOCABULARY[i] for i in ids] == tokenizer.convert_ids_to_tokens(ids)
    assert "".join(VOCABULARY[i] for i in ids) == trained
    assert tokenizer.decode(ids, skip_special_tokens=True) == item["query"] + item["answer"]


# Training.

RECIPE = Recipe("gpt-1", seed=4, steps=6, documents=2, warm_up_steps=3)


def train(folder, recipe=RECIPE, stop=None, save_every=2):
    steps = pretrain(
        recipe,
        folder,
        device="cpu",
        compile_model=False,
        threads=1,
        report_every=1,
        save_every=save_every,
    )
    progress = list(islice(steps, stop))
    steps.close()
    return progress


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(folder)


def test_training_reports_every_step_and_learns(trained):
    folder, progress = trained
    assert [p.step for p in progress] == [1, 2, 3, 4, 5, 6]
    assert all(math.isfinite(p.answer_loss) and math.isfinite(p.level_loss) for p in progress)
    assert progress[-1].answer_loss < progress[0].answer_loss
    logged = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    assert [(line["step"], line["answer_loss"]) for line in logged] == [
        (p.step, p.answer_loss) for p in progress
    ]


@pytest.mark.parametrize("stop", [2, 3, 5])
def test_a_training_killed_and_carried_on_ends_in_the_same_bits(trained, tmp_path, stop):
    folder, progress = trained
    train(tmp_path, stop=stop)
    assert not (tmp_path / "model.safetensors").exists()
    rest = train(tmp_path)
    assert [p.step for p in rest] == list(range(stop // 2 * 2 + 1, 7))
    assert [p.answer_loss for p in rest] == [p.answer_loss for p in progress[-len(rest) :]]
    whole, resumed = (load_file(f / "model.safetensors") for f in (folder, tmp_path))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert find_checkpoint(str(folder)).weights == find_checkpoint(str(tmp_path)).weights


def test_the_seed_and_the_data_decide_the_weights(trained, tmp_path):
    other = Recipe("gpt-1", seed=5, steps=6, documents=2, warm_up_steps=3)
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
    assert all(torch.equal(saved[name], value) for name, value in model.state_dict().items())
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
    assert written["tokens"] == 6 * 2 * CONTEXT_TOKENS
    assert written["answer_loss"] == progress[-1].answer_loss
    assert written["versions"]["torch"] == torch.__version__
    assert (written["device"], written["threads"]) == ("cpu", 1)


def test_another_recipe_in_the_same_folder_is_refused(trained, tmp_path):
    train(tmp_path, stop=2)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    other = Recipe("gpt-1", seed=4, steps=7, documents=3, warm_up_steps=3)
    with pytest.raises(ValueError, match="one that differs in steps, documents"):
        train(tmp_path, other)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_finished_training_asked_for_again_changes_nothing(tmp_path):
    train(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert train(tmp_path) == []
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()


def test_a_recipe_that_cannot_be_followed_is_refused():
    with pytest.raises(ValueError, match="rung: expected one of gpt-1, gpt-2, gpt-3, got 'gpt-9'"):
        Recipe("gpt-9")
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        Recipe("gpt-1", steps=0)


def test_the_schedule_warms_up_and_falls():
    recipe = Recipe("gpt-1", steps=100, warm_up_steps=10)
    rates = [recipe.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(recipe.learning_rate / 10, rel=1e-2)
    assert max(rates) == pytest.approx(recipe.learning_rate, rel=0.05)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 0.06 * recipe.learning_rate
    shares = [recipe.error_free(step) for step in range(100)]
    assert shares[0] == recipe.error_free_share
    assert shares[25:] == [0.0] * 75
    assert shares[:26] == sorted(shares[:26], reverse=True)
