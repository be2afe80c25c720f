"""YAML is read as a person means it; what would be another thing than was written is refused."""

# SPDX-License-Identifier: Apache-2.0

import math
import time

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mgptn.experiments.cli import main
from mgptn.experiments.config import yaml_reading
from mgptn.experiments.config.bundled import find_config
from mgptn.experiments.config.run_config import ConfigError, load_config
from mgptn.experiments.config.yaml_reading import MOST_BYTES, YamlError, as_yaml, read_yaml
from tests.rooms import ROOT, imports, modules


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("010", 10),
        ("-007", -7),
        ("0o10", 8),
        ("0x10", 16),
        ("0b10", 2),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("2026-01-31", "2026-01-31"),
        *(
            (word, word)
            for word in ("yes", "No", "on", "OFF", "y", "=", "1.2.3", "0o9", "1e", "e5")
        ),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("1e-3", 0.001),
        ("1.5E+2", 150.0),
        (".5", 0.5),
        ("3.", 3.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("'010'", "010"),
    ],
)
def test_a_word_is_what_it_looks_like(written, meant):
    read = read_yaml(f"key: {written}\n", "here")["key"]
    assert read == meant
    assert type(read) is type(meant)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "name: a\nseed: 1\nseed: 7\n",
            "here, line 3: expected every key once, got 'seed' of line 2",
        ),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", "here, line 4: .* 'b' of line 2 again"),
        ('a: [{b: 1, "b": 2}]', "here, line 1: .* 'b' of line 1 again"),
        ("a: &a [*a]", "here, line 1: expected YAML that ends"),
        ("a: 1\n? [b]\n: 2", "here, line 2: expected a word as a key"),
        (f"a: 1\nb: {'9' * 5000}", "here, line 2: expected YAML, got: a number of 5000 digits"),
        (
            "a: 1\nb: " + "[" * 100_000,
            "here, line 2: .*: lists or mappings nested more than 64 deep",
        ),
        ("- " * 100 + "a", "here, line 1: .* nested more than 64 deep"),
        ("{a: " * 65 + "1" + "}" * 65, "here, line 1: .* nested more than 64 deep"),
        ("a: [1,\n", "here, line 2: expected YAML, got: "),
        (b"a: \xff", "here: expected YAML, got: "),
        ("#" * (MOST_BYTES + 1), "here: expected at most 2 MiB"),
    ],
)
def test_what_is_not_read_is_refused_by_its_line(text, complaint):
    with pytest.raises(YamlError, match=complaint):
        read_yaml(text, "here")


def laughing(levels):
    """Each line ten of the one before: some hundred bytes that stand for 10^levels values."""
    lines = ["- &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    for level in range(1, levels):
        lines.append(f"- &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(lines)


def test_aliases_that_would_make_a_huge_document_are_refused_at_once():
    began = time.process_time()
    with pytest.raises(
        YamlError, match=r"line 5: expected at most 100,000 values .*, got 111,111 "
    ):
        read_yaml(laughing(60), "here")
    assert time.process_time() - began < 1
    assert str(read_yaml(laughing(4), "here")[3]).count("ha") == 10**4


def test_a_document_of_very_many_values_is_refused_where_it_becomes_too_long(monkeypatch):
    monkeypatch.setattr(yaml_reading, "MOST_WRITTEN", 100)
    assert read_yaml("[" + "1," * 90 + "]", "here") == [1] * 90
    with pytest.raises(YamlError, match=r"here, line 2: .*more than 100 values"):
        read_yaml("a: 1\nb: [" + "1," * 100 + "]", "here")


def test_a_long_text_that_is_said_again_and_again_is_refused():
    text = f"a: &a {'ha' * 10_000}\nb: [{', '.join(['*a'] * 1000)}]"
    with pytest.raises(YamlError, match=r"line 2: expected at most 2,097,152 characters when al"):
        read_yaml(text, "here")


def test_what_is_refused_is_shown_in_few_words(tmp_path):
    path = tmp_path / "run.yaml"
    for value in (f"&a [{'ha, ' * 9000}]", "ha" * 10**6, "{a: [[[[[1]]]]]}"):
        path.write_text(f"name: {value}\n")
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert len(str(caught.value)) < 600


def test_a_long_document_without_aliases_is_no_bomb():
    assert len(read_yaml("[" + "1," * 110_000 + "]", "here")) == 110_000


def test_keys_that_are_merged_in_may_be_set_again():
    text = "base: &base {a: 1, b: 2}\nown:\n  <<: *base\n  b: 3\n"
    assert read_yaml(text, "here")["own"] == {"a": 1, "b": 3}


@pytest.mark.parametrize("encoded", [b"\xef\xbb\xbfname: \xc3\xa9", "name: é\r\n".encode("utf-16")])
def test_marks_of_byte_order_are_no_text(encoded):
    assert read_yaml(encoded, "here") == {"name": "é"}


@pytest.mark.parametrize(
    "path", [*(ROOT / "experiments").rglob("*.yaml")], ids=lambda path: path.name
)
def test_bundled_files_say_the_same_to_any_reader_of_yaml(path):
    assert read_yaml(path.read_bytes(), str(path)) == yaml.safe_load(path.read_bytes())


def test_a_configuration_is_read_so(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: on\r\nseed: 010\r\n")
    config = load_config(path, ("population.size=012",))
    assert (config.name, config.seed, config.population.size) == ("on", 10, 12)
    with pytest.raises(ConfigError, match=r"--set task=.*: expected every key once, got 'name'"):
        load_config(path, ("task={name: addition, name: facts}",))
    path.write_text("name: 2026\n1: 2\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "name: expected text (in quotes, a number is), got 2026" in str(caught.value)
    assert "1: expected a word as a key, got 1" in str(caught.value)


def test_the_command_line_refuses_a_key_that_is_set_twice():
    words = ["run", str(find_config("quickstart")), "--set", "seed=1", "--set", "seed=2"]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2
    assert "expected every key once, got seed=1 and seed=2" in refused.output


def test_yaml_is_read_in_one_place():
    assert [str(m) for m in modules() if "yaml" in imports(m)] == [
        "experiments/config/yaml_reading.py"
    ]


TEXTS = st.one_of(
    st.sampled_from(
        ["1e3", "0o10", "010", "1:30", "on", "~", "null", "", "=", "-", "a: b", "2.", "#"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Co"]), max_size=12),
)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), TEXTS)
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(PLAIN)
def test_what_is_written_is_read_as_the_same(plain):
    read = read_yaml(as_yaml({"key": plain}), "here")
    assert read == {"key": plain}
    assert repr(read) == repr({"key": plain}), "one and true are equal, and not the same"
