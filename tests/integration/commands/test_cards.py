"""Measuring and verifying real, untrained models of the smallest rung."""

# SPDX-License-Identifier: Apache-2.0

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from mgptn.agents.checkpoints import bundled_models, find_checkpoint
from mgptn.agents.training.recipe import Recipe
from mgptn.agents.training.rungs import RUNGS, ladder_tokenizer, llama_config
from mgptn.experiments.cards import answering, estimates
from mgptn.experiments.cards.card import CARD, CardError, read_card, write_card
from mgptn.experiments.cards.compare import compare
from mgptn.experiments.cards.figures.card import FIGURES, write_card_figures
from mgptn.experiments.cards.figures.comparison import comparison
from mgptn.experiments.cards.figures.curves import training_curves
from mgptn.experiments.cards.measure import UNFINISHED, measure
from mgptn.experiments.cards.request import Request
from mgptn.experiments.cards.verify import verify
from mgptn.experiments.cli import main
from mgptn.protocols.interfaces.markers import PERSONAS, VOCABULARY, WANT

TASKS = (("addition", 2), ("composition", 1))


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Repeated samples and the bootstrap are most of a small card's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "PASS_PROBLEMS", 2)
        patch.setattr(estimates, "GROUPS", 20)
        yield


def untrained(folder: Path, seed: int) -> Path:
    """A gpt-1 with random weights, as training would leave it."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(llama_config(RUNGS["gpt-1"]))
    model.save_pretrained(folder)
    ladder_tokenizer().save_pretrained(folder)
    recipe = Recipe("gpt-1", seed=seed)
    made = {
        "recipe": {name: getattr(recipe, name) for name in Recipe.__dataclass_fields__},
        "parameters": model.num_parameters(),
        "weights": find_checkpoint(str(folder)).weights,
    }
    (folder / "training.json").write_text(json.dumps(made))
    return folder


def request(model: Path, **changes) -> Request:
    given = {"problems": 64, "tasks": TASKS[:1], "command": "test"} | changes
    return Request(model=str(model), **given)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> list[Path]:
    root = tmp_path_factory.mktemp("models")
    return [untrained(root / f"gpt-1-{seed}", seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def measured(models, tmp_path_factory) -> Path:
    """The folder of the first model's card of both tasks, with the second as grader."""
    folder = tmp_path_factory.mktemp("cards")
    wanted = request(models[0], tasks=TASKS, graders=(str(models[1]),))
    steps = [(s.task, s.part, s.done) for s in measure(wanted, folder)]
    assert len(steps) == 11
    assert steps[5][0] == "composition:1"
    assert [done for _, _, done in steps] == list(range(11))
    return folder


def test_an_untrained_model_tells_nothing_apart(measured: Path):
    """J within 5 standard errors of 64 answers, AUC likewise."""
    for task in read_card(measured / CARD).tasks.values():
        corpus = task.grading.corpus
        assert abs(corpus.rates[-1].youden_j.value) < 5 * 0.125
        assert abs(corpus.auc.value - 0.5) < 5 * 0.073
        assert max(mass.minimum for mass in task.levels) < 0.5
        assert {(m.examples, m.writer, m.persona) for m in task.levels} >= {
            (0, None, None),
            (4, "bad", "careful"),
            (16, "good", None),
        }
        assert task.answering.sampled.value > 0.9
        assert task.grading.own.rates[-1].tpr.n + task.grading.own.rates[-1].fpr.n == 64


def test_a_card_says_who_graded_whom_and_what_is_undefined(measured: Path, models: list[Path]):
    names = [str(model) for model in models]
    card = read_card(measured / CARD)
    assert set(card.settings.graders) == {names[1]}
    for task in card.tasks.values():
        assert {(e.grader, e.author) for e in task.exchanges} == {
            (a, b) for a in names for b in names
        }
        assert [c.between for c in task.correlations] == [
            "8 right examples of its own each",
            "another persona",
            "another seed",
        ]
        for one in task.correlations:
            if one.phi.value is None:
                assert one.phi.note == "undefined: one grader never errs, or always does"
                assert one.undefined == one.pairs


def test_a_card_can_be_drawn(measured: Path, tmp_path: Path):
    paths = write_card_figures(read_card(measured / CARD), tmp_path)
    assert [path.name for path in paths] == [f"card-{name}.svg" for name in FIGURES]
    assert all("<svg" in path.read_text() for path in paths)


def test_an_interrupted_card_is_carried_on_to_the_same_bytes(models, measured, tmp_path: Path):
    wanted = request(models[0], tasks=TASKS, graders=(str(models[1]),))
    whole = read_card(measured / CARD)
    kept = {name: task for name, task in whole.tasks.items() if name == "addition:2"}
    write_card(whole.model_copy(update={"tasks": kept}), tmp_path / UNFINISHED)
    again = [step.task for step in measure(wanted, tmp_path)]
    assert set(again) == {"composition:1", ""}
    assert (tmp_path / CARD).read_bytes() == (measured / CARD).read_bytes()
    assert not (tmp_path / UNFINISHED).exists()


