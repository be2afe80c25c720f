"""YAML as a person means it, or refused by its line: no key twice, no number that is another.

Scalars are read as YAML 1.2's core schema has them, and not 1.1's: ``010`` is ten, ``1:30`` and
``2026-01-31`` are text, and so are ``yes``, ``no``, ``on`` and ``off``; ``1e-3`` is a number.
Aliases that would make a small file a huge one are refused before they are followed.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from typing import Any

import yaml

MOST_VALUES = 100_000
"""Values of a document whose aliases are followed, at most; one without aliases may have more."""

MOST_WRITTEN = 200_000
"""Values that a document says itself; reading more would take minutes."""

MOST_DEEP = 64
"""Lists and mappings within each other."""

MOST_BYTES = 2 * 2**20
"""Of a document, and of its text when aliases are followed; a longer file is something else than a
configuration."""

TAG = "tag:yaml.org,2002:"


class YamlError(ValueError):
    """A document that is not read: says where, what was expected and what was got."""


def read_yaml(content: str | bytes, source: str, *, lines: bool = True) -> Any:
    """Plain data from a document: dicts, lists, text, numbers, truth values and None.

    Parameters
    ----------
    content
        Bytes are UTF-8, or UTF-16 if a byte order mark says so; one of UTF-8 is skipped.
    source
        How errors name the document.
    lines
        Do errors name the line too?

    Raises
    ------
    YamlError
        If it is no YAML, a mapping has a key twice, or aliases make it too large or endless.
    """
    if len(content) > MOST_BYTES:
        raise YamlError(f"{source}: expected at most {MOST_BYTES // 2**20} MiB of YAML, got more")
    where = _Where(source, lines)
    try:
        loader = _Loader(content)
        node = loader.get_single_node()
        if node is None:
            return None
        _Checking(where).values(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = source if mark is None else where(mark)
        told = " ".join(filter(None, (error.context, error.problem)))
        raise YamlError(f"{place}: expected YAML, got: {told}") from None
    except yaml.YAMLError as error:
        raise YamlError(f"{source}: expected YAML, got: {' '.join(str(error).split())}") from None


class _Where:
    """Names places in a document."""

    def __init__(self, source: str, lines: bool) -> None:
        self._source, self._lines = source, lines

    def __call__(self, mark: yaml.Mark) -> str:
        return f"{self._source}, line {mark.line + 1}" if self._lines else self._source

    def line(self, mark: yaml.Mark) -> str:
        """`` of line 3``, where lines are named."""
        return f" of line {mark.line + 1}" if self._lines else ""


class _Checking:
    """Looks at every node of a document once, before anything is made of it."""

    def __init__(self, where: _Where) -> None:
        self._where = where
        self._written = 0
        self._values: dict[int, tuple[int, int] | None] = {}

    def values(self, node: yaml.Node) -> tuple[int, int]:
        """Values in a node with all aliases followed, and characters of their text."""
        known = self._values.get(id(node), (0, 0))
        if known is None:
            raise YamlError(
                f"{self._where(node.start_mark)}: expected YAML that ends, got an alias inside of "
                "what it stands for"
            )
        if known[0]:
            return known
        self._values[id(node)] = None
        self._written += 1
        below: list[yaml.Node] = []
        count, length = 1, 0
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            below = [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            below = node.value
        else:
            length = len(node.value)
        for values, characters in map(self.values, below):
            count, length = count + values, length + characters
        if count > max(MOST_VALUES, self._written):
            raise YamlError(
                f"{self._where(node.start_mark)}: expected at most {MOST_VALUES:,} values when "
                f"aliases are followed, got {count:,} from here on"
            )
        if length > MOST_BYTES:
            raise YamlError(
                f"{self._where(node.start_mark)}: expected at most {MOST_BYTES:,} characters when "
                f"aliases are followed, got {length:,} from here on"
            )
        self._values[id(node)] = count, length
        return count, length

    def _check_keys(self, node: yaml.MappingNode) -> None:
        """Refuse a key that stands in a mapping twice; keys that are merged in are not its own."""
        seen: dict[tuple[str, str], yaml.Mark] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError(
                    f"{self._where(key.start_mark)}: expected a word as a key, got a list or a "
                    "mapping"
                )
            same = key.tag, key.value
            if same in seen:
                raise YamlError(
                    f"{self._where(key.start_mark)}: expected every key once, got {key.value!r}"
                    f"{self._where.line(seen[same])} again"
                )
            seen[same] = key.start_mark


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with bounds, and other rules for what a bare word is."""

    def __init__(self, stream: str | bytes) -> None:
        super().__init__(stream)
        self._deep = self._written = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node, within so many others at most."""
        self._written += 1
        if self._deep > MOST_DEEP or self._written > MOST_WRITTEN:
            said = f"more than {MOST_WRITTEN:,} values"
            if self._deep > MOST_DEEP:
                said = f"lists or mappings nested more than {MOST_DEEP} deep"
            events: Any = self
            raise yaml.composer.ComposerError(None, None, said, events.peek_event().start_mark)
        self._deep += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._deep -= 1
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """``010`` is ten; another base than that has its letter."""
        text = node.value.replace("_", "").lower()
        based = text.lstrip("+-")[:2] in ("0x", "0o", "0b")
        try:
            return int(text, 0 if based else 10)
        except ValueError:  # Python's own bound on digits
            raise yaml.constructor.ConstructorError(
                None, None, f"a number of {len(text)} digits", node.start_mark
            ) from None


_Loader.yaml_implicit_resolvers = {}
_Loader.add_constructor(f"{TAG}int", _Loader.construct_yaml_int)
for _name, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:[0-9][0-9_]*|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("merge", "<<", "<"),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"{TAG}{_name}", re.compile(f"(?:{_pattern})$"), list(_first))


def as_yaml(plain: Any) -> str:
    """Plain data as text that `read_yaml` reads as the same, its keys in their order."""
    text: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes that would be read as something else, as 1.1 would not."""


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    number = bool(value) and value[0] in "+-.0123456789" and len(value) < 100
    return dumper.represent_scalar(f"{TAG}str", value, style="'" if number else None)


_Dumper.add_representer(str, _text)
