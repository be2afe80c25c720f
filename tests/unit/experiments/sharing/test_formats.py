from __future__ import annotations

import csv
import json
import re
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
import yaml

from mgptn.agents.files import TakenError
from mgptn.experiments.config.run_config import ConfigError, check_config, load_config
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.manifest import ManifestError
from mgptn.experiments.record.rounds import JOURNAL, population_hash
from mgptn.experiments.sharing.formats import FORMATS, export_best, export_run
from mgptn.experiments.sharing.shared_tables import SHARED
from mgptn.experiments.sharing.source import Source
from mgptn.experiments.views.measured import MeasuredRound
from mgptn.population.records.turns import Turn, Turns
from tests.columns import with_outcomes
from tests.reference.experiments.tables import build_tables
from tests.shared_run import CONFIG, write_made_up
from tests.synthetic import synthetic_run

ARMS, GENERATIONS = ("selected", "unselected"), 3
SMALL = {"population": {"size": 6, "generations": GENERATIONS}}

STRANGE = ("=1+1", "-12", "@a", '+"x",y', "a\nb", "", " ", "\u2028", "\t=2", "naïve ⏎", "`|`")
"""What models may say: formulas, quotes, line breaks, nothing."""


def made_up() -> list[Committed]:
    return synthetic_run(ARMS, GENERATIONS)[0]


def strange_run() -> list[Committed]:
    """Answers that are hard to write down, in all arms."""
    made = []
    for one in made_up():
        outcomes = one.generation.outcomes
        generation = with_outcomes(
            one.generation,
            [
                replace(outcome, answer=STRANGE[i % len(STRANGE)], part=None)
                for i, outcome in enumerate(outcomes)
            ],
        )
        made.append(replace(one, generation=generation))
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up(tmp_path_factory.mktemp("runs") / "made-up", strange_run(), **SMALL)


@pytest.fixture(scope="module")
def written(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    place = tmp_path_factory.mktemp("written")
    for name in FORMATS:
        export_run(run, name, place / name)
    return lambda name: place / name


def card(folder: Path) -> tuple[dict[str, Any], str]:
    """The YAML header of a card, and the rest."""
    text = (folder / "README.md").read_text()
    if not text.startswith("---\n"):
        return {}, text
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_a_data_set_has_its_tables_as_parts(written: Callable[[str], Path]) -> None:
    folder = written("hf")
    header, _ = card(folder)
    parts = {part["config_name"]: part for part in header["configs"]}
    assert list(parts) == ["answers", "grades", "generations", "lineage"]  # nobody took turns
    assert [name for name, part in parts.items() if part.get("default")] == ["answers"]
    tables = build_tables(strange_run(), synthetic_run(ARMS, GENERATIONS)[1])
    for name, part in parts.items():
        table = pl.read_parquet(folder / part["data_files"])
        assert table.schema == SHARED[name]
        if name in ("answers", "grades"):
            assert table.equals(tables[name])
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "config.yaml", *(f"{name}.parquet" for name in parts)
    }  # fmt: skip