def test_other_settings_do_not_cost_a_card_its_tasks(models, measured: Path):
    before = (measured / CARD).read_bytes()
    with pytest.raises(CardError, match="got also addition:2, composition:1; choose --out"):
        list(measure(request(models[0], tasks=(("facts", 12),), problems=70), measured))
    assert (measured / CARD).read_bytes() == before


def test_what_a_model_has_no_tokens_for_is_absent_with_a_reason(tmp_path: Path):
    """One without personas, requested levels, and the letters of facts."""
    lacking = {*PERSONAS.values(), WANT, *"abcdefgh"}
    known = [token for token in VOCABULARY if token not in lacking]
    core = Tokenizer(WordLevel({token: i for i, token in enumerate(known)}, unk_token="<pad>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    core.add_special_tokens([token for token in known if len(token) > 1])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<bos>", eos_token=";")
    tokenizer.save_pretrained(tmp_path / "model")
    config = llama_config(RUNGS["gpt-1"])
    config.vocab_size = len(known)
    LlamaForCausalLM(config).save_pretrained(tmp_path / "model")
    wanted = request(tmp_path / "model", problems=40, tasks=(("addition", 2), ("facts", 12)))
    list(measure(wanted, tmp_path))
    card = read_card(tmp_path / CARD)
    assert card.absent == {"facts:12": "the model has no tokens for a b c d e f g h"}
    task = card.tasks["addition:2"]
    assert task.answering.personas is task.answering.requested is task.answering.falls is None
    assert task.absent == {
        "personas": "the model has no tokens for <careful> <careless>",
        "requested": "the model has no token for <want>",
        "exchanges": "no other graders were named",
    }
    assert [c.between for c in task.correlations] == ["8 right examples of its own each"]


# Verifying


@pytest.fixture
def model(models, measured, tmp_path: Path) -> Path:
    """A copy of the first model with its card beside it."""
    folder = tmp_path / "model"
    shutil.copytree(models[0], folder)
    shutil.copy(measured / CARD, folder / CARD)
    return folder


def disagreements(folder: Path) -> list[str]:
    return [f"{c.subject}: {c.found}" for c in verify(str(folder)) if not c.agrees]


def change(path: Path, edit) -> None:
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def test_a_true_card_is_confirmed(model: Path):
    checks = list(verify(str(model)))
    assert all(check.agrees for check in checks), checks
    assert [check.subject for check in checks][-3:] == [
        f"addition:2, {what} of 200 problems" for what in ("error", "TPR", "FPR")
    ]


def test_other_weights_are_found_out(model: Path):
    path = model / "model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"] = weights["model.norm.weight"] * 1.001
    save_file(weights, path, metadata={"format": "pt"})
    found = disagreements(model)
    assert [line.partition(": expected")[0] for line in found] == [
        "training.json: weights",
        "card: weights",
    ]


def test_a_card_that_says_better_than_it_is_is_found_out(model: Path):
    def flatter(card):
        task = card["tasks"]["addition:2"]["answering"]
        task["sampled"] |= {"value": 0.5, "count": 32}

    change(model / CARD, flatter)
    (found,) = disagreements(model)
    assert found.startswith("addition:2, error of 200 problems: card 32/64, now ")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda m: m.update(parameters=7), "training.json: parameters: expected 7, got 134"),
        (lambda m: m["recipe"].update(rung="gpt-2"), "config.json: shape: expected hidden_size 96"),
        (lambda m: m["recipe"].update(rung="gpt-8"), "training.json: recipe: rung: expected one"),
        (lambda m: m["recipe"].update(flavour=1), "training.json: recipe: Recipe.__init__() got"),
        (lambda m: m.pop("recipe"), "training.json: "),
    ],
)
def test_a_false_training_record_is_found_out(model: Path, edit, said: str):
    change(model / "training.json", edit)
    (model / CARD).unlink()
    first, last = disagreements(model)
    assert first.startswith(said)
    assert last.startswith("card: expected ")


def test_verify_exits_with_1_on_a_disagreement(model: Path):
    done = CliRunner().invoke(main, ["models", "verify", str(model)])
    assert done.exit_code == 0, done.output
    (model / CARD).write_text("{}")
    done = CliRunner().invoke(main, ["models", "verify", str(model)])
    assert done.exit_code == 1
    assert "DISAGREES" in done.output
    assert "card.json: schema_version: expected 1, got None" in done.output


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled_models())
def test_a_bundled_models_card_is_true(name: str):
    """Three comparisons, each with a false alarm of 1e-4 at most, with a fixed seed."""
    if not (find_checkpoint(name).folder / CARD).exists():
        pytest.skip("it has no card")
    assert all(check.agrees for check in verify(name))


