"""A CONFIG is a file, or else the name of a bundled configuration."""

# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from mgptn.experiments.config.bundled import CONFIGS, bundled_configs, find_config
from mgptn.experiments.config.run_config import ConfigError, load_config


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_a_bundled_one_is_found_by_name(here, name):
    assert find_config(name) == find_config(Path(f"{name}.yaml")) == CONFIGS / f"{name}.yaml"
    assert load_config(name) == load_config(CONFIGS / f"{name}.yaml")


def test_there_are_some():
    assert {"quickstart", "robustness", "reasoning_gym"} <= bundled_configs().keys()


@pytest.mark.parametrize("given", ["quickstart", "quickstart.yaml"])
def test_a_file_that_exists_wins(here, given):
    (here / given).write_text("name: mine")
    assert load_config(given).name == "mine"


def test_a_folder_of_the_name_does_not(here):
    (here / "quickstart").mkdir()
    assert load_config("quickstart").name == "quickstart"


@pytest.mark.parametrize("given", ["folder/quickstart", "folder/quickstart.yaml", "quickstart.yml"])
def test_a_path_that_leads_nowhere_is_no_name(here, given):
    with pytest.raises(ConfigError, match=r"expected a YAML file, got nothing at this path"):
        load_config(given)


def test_a_typo_lists_what_there_is(here):
    with pytest.raises(ConfigError) as refused:
        load_config("quikstart")
    assert str(refused.value) == (
        "quikstart: expected a YAML file, got nothing at this path; bundled, by name: "
        f"{', '.join(bundled_configs())}; did you mean quickstart?"
    )
