"""Which protocols and tasks there are, by the names a configuration uses."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.best_of_n import BEST_OF_N, CHERRY_PICK
from mgptn.protocols.chaining import CHAINING
from mgptn.protocols.code_and_tests import CODE_AND_TESTS, PROFILED
from mgptn.protocols.critique_revise import CRITIQUE_REVISE
from mgptn.protocols.debate import DEBATE
from mgptn.protocols.games.nim import Nim
from mgptn.protocols.majority import MAJORITY
from mgptn.protocols.pairwise import PAIRWISE
from mgptn.protocols.proofs.detachment import Detachment
from mgptn.protocols.proofs.task import Proofs
from mgptn.protocols.protocol import Protocol
from mgptn.protocols.score_conditioned import SCORE_CONDITIONED
from mgptn.protocols.self_play import SELF_PLAY
from mgptn.protocols.survey import SELF_SURVEY, SURVEY
from mgptn.protocols.tasks.arithmetic import Addition, Multiplication, Subtraction
from mgptn.protocols.tasks.budgeted.cups import Cups
from mgptn.protocols.tasks.budgeted.walks import ScribbledWalks, Walks
from mgptn.protocols.tasks.bundled import BundledTask
from mgptn.protocols.tasks.composition import Composition, UnseenComposition
from mgptn.protocols.tasks.facts import Facts
from mgptn.protocols.tasks.indivisible import Indivisible
from mgptn.protocols.tasks.programs.both import CodeAndTests
from mgptn.protocols.tasks.programs.speed import Speed
from mgptn.protocols.tasks.programs.testing import Tests
from mgptn.protocols.tasks.programs.writing import Programs
from mgptn.protocols.tasks.python.both import PythonCodeAndTests
from mgptn.protocols.tasks.python.testing import PythonTests
from mgptn.protocols.tasks.python.writing import PythonPrograms
from mgptn.protocols.tasks.rearrangements import Copy, Parity, Reverse, Sorting
from mgptn.protocols.tasks.subset_sum import SubsetSum
from mgptn.protocols.tasks.task import SizedTask

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        SURVEY,
        SELF_SURVEY,
        PAIRWISE,
        CHAINING,
        SCORE_CONDITIONED,
        CRITIQUE_REVISE,
        DEBATE,
        MAJORITY,
        BEST_OF_N,
        CHERRY_PICK,
        SELF_PLAY,
        CODE_AND_TESTS,
        PROFILED,
    )
}
"""Name → protocol; a further one is entered here, or by another package's entry point."""

BUNDLED: tuple[type[BundledTask], ...] = (
    Addition,
    Facts,
    SubsetSum,
    Composition,
    UnseenComposition,
    Indivisible,
    Subtraction,
    Multiplication,
    Copy,
    Reverse,
    Sorting,
    Parity,
    Proofs,
    Detachment,
    Nim,
    Programs,
    Tests,
    CodeAndTests,
    Speed,
    Walks,
    Cups,
    ScribbledWalks,
)
"""Tasks that models are trained on here; a further one is entered here and nowhere else."""

OF_MODELS: tuple[type[SizedTask], ...] = (PythonPrograms, PythonTests, PythonCodeAndTests)
"""Tasks in words, which are asked of models that were trained elsewhere."""

TASKS: dict[str, type[BundledTask]] = {task.name: task for task in BUNDLED}
"""Name → task that models are trained on, called with its size."""

SIZED: dict[str, type[SizedTask]] = {task.name: task for task in (*BUNDLED, *OF_MODELS)}
"""Name → task that comes with mgptn."""