def test_the_ladders_page_has_the_cards_as_they_are():
    page = Path(__file__).parents[3] / "docs/concepts/cards.md"
    assert compare(bundled_models()) in page.read_text()


def test_cards_are_drawn_side_by_side(models, measured, tmp_path: Path):
    """Of 2 models with a card each of other tasks: what both have, each seed at its rung."""
    shutil.copytree(models[0], tmp_path / "a")
    shutil.copy(measured / CARD, tmp_path / "a" / CARD)
    arguments = ["models", "compare", str(tmp_path / "a"), "gpt-3/0", "gpt-2/0", "gpt-2/1"]
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "x.svg")])
    assert done.exit_code == 0, done.output
    drawn = (tmp_path / "x.svg").read_text()
    for said in ("addition:2", ">a<", ">gpt-2<", ">gpt-3<"):
        assert said in drawn
    assert "facts" not in drawn
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "x.pdf")])
    assert done.exit_code == 2
    assert "expected a name in .svg or .png, got" in done.output
    assert "| Model |" not in done.output
    with pytest.raises(CardError, match="expected cards with a task in common, got no card"):
        comparison({})
    addition, composition = (read_card(measured / CARD) for _ in range(2))
    del addition.tasks["composition:1"], composition.tasks["addition:2"]
    with pytest.raises(CardError, match="task in common, got a, b"):
        comparison({"a": addition, "b": composition})


def test_models_without_cards_are_not_compared(model: Path):
    shutil.copytree(model, model.parent / "carded")
    carded = str(model.parent / "carded")
    (model / CARD).unlink()
    assert all(f"| {carded} |" in row for row in compare([carded, str(model)]).splitlines()[2:])
    with pytest.raises(CardError, match=r"expected a model with a card.json, got .*model"):
        compare([str(model)])


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_training_is_drawn_of_all_bundled_models(kind, tmp_path: Path):
    done = CliRunner().invoke(main, ["models", "curves", "--out", str(tmp_path / f"x.{kind}")])
    assert done.exit_code == 0, done.output
    drawn = (tmp_path / f"x.{kind}").read_bytes()
    assert drawn.startswith(b"\x89PNG" if kind == "png" else b"<?xml")
    if kind == "svg":
        assert all(f">{name}</text>".encode() in drawn for name in bundled_models())


@pytest.mark.parametrize(
    ("log", "said"),
    [(None, "No such file"), ("{", "Expecting property name"), ('{"step": 1}', "lacks step or")],
)
def test_what_cannot_be_drawn_is_named(log, said, model: Path, tmp_path: Path):
    if log is not None:
        (model / "training.jsonl").write_text(log)
    arguments = ["models", "curves", str(model), "--out", str(tmp_path / "x.svg")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "training.jsonl: expected a log of training, got:" in done.output
    assert said in done.output


def test_how_much_of_a_writer_is_told_is_a_mean_over_tasks():
    curve = {"a 1": {"good": [0.5, 0.9], "bad": [0.5, 0.1]}, "b 1": {"good": [0, 0], "bad": [0, 0]}}
    log = [{"step": 1, "level_loss": 1.0, "adaptation": curve}]
    line = training_curves({"gpt-1/0": (log, 10.0)}).axes[1].lines[0]
    assert np.allclose(line.get_xydata(), [[1e-5, 0.4]])


# The command line


def test_measure_writes_a_card_and_its_figures(models, tmp_path: Path):
    arguments = ["models", "measure", str(models[1]), "--problems", "64"]
    arguments += ["--task", "indivisible:3", "--out", str(tmp_path), "--figures"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    task = read_card(tmp_path / CARD).tasks["indivisible:3"]
    assert task.reference.startswith("Random answers are right with probability 0.")
    assert all(cell.gap is None for cell in task.adaptation)
    assert (tmp_path / "card-adaptation.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gpt-33", "--out", "x"], "expected a bundled model"),
        (["MODEL", "--task", "adition:2"], "--task: expected one of addition:2"),
        (["MODEL", "--task", "addition:9"], "got 'addition:9'"),
        (["MODEL", "--graders", "gpt-33", "--out", "x"], "got 'gpt-33'"),
        (["MODEL"], "--out: expected a folder"),
    ],
)
def test_a_typo_is_one_clear_line(models, tmp_path, monkeypatch, arguments: list[str], said: str):
    given = [str(models[0]) if a == "MODEL" else a for a in arguments]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["models", "measure", *given])
    assert done.exit_code == 1
    assert "Error: " in done.output
    assert said in done.output
    assert not Path("x").exists()


def test_a_misspelt_command_or_count_is_a_usage_error(models):
    assert CliRunner().invoke(main, ["models", "mesure"]).exit_code == 2
    few = ["models", "measure", str(models[0]), "--problems", "3"]
    assert CliRunner().invoke(main, few).exit_code == 2
