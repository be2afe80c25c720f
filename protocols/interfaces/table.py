"""Which interfaces there are, by their configured names, and which suits a vocabulary."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from mgptn.protocols.interfaces.base import BaseInterface
from mgptn.protocols.interfaces.cases import CasesInterface
from mgptn.protocols.interfaces.chat import ChatInterface, Render
from mgptn.protocols.interfaces.columns import ColumnsInterface
from mgptn.protocols.interfaces.interface import Interface, Plain
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.shown import ShownInterface
from mgptn.protocols.interfaces.steps import StepsInterface
from mgptn.protocols.interfaces.wordings import CORRECT, WORDS, Wording


@dataclass(frozen=True, slots=True)
class Setting:
    """What an interface is made from.

    Attributes
    ----------
    model, vocabulary
        The model's name, and every token of it as text.
    wording
        Of the grading question.
    multiline
        Do the task's answers have several lines?
    render
        The tokenizer's chat template, which reads messages as text; None where it has none.
    plain
        Makes a text one that the tokenizer reads as text, where no template does.
    """

    model: str
    vocabulary: Collection[str]
    wording: Wording = WORDS
    multiline: bool = False
    render: Render | None = None
    plain: Plain = str


MakeInterface = Callable[[Setting], Interface]


def make_interface(name: str, setting: Setting, known: Mapping[str, MakeInterface]) -> Interface:
    """The interface of this name; ``auto`` is the founders' or the ladder's, by the vocabulary.

    Parameters
    ----------
    known
        Name → how the interface is made; those of other packages may be among them.

    Raises
    ------
    ValueError
        If the model lacks the tokens or the template that the interface needs, or the wording is
        none of the interface's, or the name is unknown.
    """
    if name == "auto":
        fitting = (kind for kind in _MARKED if not _missing(setting, kind))
        name = next((kind.name for kind in fitting), "base")
    if name not in known:
        raise ValueError(
            f"agents.interface: expected one of auto, {', '.join(known)}, got {name!r}"
        )
    return known[name](setting)


def founders_layout(queries: Sequence[str]) -> type[LadderInterface]:
    """The layout of founders of a task, by questions of it: the first that can show all of them,
    or else the ladder's.
    """
    for kind in OF_FOUNDERS:
        try:
            for query in queries:
                kind.shown(query)
        except ValueError:
            continue
        return kind
    return LadderInterface


def usual_wording(name: str) -> Wording:
    """The grading question of the layout of this name where none is chosen."""
    return CORRECT if name == ChatInterface.name else WORDS


def _ladder(setting: Setting) -> Interface:
    return _marked(setting, LadderInterface, "the ladder's survey tokens")


def _columns(setting: Setting) -> Interface:
    return _marked(setting, ColumnsInterface, "tokens for columns of digits")


def _cases(setting: Setting) -> Interface:
    return _marked(setting, CasesInterface, "tokens for programs and their cases")


def _steps(setting: Setting) -> Interface:
    return _marked(setting, StepsInterface, "tokens for budgets")


def _marked(setting: Setting, kind: type[LadderInterface], tokens: str) -> Interface:
    missing = _missing(setting, kind)
    if missing:
        raise ValueError(
            f"agents.interface: expected a model with {tokens}, got "
            f"{setting.model!r}, which lacks {', '.join(missing)}; use agents.interface=base"
        )
    return kind(setting.wording)


def _base(setting: Setting) -> Interface:
    return BaseInterface(setting.multiline, setting.wording, setting.plain)


def _chat(setting: Setting) -> Interface:
    if setting.render is None:
        raise ValueError(
            f"agents.interface: expected a model whose tokenizer has a chat template, got "
            f"{setting.model!r}, whose has none; use agents.interface=base"
        )
    return ChatInterface(setting.render, setting.wording, setting.plain)


def _missing(setting: Setting, kind: type[LadderInterface]) -> list[str]:
    return [token for token in kind.required_tokens if token not in setting.vocabulary]


OF_FOUNDERS: tuple[type[ShownInterface], ...] = (
    ColumnsInterface,
    CasesInterface,
    StepsInterface,
)
"""Layouts of models that are trained here on one task."""

_MARKED = (CasesInterface, ColumnsInterface, StepsInterface, LadderInterface)

INTERFACES: dict[str, MakeInterface] = {
    "ladder": _ladder,
    "columns": _columns,
    "cases": _cases,
    "steps": _steps,
    "base": _base,
    "chat": _chat,
}
"""Name → how the interface is made; a further one is entered here, or by an entry point."""