def test_csv_holds_the_texts_as_they_were_said(written: Callable[[str], Path]) -> None:
    folder = written("csv")
    with (folder / "answers.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = [o.answer for one in strange_run() for o in one.generation.outcomes]
    assert [row["answer"] for row in rows] == said
    table = pl.read_csv(folder / "answers.csv", schema_overrides={"verdict": pl.Boolean})
    theirs = build_tables(strange_run(), synthetic_run(ARMS, GENERATIONS)[1])["answers"]
    for column in ("arm", "index", "answer", "log_probability", "score", "grade_mean", "verdict"):
        assert table[column].to_list() == theirs[column].to_list(), column
    lineage = pl.read_csv(folder / "lineage.csv")
    assert lineage["parent"].null_count() == 6 * len(ARMS)
    # Formulas are counted: five of the eleven texts begin as one.
    begin = sum(text.startswith(("=", "+", "-", "@", "\t")) for text in said)
    assert f"are {begin}." in card(folder)[1]


@pytest.mark.parametrize("name", ["hf", "csv"])
def test_a_card_says_where_it_came_from(name: str, run: Path, written: Any) -> None:
    folder = written(name)
    _, body = card(folder)
    course = [one.generation for one in strange_run() if one.arm == "selected"]
    for fact in ("9.8.7", "0123", population_hash(course), "numpy 1.2.3", "3 generations of 3"):
        assert fact in body
    assert "The run has not ended" in body  # nothing says so in the journal
    rows = {one: int(count) for one, count in re.findall(r"### (\w+): (\d+) rows", body)}
    assert rows["answers"] == GENERATIONS * len(ARMS) * 6 * 5
    assert rows["grades"] == 2 * rows["answers"]
    assert "Of turns this run has nothing." in body
    # The configuration is one that a run takes, in the file and in the card.
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", body, re.M | re.S)
    assert yaml.safe_load(block) == yaml.safe_load((folder / "config.yaml").read_text())
    assert load_config(folder / "config.yaml") == Source(run).config


def test_a_card_escapes_what_a_configuration_says(tmp_path: Path) -> None:
    persona = "You say ```` and\n---\n# more"
    write_made_up(
        tmp_path / "run",
        synthetic_run(("selected",), 1)[0],
        name="a-b_c",
        agents={"personas": [persona, "Nobody"], "interface": "chat"},
    )
    export_run(tmp_path / "run", "hf", tmp_path / "out")
    header, body = card(tmp_path / "out")
    assert header["pretty_name"] == "a-b_c"
    assert "# a-b\\_c: a population" in body
    fence = re.findall(r"^(`{4,})yaml$", body, re.M)
    assert [len(one) for one in fence] == [5]
    assert check_config(yaml.safe_load((tmp_path / "out/config.yaml").read_text()))


def test_a_log_holds_each_answer_with_its_grades(written: Callable[[str], Path]) -> None:
    folder = written("inspect")
    assert len(list(folder.iterdir())) == GENERATIONS * len(ARMS)
    one = next(c for c in strange_run() if c.arm == "unselected" and c.generation.index == 2)
    with ZipFile(folder / "unselected-generation-0002.eval") as packed:
        read = {name: json.loads(packed.read(name)) for name in packed.namelist()}
    header = read["header.json"]
    assert header["eval"]["dataset"]["samples"] == len(one.generation.outcomes) == 30
    assert read["_journal/start.json"]["eval"] == header["eval"]
    assert header["eval"]["metadata"]["population_digest"] == one.generation.digest
    right = sum(outcome.verdict for outcome in one.generation.outcomes)
    scores = {score["name"]: score["metrics"] for score in header["results"]["scores"]}
    assert scores["verdict"]["accuracy"]["value"] == pytest.approx(right / 30)
    summaries = read["summaries.json"]
    for index, outcome in enumerate(one.generation.outcomes):
        name = f"agent-{outcome.match.author}-problem-{outcome.match.problem}"
        sample = read[f"samples/{name}_epoch_1.json"]
        assert sample["input"] == outcome.query
        assert sample["output"]["completion"] == outcome.answer
        assert sample["scores"]["verdict"]["value"] == ("C" if outcome.verdict else "I")
        for seat, grade in enumerate(outcome.grades, start=1):
            told = sample["scores"].get(f"grade_{seat}")
            if grade.value is None:
                assert told is None
            else:
                assert told["value"] == grade.value
                assert told["metadata"]["grader"] == grade.grader
                assert told["metadata"]["levels"] == list(grade.levels or ())
        first, *_, last = sample["messages"]
        assert first["role"] == "user"
        assert last["role"] == "assistant"
        assert last["content"] == outcome.answer
        author = one.generation.agents[index // 5]
        assert len(sample["messages"]) == 2 + 2 * len(author.genome.context)
        assert summaries[index]["id"] == name
        assert summaries[index]["scores"] == sample["scores"]


def test_a_log_tells_what_was_said_on_the_way(tmp_path: Path) -> None:
    (one, *_), _ = synthetic_run(arms=("selected",), generations=1)
    turns = (
        Turn("draft", "41", True, False, 0.25),
        Turn("critique", "No.", True, None, None),
    )
    outcomes = [
        replace(o, turns=turns if i == 7 else ()) for i, o in enumerate(one.generation.outcomes)
    ]
    assert isinstance(one.generation.outcomes.turns, Turns)
    told = replace(one, generation=with_outcomes(one.generation, outcomes))
    write_made_up(tmp_path / "run", [told])
    export_run(tmp_path / "run", "inspect", tmp_path / "out")
    with ZipFile(tmp_path / "out/selected-generation-0000.eval") as packed:
        sample = json.loads(packed.read("samples/agent-1-problem-2_epoch_1.json"))
    assert [(m["role"], m["content"]) for m in sample["messages"][1:]] == [
        ("assistant", "[draft] 41"),
        ("user", "[critique] No."),
        ("assistant", outcomes[7].answer),
    ]
    export_run(tmp_path / "run", "csv", tmp_path / "csv")
    assert pl.read_csv(tmp_path / "csv/turns.csv")["text"].to_list() == ["41", "No."]


@pytest.mark.parametrize("name", list(FORMATS))
def test_equal_runs_are_written_equal(name: str, run: Path, written: Any, tmp_path: Path) -> None:
    export_run(run, name, tmp_path / "again")
    first = {path.name: path.read_bytes() for path in written(name).iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == first


@pytest.mark.parametrize("name", list(FORMATS))
def test_few_rounds_are_held_at_a_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: the one that is written, and one before that measures need."""
    write_made_up(
        tmp_path / "run",
        synthetic_run(("selected",), generations=5)[0],
        population={"size": 6, "generations": 5},
    )
    held: list[weakref.ref[Any]] = []
    most = 0
    rounds = Source.rounds

    def watched(self: Source) -> Iterator[MeasuredRound]:
        nonlocal most
        for done in rounds(self):
            held.append(weakref.ref(done.committed[0].generation.outcomes.log_probabilities))
            most = max(most, sum(one() is not None for one in held))
            yield done

    monkeypatch.setattr(Source, "rounds", watched)
    export_run(tmp_path / "run", name, tmp_path / "out")
    assert len(held) == 5
    assert most <= 3


def test_nothing_is_overwritten(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for taken in ("file", "folder"):
        with pytest.raises(TakenError, match="expected nothing there yet, got something"):
            export_run(run, "csv", tmp_path / taken)
        with pytest.raises(TakenError, match="never overwritten"):
            export_best(run, tmp_path / taken)
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"expected a run's folder, got no manifest\.json"):
        export_run(tmp_path / "nothing", "csv", tmp_path / "out")
    write_made_up(tmp_path / "empty", [])
    with pytest.raises(ConfigError, match="a generation that was committed, got none yet"):
        export_run(tmp_path / "empty", "hf", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_journal_is_told_and_what_is_before_it_written(tmp_path: Path) -> None:
    run = write_made_up(tmp_path / "run", synthetic_run(("selected",))[0])
    journal = run / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-40])
    _, state = export_run(run, "csv", tmp_path / "out")
    assert re.fullmatch(r"Its journal is damaged at byte \d+ .*the 3 generations before .*", state)
    assert state in card(tmp_path / "out")[1]
    answers = pl.read_csv(tmp_path / "out/answers.csv")
    assert answers["generation"].unique().sort().to_list() == [0, 1, 2]


def test_a_fault_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_made_up(tmp_path / "run", synthetic_run(("selected",), 2)[0])
    rounds = Source.rounds

    def failing(self: Source) -> Iterator[MeasuredRound]:
        yield from list(rounds(self))[:1]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Source, "rounds", failing)
    for name in FORMATS:
        with pytest.raises(OSError, match="No space left"):
            export_run(run, name, tmp_path / "out" / name)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_made_up_run_is_one_of_its_configuration(run: Path) -> None:
    assert Source(run).config == check_config(CONFIG | SMALL)
    assert np.array_equal(Source(run).manifest["arms"], ARMS)
