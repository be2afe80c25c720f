"""The documentation as a whole: its pages in the site, what is made from code, its commands."""

# SPDX-License-Identifier: Apache-2.0

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.config.yaml_reading import read_yaml
from mgptn.experiments.sharing.columns import EXPLAINED, KEPT
from mgptn.experiments.tables.schemas import SCHEMAS
from tests.reference_pages import FOLDER, PAGES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
MOST_FILES = 15
SHIM = "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609"
"""Hash of the one script that the site's own theme does not bring along."""
CONFIGS = sorted((ROOT / "experiments" / "configs").glob("*.yaml"))


def pages(nav: Any) -> Iterator[str]:
    """The pages of the site's contents."""
    if isinstance(nav, str):
        yield nav
    for one in nav if isinstance(nav, list) else nav.values() if isinstance(nav, dict) else ():
        yield from pages(one)


def outside() -> dict[str, str]:
    """Page of the repository that the site takes in → its place there, as the hook has it."""
    hook = (DOCS / "hooks.py").read_text(encoding="utf-8")
    (table,) = re.findall(r"^OUTSIDE = (\{.*?^\})", hook, flags=re.S | re.M)
    found: dict[str, str] = eval(table, {})  # of our own file
    return found


def test_every_page_is_in_the_contents_once():
    shown = list(pages(SITE["nav"]))
    there = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    noted = [path.relative_to(DOCS).with_suffix(".md") for path in DOCS.rglob("*.ipynb")]
    there += [path.as_posix() for path in noted]
    assert sorted(shown) == sorted([*there, *outside().values()])
    assert all((ROOT / path).is_file() for path in outside())


def test_no_folder_is_large():
    """But that of results, which has a page for each claim."""
    for folder in {DOCS, *filter(Path.is_dir, DOCS.iterdir())} - {DOCS / "results"}:
        written = [path for path in folder.glob("*.md")]
        assert len(written) <= MOST_FILES, folder


def test_the_site_loads_nothing_from_elsewhere():
    assert SITE["strict"] is True
    assert SITE["theme"]["font"] is False
    assert SITE["extra"]["polyfills"] == ["assets/iframe-worker.js"]
    script = (DOCS / "assets" / "iframe-worker.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == SHIM


@pytest.mark.parametrize("name", PAGES)
def test_what_is_made_from_code_is_as_the_code_has_it(name: str):
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
    here = {one: version(one) for one in ("click", "pydantic")}
    if here != {one: pinned[one] for one in here}:
        pytest.skip(f"made with the versions of constraints.txt, not with {here}")
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert kept == PAGES[name](), "python -m tests.reference_pages writes it anew"


def test_the_schema_takes_every_bundled_configuration():
    schema = json.loads((FOLDER / "configuration.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    taken = jsonschema.Draft202012Validator(schema)
    assert CONFIGS
    for path in CONFIGS:
        plain = read_yaml(path.read_text(encoding="utf-8"), path.name)
        taken.validate(plain)
        assert not taken.is_valid(plain | {"nmae": "x"})
    whole = RunConfig(name="whole").model_dump(mode="json")
    taken.validate(whole)
    assert not taken.is_valid(whole | {"seed": -1})
    for short in (
        {"task": "addition", "protocol": {"topology": "ring", "aggregation": "majority"}},
        {"selector": {"peers": 0.9, "human": 0.1}},
        {"agents": {"endpoint": {"url": "http://127.0.0.1:8000/v1", "model": "m"}}},
    ):
        taken.validate({"name": "short"} | short)
        RunConfig.model_validate({"name": "short"} | short)


def test_an_editor_is_told_what_every_key_means():
    schema = json.loads((FOLDER / "configuration.schema.json").read_text(encoding="utf-8"))
    told = [
        (name, bool("description" in one or "$ref" in str(one)))
        for section in (schema, *schema["$defs"].values())
        for name, one in section.get("properties", {}).items()
    ]
    assert len(told) > 150
    assert not [name for name, is_told in told if not is_told]


def test_every_column_is_explained():
    told = EXPLAINED | KEPT
    for name, columns in SCHEMAS.items():
        assert not [column for column in columns if not told[name].get(column)], name


def commands() -> list[tuple[str, str]]:
    """Every call of mgptn in the documentation's blocks of code: page, line."""
    found = []
    texts = [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "monitoring" / "README.md"]
    for path in texts:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        # What is quoted may go on in the next line.
        for line in re.sub(r"(?m)^( .*mgptn [^\n']*'[^\n']*)\n *", r"\1 ", text).splitlines():
            call = re.match(r"^(?:    +|\$ )?(?:[A-Z_]+=\S+ )*mgptn ([a-z].*)$", line)
            if call and line.startswith(("    ", "mgptn", "$")):
                found.append((path.relative_to(ROOT).as_posix(), call[1]))
    return found


def known_command(page: str, call: str) -> tuple[click.Command, list[str]]:
    """The command that a call names, and what it is given: options that it has."""
    said = shlex.split(call, comments=True)
    words = list(takewhile(lambda word: word not in ("|", ">", "&&", "&", ";"), said))
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0).rstrip(",")
        assert name in command.commands, f"{page}: no command {name}"
        command = command.commands[name]
    known = {option for one in command.params for option in one.opts + one.secondary_opts}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= known | {"--help"}, f"{page}: {call}"
    return command, words


@pytest.mark.parametrize(("page", "call"), sorted(set(commands())))
def test_every_command_is_one(page: str, call: str):
    """Its name, its options and how many arguments it takes are those of the command line."""
    command, words = known_command(page, call)
    if "…" not in call:
        context = click.Context(command, resilient_parsing=True)
        command.make_parser(context).parse_args(list(words))


def test_commands_within_sentences_are_ones_too():
    found = 0
    for path in (*DOCS.rglob("*.md"), *ROOT.glob("*.md")):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
        for call in re.findall(r"`mgptn ([a-z][^`]*)`", text):
            known_command(path.name, " ".join(call.split()))
            found += 1
    assert found > 100
