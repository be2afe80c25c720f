"""Mutants of a program: each word changed, left out, or another put before it, one at a time.

The word that begins again is not among those put in: what never ends is killed by any case.

Dimensions: K mutants, W words of a program, P pairs of inputs.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mgptn.protocols.tasks.bundled import Codes, codes
from mgptn.protocols.tasks.programs.behaviours import pairs
from mgptn.protocols.tasks.programs.cases import Case
from mgptn.protocols.tasks.programs.language import AGAIN, NOTHING, WORDS
from mgptn.protocols.tasks.programs.machine import Results, run_all
from mgptn.protocols.tasks.programs.specs import WIDTH, filled


@dataclass(frozen=True, slots=True)
class Mutants:
    """Mutants that compute something else than the program they are of.

    Attributes
    ----------
    programs
        uint8 [K, W].
    results
        int8 [K, P]; −1 where a mutant has none, which a case kills as well as any other.
    """

    programs: Codes
    results: Results

    def killed(self, case: Case) -> float:
        """Share of them that a case fails."""
        return float((self.results[:, case.pair] != case.result).mean())


@lru_cache(maxsize=1 << 12)
def mutants_of(program: str) -> Mutants:
    """A program's mutants, of at most `WIDTH` words, in order; what does the same is none."""
    words = program.rstrip(NOTHING)
    changed = {
        words[:place] + word + words[place + cut :]
        for place in range(len(words) + 1)
        for word in ("", *WORDS.replace(AGAIN, ""))
        for cut in (0, 1)
    }
    made = sorted(one for one in changed if len(one) <= WIDTH)
    written = np.array([codes(one.ljust(WIDTH, NOTHING)) for one in made])
    results, _ = run_all(written, pairs())
    own, _ = run_all(filled(codes(words)[None]), pairs())
    other = (results != own).any(axis=1)
    return Mutants(written[other], results[other])
