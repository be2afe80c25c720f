"""The command line: what it offers, how soon, and what it says to what it cannot do."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mgptn.agents.checkpoints import BUNDLED
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import load_config
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.running.sweep import Axes, cells_of

COMMANDS = (
    *(
        "init",
        "ask",
        "run",
        "resume",
        "list",
        "watch",
        "pick",
        "replay",
        "transcript",
        "export",
        "export-weights",
        "sweep",
    ),
    *("report", "compact", "pretrain", "experiment"),
    *(
        "models",
        "tasks",
        "protocols",
        "compare-protocols",
        "robustness",
        "bench",
        "theory",
        "doctor",
    ),
)
HEAVY = ("torch", "ray", "transformers", "polars", "matplotlib", "numpy", "scipy", "pydantic")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that would run, if nothing were changed."""
    path = tmp_path / "config.yaml"
    data = {
        "name": "cli",
        "population": {"size": 4, "generations": 2},
        "protocol": {"graders": 2},
        "hosts": {"count": 1, "device": "cpu"},
        "metrics": {"port": 0},
        "problems_per_generation": 4,
    }
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.fixture
def refused(config: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs the command with bad input; what it says, in one message, having written nothing."""

    def run(*arguments: object, command: str = "run") -> str:
        out = tmp_path / "out" / "run"
        before = sorted(tmp_path.rglob("*"))
        done = mgptn(command, config, "--out", out, *arguments)
        assert done.exit_code == 1, done.output
        assert isinstance(done.exception, SystemExit)
        # Before it: what the command was doing, a line each.
        said = "".join(line for line in done.output.splitlines(True) if not line.endswith(" …\n"))
        assert said.startswith("Error: ")
        assert said.count("Error") == 1
        assert "Traceback" not in done.output
        assert sorted(tmp_path.rglob("*")) == before
        return said

    return run


def mgptn(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


# What it offers


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands_in_the_order_of_use(flag: str) -> None:
    done = mgptn(flag)
    assert done.exit_code == 0
    listed = done.output.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    done = mgptn(command, "--help")
    assert done.exit_code == 0
    assert done.output.startswith("Usage: ")


def test_version() -> None:
    done = mgptn("--version")
    assert done.exit_code == 0
    assert done.output == f"mgptn {version('mgptn')}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from mgptn.experiments.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_the_installed_command_answers_outside_the_checkout(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("mgptn"), "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout == f"mgptn {version('mgptn')}\n"


def test_models_lists_the_bundled_one() -> None:
    done = mgptn("models")
    assert done.exit_code == 0
    assert "gpt-3" in done.output


def test_an_unknown_command_is_a_usage_error() -> None:
    done = mgptn("evolve")
    assert done.exit_code == 2
    assert "No such command 'evolve'" in done.output


# What it cannot do


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("population.sizes=4", "population.sizes: unknown key; did you mean population.size?"),
        ("temperature=0.2", "temperature: unknown key; did you mean population.selection.temp"),
        ("grader=3", "grader: unknown key; did you mean protocol.graders?"),
        ("population.size=many", "population.size: expected a valid integer"),
        ("population.size=4.5", "population.size: expected a valid integer"),
        ("population=4", "population: expected"),
        ("population.size=0", "population.size: expected greater than or equal to 2, got 0"),
        ("population.size=1", "population.size: expected greater than or equal to 2, got 1"),
        ("population.size=-3", "population.size: expected greater than or equal to 2, got -3"),
        ("population.generations=0", "population.generations: expected"),
        ("problems_per_generation=0", "problems_per_generation: expected"),
        ("problems_per_generation=5000", "problems_per_generation: expected a task with 10000"),
        ("protocol.graders=4", "at most population.size − 1 = 3 (nobody grades itself), got 4"),
        ("protocol.graders=0", "protocol.graders: expected greater than or equal to 1, got 0"),
        ("protocol.threshold=1.01", "protocol.threshold: expected less than or equal to 1, got"),
        ("protocol.threshold=-0.1", "protocol.threshold: expected greater than or equal to 0"),
        ("protocol.threshold=.nan", "protocol.threshold: expected"),
        ("agents.sampling_temperature=0", "agents.sampling_temperature: expected greater than 0"),
        ("agents.sampling_temperature=-1", "agents.sampling_temperature: expected greater than 0"),
        ("agents.sampling_temperature=.nan", "agents.sampling_temperature: expected"),
        ("agents.sampling_temperature=.inf", "agents.sampling_temperature: expected"),
        ("population.selection.temperature=0", "population.selection.temperature: expected gre"),
        ("population.selection.temperature=-.inf", "population.selection.temperature: expected"),
        ("population.selection.temperature=.nan", "population.selection.temperature: expected gr"),
        ("population.mutation.drop=2", "population.mutation.drop: expected less than or equal"),
        ("seed=-1", "seed: expected greater than or equal to 0, got -1"),
        ("name=a/b", "name: expected letters, digits"),
        ("name=../escape", "name: expected letters, digits"),
        ("selector=votes", "selector: expected 'peers'"),
        ("task=chess", "task.name: expected 'addition', "),
        ("task=chess", "'questions' or 'reasoning-gym/…', got 'chess'"),
        ("task=addtion", "got 'addtion'; did you mean addition?"),
        ("task=questions", "task.file: expected the path of a file of questions, got nothing"),
        ("task.file=a.jsonl", "task.file: expected nothing here for the task addition, got 'a.js"),
        ("task.options.size=3", "task.options: expected nothing here for the task addition, got"),
        ("task.size=49", "task.size: expected 1 to 48, got 49"),
        ("hosts.count=0", "hosts.count: expected"),
        ("hosts.count=some", "hosts.count: expected"),
        ("hosts.dtype=float64", "hosts.dtype: expected"),
        ("metrics.port=70000", "metrics.port: expected less than or equal to 65535, got 70000"),
        ("metrics.host=203.0.113.7", "expected"),
        ("agents.model=gpt-99", "agents.model: expected a bundled model"),
        ("agents.model=./nowhere", "agents.model: expected a bundled model"),
        ("agents.context_capacity=500", "agents.context_capacity: expected examples that fit"),
        ("agents.context_capacity=-1", "agents.context_capacity: expected greater than or equal"),
    ],
)
def test_a_bad_value_is_named(refused: Callable[..., str], override: str, message: str) -> None:
    # The port is one that would be opened if the host were this machine's.
    further = ("--set", "metrics.port=9464") if override.startswith("metrics.host") else ()
    assert message in refused("--set", override, *further)


def test_all_bad_values_are_named_at_once(refused: Callable[..., str]) -> None:
    said = refused("--set", "population.size=1", "--set", "seed=x", "--set", "protocol.grader=1")
    assert "population.size: expected" in said
    assert "seed: expected" in said
    assert "protocol.grader: unknown key; did you mean protocol.graders?" in said


@pytest.mark.parametrize("override", ["garbage", "=4", "", "population.size", "seed.x=1"])
def test_a_bad_override_is_refused(refused: Callable[..., str], override: str) -> None:
    assert "expected" in refused("--set", override)


@pytest.mark.parametrize(
    "override", ["population.size=[", "a..b=1", "population.=1", ".size=3", "name.x.y=1", "1=2"]
)
def test_a_strange_override_is_refused(refused: Callable[..., str], override: str) -> None:
    refused("--set", override)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping of configuration keys, got NoneType"),
        ("- a\n- b\n", "expected a mapping of configuration keys, got list"),
        ("name: [", "expected YAML, got"),
        ("name: \x00", "expected YAML, got"),
        ("population: {size: 4}\n", "name: expected a value, got nothing"),
        ("name: a\n1: 2\n", "  1: "),
        ("name: a\npopulation:\n", "population: expected"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    config: Path, refused: Callable[..., str], text: str, message: str
) -> None:
    config.write_text(text)
    assert message in refused()


def test_a_missing_file_is_refused(config: Path, refused: Callable[..., str]) -> None:
    config.unlink()
    assert f"{config}: expected a YAML file, got nothing at this path" in refused()


def test_a_folder_is_no_configuration(config: Path, refused: Callable[..., str]) -> None:
    config.unlink()
    config.mkdir()
    assert f"{config}: expected YAML" in refused()


def test_a_taken_port_is_named(refused: Callable[..., str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused("--set", f"metrics.port={port}")
    assert "metrics.port: expected a port that is free on 127.0.0.1 (or 0" in said
    assert f"got {port}, which is in use" in said


def test_pickled_weights_are_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    model = copied_model(tmp_path / "model")
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    said = refused("--set", f"agents.model={model}")
    assert "expected safetensors" in said
    assert "only pickled weights (pytorch_model.bin)" in said


def test_a_folder_without_a_model_is_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "model").mkdir()
    said = refused("--set", f"agents.model={tmp_path / 'model'}")
    assert "expected a checkpoint folder with config.json" in said


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json"])
def test_a_model_with_a_broken_file_is_refused(
    tmp_path: Path, refused: Callable[..., str], file: str
) -> None:
    model = copied_model(tmp_path / "model")
    (model / file).write_text("{")
    said = refused("--set", f"agents.model={model}")
    assert "agents.model: expected" in said
    assert str(model) in said


def test_a_model_without_a_tokenizer_is_refused(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    model = copied_model(tmp_path / "model")
    (model / "tokenizer.json").unlink()
    assert "agents.model: expected" in refused("--set", f"agents.model={model}")


def test_the_ladders_interface_needs_its_tokens(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    model = copied_model(tmp_path / "model")
    tokenizer = (model / "tokenizer.json").read_text()
    (model / "tokenizer.json").write_text(tokenizer.replace("<judge>", "<jugde>"))
    said = refused("--set", f"agents.model={model}", "--set", "agents.interface=ladder")
    assert "expected a model with the ladder's survey tokens" in said
    assert "which lacks <judge>; use agents.interface=base" in said


def test_an_existing_run_is_not_overwritten(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / JOURNAL).write_bytes(b"somebody's work")
    done = mgptn("run", config, "--out", folder)
    assert done.exit_code == 1
    assert f"carry it on with 'mgptn resume {folder}'" in done.output
    assert [path.name for path in folder.iterdir()] == [JOURNAL]
    assert (folder / JOURNAL).read_bytes() == b"somebody's work"


def test_a_file_in_the_place_of_the_folder_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = mgptn("run", config, "--out", tmp_path / "file")
    assert done.exit_code == 2
    assert "is a file" in done.output
    # Below a file as well, and before any host is started.
    done = mgptn("run", config, "--out", tmp_path / "file" / "run")
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert "expected a folder to write to" in done.output


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--population", "3,x"), 2, "expected numbers separated by commas, got '3,x'"),
        (("--population", "1"), 1, "population.size: expected greater than or equal to 2"),
        (("--selection-temperature", "0.1,0"), 1, "population.selection.temperature: expected"),
        (("--sampling-temperature", "nan"), 1, "agents.sampling_temperature: expected"),
        (("--seeds", "0"), 2, "0 is not in the range x>=1"),
        (("--parallel", "0"), 2, "0 is not in the range x>=1"),
        (("--set", "agents.context_capacity=500"), 1, "agents.context_capacity: expected"),
    ],
)
def test_a_bad_sweep_is_refused_whole(
    config: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = mgptn("sweep", config, "--out", tmp_path / "sweep", *arguments)
    assert done.exit_code == status, done.output
    assert message in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "sweep").exists()


def test_a_sweep_that_names_a_cell_twice_is_refused(
    config: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    assert "expected" in refused("--population", "3,3", command="sweep")


def test_two_temperatures_that_are_nearly_alike_are_two_cells(config: Path) -> None:
    cells = cells_of(load_config(config), Axes((), (0.1, 0.1000000001), (), 1))
    assert len({cell.name for cell in cells}) == 2


def test_faults_reach_the_shell_as_a_status_and_one_line(config: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("mgptn"), "run", config),
            *("--set", "population.sizes=4", "--out", tmp_path / "run"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: {config}:\n  population.sizes: unknown key; did you mean population.size?\n"
    )
    assert not (tmp_path / "run").exists()


def copied_model(folder: Path) -> Path:
    """A copy of gpt-3, to be damaged."""
    shutil.copytree(BUNDLED / "gpt-3/0", folder)
    return folder
