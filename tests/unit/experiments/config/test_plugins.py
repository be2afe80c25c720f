"""What other packages add is imported by who names it, and what is broken is in nobody's way."""

# SPDX-License-Identifier: Apache-2.0

import sys

import pytest
from click.testing import CliRunner

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.config.sections.plugins import Known, PluginError, protocols
from mgptn.experiments.machine.checks import check_plugins
from mgptn.protocols.protocol import Protocol
from mgptn.protocols.table import PROTOCOLS

POINTS = """
[mgptn.protocols]
raises = broken_plugin_of_a_test:PROTOCOL
exits = leaving_plugin_of_a_test:PROTOCOL
strange = sound_plugin_of_a_test:WORD
survey = sound_plugin_of_a_test:PROTOCOL
sound = sound_plugin_of_a_test:PROTOCOL
"""

FAULTS = {
    "exits": "expected something to import, got SystemExit: 3",
    "raises": "expected something to import, got ZeroDivisionError",
    "strange": "expected what the group is for, got 'word'",
    "survey": "expected a name of its own, got one that is taken",
}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package whose entry points are broken in every way, but for one."""
    (tmp_path / "broken_plugin_of_a_test.py").write_text("1 / 0\n")
    (tmp_path / "leaving_plugin_of_a_test.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "sound_plugin_of_a_test.py").write_text(
        "from mgptn.protocols.table import PROTOCOLS\n"
        "PROTOCOL, WORD = PROTOCOLS['majority'], 'word'\n"
    )
    information = tmp_path / "plugins_of_a_test-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins-of-a-test\n")
    (information / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    protocols.cache_clear()
    yield tmp_path
    protocols.cache_clear()
    for name in [name for name in sys.modules if name.endswith("_plugin_of_a_test")]:
        del sys.modules[name]


def config(name):
    return check_config({"name": "own", "protocol": {"name": name, "graders": 2}})


def test_nothing_is_imported_that_nobody_names(installed):
    assert config("survey").protocol.name == "survey"
    assert list(protocols())[: len(PROTOCOLS)] == list(PROTOCOLS)
    assert not [name for name in sys.modules if name.endswith("_plugin_of_a_test")]
    assert config("sound").protocol.name == "sound"
    found = [name for name in sys.modules if name.endswith("_plugin_of_a_test")]
    assert found == ["sound_plugin_of_a_test"]


@pytest.mark.parametrize("name", ["exits", "raises", "strange"])
def test_who_names_a_broken_one_is_told(installed, name):
    with pytest.raises(ConfigError, match=f"protocol.name: entry point {name} = .*{FAULTS[name]}"):
        config(name)


def test_listings_and_the_doctor_tell_of_each_and_show_the_rest(installed):
    done = CliRunner().invoke(main, ["protocols"])
    assert done.exit_code == 0, done.output
    for name in PROTOCOLS:
        assert f"\n{name} " in f"\n{done.output}"
    assert "\nsound " in done.output
    for name, fault in FAULTS.items():
        assert f"\n{name}: cannot be used: entry point {name} = " in done.output
        assert fault in done.output
    checks = check_plugins([protocols()])
    assert [check.status for check in checks] == ["warn"] * len(FAULTS)
    assert all(any(fault in check.found for check in checks) for fault in FAULTS.values())


def test_two_of_one_name_are_refused_by_it(installed):
    other = installed / "others_of_a_test-1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: others-of-a-test\n")
    (other / "entry_points.txt").write_text(
        "[mgptn.protocols]\nsound = sound_plugin_of_a_test:OTHER\n"
    )
    known = Known("mgptn.protocols", PROTOCOLS, lambda made: isinstance(made, Protocol))
    with pytest.raises(PluginError, match=r"expected a name of its own, got one that .* takes too"):
        known["sound"]


def test_without_plugins_there_is_nothing_to_tell():
    assert check_plugins([Known("mgptn.nothing", PROTOCOLS, callable)]) == []
