"""Which interfaces there are, by their configured names, and which suits a vocabulary."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Collection

from protocols.interfaces.base import BaseInterface
from protocols.interfaces.interface import Interface
from protocols.interfaces.ladder import LadderInterface


def choose_interface(
    name: str, vocabulary: Collection[str], model: str, *, multiline: bool = False
) -> Interface:
    """The interface of this name; ``auto`` is the ladder's where the vocabulary has its markers.

    Parameters
    ----------
    multiline
        Do the task's answers have several lines?

    Raises
    ------
    ValueError
        If the ladder's interface is asked for and the model lacks its tokens, or the name is
        unknown.
    """
    missing = [token for token in LadderInterface.required_tokens if token not in vocabulary]
    if name == "auto":
        return BaseInterface(multiline) if missing else LadderInterface()
    if name == "base":
        return BaseInterface(multiline)
    if name != "ladder":
        raise ValueError(f"agents.interface: expected auto, ladder or base, got {name!r}")
    if missing:
        raise ValueError(
            f"agents.interface: expected a model with the ladder's survey tokens, got {model!r}, "
            f"which lacks {', '.join(missing)}; use agents.interface=base"
        )
    return LadderInterface()
