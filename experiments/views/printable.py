"""Output on terminals that cannot print all of Unicode: in plainer letters, and never an error."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import codecs
import sys
import unicodedata
from io import TextIOWrapper

from mgptn.population.display.html import visible as visible

HANDLER = "mgptn-plain"
STRICT = ("strict", "surrogateescape", "backslashreplace")
"""How Python's own streams treat what they cannot print, unless somebody asked for another way."""

_BYTES = "".join(map(chr, range(0xDC80, 0xDD00)))
"""Characters that stand for a byte of a file's name that is no text."""

PLAIN = {
    **{"×": "x", "·": "|", "…": "...", "→": "->", "±": "+/-", "∞": "inf", "∝": "~", "≈": "~"},
    **{"–": "-", "−": "-", "—": "-", "≤": "<=", "≥": ">=", "≠": "!=", "σ": "sigma"},
    **{"‘": "'", "’": "'", "“": '"', "”": '"'},
}
"""Character → what stands for it."""


def print_anything(*streams: object) -> None:
    """From here on, what some streams cannot print is printed in plainer letters.

    Standard output and error where none is given.
    """
    codecs.register_error(HANDLER, plainer)
    for stream in streams or (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors in STRICT:
            stream.reconfigure(errors=HANDLER)


def on_terminal(text: str) -> str:
    """As `visible`; bytes of a file's name that are no text are printed as they are."""
    return visible(text, kept=_BYTES + "\n")


def plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    """What to write for a character that an encoding lacks: an error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character, behind = error.object[error.start], error.start + 1
    if character in _BYTES:
        return bytes([ord(character) - 0xDC00]), behind
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return PLAIN.get(character) or bare or "?", behind
