"""The marker tokens of the bundled ladder's text: what stands where in an item.

A document begins with `<bos>`, in part followed by its writer's persona. An item is one of

    12+34=640;                                   plain
    12+34=640<grade><a great deal>;              graded after
    <want><a great deal>12+34=640;               the level asked for before
    <judge>12+34=640<grade><a great deal>;       judged only: the answer is somebody's, not its own
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.scale import LEVELS

PAD = "<pad>"
START = "<bos>"
JUDGE = "<judge>"
WANT = "<want>"
GRADE = "<grade>"
END = ";"
LEVEL_MARKERS: tuple[str, ...] = tuple(f"<{level}>" for level in LEVELS)
PERSONAS: dict[str, str] = {"careful": "<careful>", "careless": "<careless>"}

MARKERS: tuple[str, ...] = (
    *(PAD, START, JUDGE, WANT, GRADE),
    *LEVEL_MARKERS,
    *PERSONAS.values(),
)
CHARACTERS = "0123456789+=:|.abcdefghRLSPM" + END
VOCABULARY: tuple[str, ...] = (*MARKERS, *CHARACTERS)
"""Every token of the ladder, in id order."""
