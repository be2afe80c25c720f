"""Who grades whom."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def random_graders(
    size: int, problems: int, graders: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """For each answer, `graders` distinct others of the `size` agents, never its author.

    Returns
    -------
    int64 [size · problems, graders]
        Slots of the graders, author-major.

    Raises
    ------
    ValueError
        If there are fewer than `graders` others.
    """
    if graders > size - 1:
        raise ValueError(
            f"protocol.graders: expected at most population.size − 1 = {size - 1}, got {graders}"
        )
    author = np.repeat(np.arange(size), problems)
    keys = rng.random((len(author), size - 1))
    others = np.argpartition(keys, graders - 1, axis=1)[:, :graders]
    # The others of an author are all slots but its own: skip over it.
    return np.asarray(others + (others >= author[:, None]), dtype=np.int64)
