"""The wheel: what is in it, and that it works where the checkout is not, among strangers."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NEEDED = (
    *("src", "population", "protocols", "agents", "experiments"),
    *("pyproject.toml", "README.md", "LICENSE"),
)
"""What a wheel is built from: what ray_cluster.yaml copies, but its constraints."""

WINGS = ("agents", "experiments", "population", "protocols")
pytest.importorskip("setuptools", minversion="77", reason="builds without a network")
pytest.importorskip("pip")


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, links and all, so that nothing is left in the checkout."""
    copy, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=leave)
        else:
            shutil.copy(ROOT / name, copy / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, copy)
    (built,) = out.glob("mgptn-*.whl")
    return built


@pytest.fixture(scope="module")
def place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, this one's libraries, and packages of our folders'
    names that are somebody else's and cannot even be imported.

    A library's path in a .pth file brings its packages, but no further .pth files: the checkout
    that is installed here, in development mode, is not seen from there.
    """
    folder = tmp_path_factory.mktemp("place") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip("--python", folder / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    (site,) = folder.glob("lib/python*/site-packages")
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "libraries.pth").write_text("\n".join(sorted(libraries)))
    for name in WINGS:
        (site / name).mkdir()
        (site / name / "__init__.py").write_text("raise RuntimeError('somebody else lives here')")
    return folder


def there(place: Path, *command: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "RAY_ADDRESS")}
    done = subprocess.run(
        [place / "bin" / "python", *map(str, command)],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_holds_all_of_mgptn_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
    files = {entry.filename for entry in entries}
    assert {name.split("/")[0].split("-")[0] for name in files} == {"mgptn"}
    assert {name.split("/")[0] for name in files if not name.startswith("mgptn/")} == {
        f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    }
    held = {name.removeprefix("mgptn/") for name in files if name.startswith("mgptn/")}
    ours = {
        path.relative_to(ROOT).as_posix()
        for wing in WINGS
        for path in (ROOT / wing).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name[0] != "."
    }
    assert held == ours | {"__init__.py", "py.typed"}
    assert not [e.filename for e in entries if stat.S_ISLNK(e.external_attr >> 16)]


def test_it_works_far_from_the_checkout_and_beside_strangers(place: Path, tmp_path: Path) -> None:
    code = (
        "import sys, mgptn, importlib.metadata as m\n"
        "from mgptn.experiments.cli import main\n"
        "assert mgptn.load_config('quickstart').population.size == 8\n"
        "for name in mgptn.__all__: getattr(mgptn, name)\n"
        "assert m.version('mgptn') == mgptn.__version__\n"
        "print(*{str(x.__file__) for n, x in sys.modules.items() if n.split('.')[0] == 'mgptn'})\n"
    )
    files = there(place, "-c", code, cwd=tmp_path).split()
    assert len(files) > 100
    assert not [file for file in files if not file.startswith(str(place))]
    assert "gpt-3" in there(place, place / "bin" / "mgptn", "models", cwd=tmp_path)
    there(place, place / "bin" / "mgptn", "init", cwd=tmp_path)
    assert (tmp_path / "mgptn.yaml").is_file()


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("model", ["scripted", "gpt-1"])
def test_its_quickstart_runs(place: Path, tmp_path: Path, model: str) -> None:
    """Without a model, and with one, whose host Ray starts."""
    changes = (
        *("population.generations=1", "problems_per_generation=4", "metrics.port=0"),
        *(f"agents.model={model}", "hosts.count=1", "hosts.device=cpu"),
    )
    words = [word for change in changes for word in ("--set", change)]
    said = there(
        place,
        *(place / "bin" / "mgptn", "run", "quickstart", "--out", "mine", *words),
        cwd=tmp_path,
    )
    assert "population hash: " in said
    assert (tmp_path / "mine" / "report.html").is_file()
