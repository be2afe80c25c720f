"""Where mgptn is imported from, held against real metadata of distributions."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mgptn.experiments.machine.checks import Check
from mgptn.experiments.machine.installation import WINGS, check_installation

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "mgptn").mkdir(parents=True)
    return tmp_path / "site"


@pytest.fixture
def install(site: Path) -> Install:
    """Writes a distribution's metadata: its name, and further files of its dist-info."""

    def write(name: str, **files: str) -> None:
        folder = site / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        for file, text in files.items():
            (folder / file.replace("_json", ".json").replace("level", "level.txt")).write_text(text)

    return write


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's folder of mgptn, with its links."""
    folder = tmp_path / "checkout" / "src" / "mgptn"
    folder.mkdir(parents=True)
    (folder.parents[1] / "pyproject.toml").touch()
    for wing in WINGS:
        (folder.parents[1] / wing).mkdir()
        (folder / wing).symlink_to(Path("../..") / wing)
    return folder


def look(imported: Path, site: Path) -> Check:
    return check_installation(imported, [str(site)])


def editable(checkout: Path) -> str:
    return json.dumps({"url": checkout.parents[1].as_uri(), "dir_info": {"editable": True}})


def test_an_installed_wheel_is_well(site: Path, install: Install) -> None:
    install("mgptn", top_level="mgptn\n")
    install("numpy", RECORD="numpy/__init__.py,,\nnumpy/mgptn/x.py,,\n")
    assert look(site / "mgptn", site) == Check("mgptn", "ok", f"imported from {site / 'mgptn'}")


def test_so_is_a_checkout_in_development_mode(site: Path, install: Install, checkout: Path) -> None:
    install("mgptn", top_level="mgptn\n", direct_url_json=editable(checkout))
    assert look(checkout, site).status == "ok"


def test_so_is_one_that_is_not_installed(site: Path, checkout: Path) -> None:
    assert look(checkout, site).status == "ok"


def test_another_copy_than_the_installed_is_told(
    site: Path, install: Install, checkout: Path
) -> None:
    install("mgptn", top_level="mgptn\n")
    found = look(checkout, site)
    assert found.status == "warn"
    assert found.found == f"imported from {checkout}, but installed is {site / 'mgptn'}"
    assert "PYTHONPATH" in found.mend


@pytest.mark.parametrize(
    "files", [{"top_level": "other\nmgptn\n"}, {"RECORD": "mgptn/__init__.py,sha256=x,1\n"}]
)
def test_a_stranger_of_the_same_name_is_told(
    site: Path, install: Install, files: dict[str, str]
) -> None:
    install("mgptn", top_level="mgptn\n")
    install("stranger", **files)
    found = look(site / "mgptn", site)
    assert found.status == "warn"
    assert found.found == "stranger installs a package of the same name, mgptn"
    assert found.mend.startswith("`pip uninstall stranger`")


def test_copies_in_place_of_links_are_told(site: Path, install: Install, checkout: Path) -> None:
    install("mgptn", top_level="mgptn\n", direct_url_json=editable(checkout))
    (checkout / "agents").unlink()
    (checkout / "agents").mkdir()
    found = look(checkout, site)
    assert found.status == "warn"
    assert "has copies of agents, where links to the root's belong" in found.found
