"""Agents without a model: a generation's answers and grades as arrays, of known error, TPR, FPR.

Dimensions: M agents, Q problems, K graders, A = M·Q answers, author-major.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain

import numpy as np

from mgptn.agents.behaviour import Behaviour
from mgptn.population.draws.streams import philox_key, stream, uniforms
from mgptn.population.judging.roles import FLATTERER, RANDOM, adjusted_levels
from mgptn.population.records.agents import ORDINARY, Agent, Example
from mgptn.population.records.arrays import (
    ALL_KNOWN,
    Floats,
    Integers,
    Truths,
    interned,
    unknown_among,
)
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import Population
from mgptn.population.theory.classification import posterior_error
from mgptn.protocols.scale import LEVEL_VALUES
from mgptn.protocols.tasks.task import Problem, Task

Verify = Callable[[Sequence[tuple[str, str]]], Sequence[bool | None]]
"""The verdict on each (query, answer), in their order."""

WRONG_ANSWERS = 64
"""Wrong answers that the task draws for a problem, among which who errs chooses evenly."""

_LEVELS = np.array([0, 4, 1, 2, 3])
"""Level of each grade that is given: an honest one is the bottom or the top."""

_WORDS = 4
"""Uniform numbers that one counter gives."""


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """What may be said to a generation's problems.

    Attributes
    ----------
    texts
        [T] answers, each once.
    choices
        int64 [Q, 1 + W], indices in `texts`: a right answer, then wrong ones.
    right
        bool [Q, 1 + W], the verifier's word on each.
    unknown
        bool [Q, 1 + W], which have no verdict; None where all have one.
    """

    texts: tuple[str, ...]
    choices: Integers
    right: Truths
    unknown: Truths | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A generation's answers.

    Attributes
    ----------
    sheet
        What each is chosen from.
    choice
        int64 [A], column of `AnswerSheet.choices`.
    verdicts
        bool [A].
    log_probabilities
        float64 [A], in nats, of being right or wrong as it is.
    """

    sheet: AnswerSheet
    choice: Integers
    verdicts: Truths
    log_probabilities: Floats


class ScriptedAgents:
    """Answers and grades by a `Behaviour`, a generation at a time.

    What is drawn for an answer or a grade depends on the run's seed, the generation, the author,
    the problem and the grader's seat alone: not on who else answers, nor in what order.

    Parameters
    ----------
    verify
        What finds the verdicts on answers to the task; the task itself, one by one, if None. They
        behave as if an answer were wrong of which that is not known.
    options
        What was set of the task beside its size: another text, another task.
    """

    def __init__(
        self, behaviour: Behaviour, task: Task, verify: Verify | None = None, options: str = ""
    ) -> None:
        self.behaviour = behaviour
        self._task = task
        self._options = options
        self._verify = verify or partial(_one_by_one, task)
        self._sheet = lru_cache(maxsize=1)(self._draw_sheet)
        self._is_wrong: dict[Example, bool] = {}
        self._error_after = lru_cache(maxsize=None)(self._error)

    def answer(
        self,
        matches: Matches,
        agents: Sequence[Agent],
        problems: Sequence[Problem],
        generation: int,
    ) -> Given:
        """What the agents, in the order of the matches' authors, answer to the problems."""
        sheet = self._sheet(tuple(problems))
        key = philox_key(self.behaviour.seed, "answer", generation)
        errors = self.errors(agents).repeat(matches.problems)
        asked = matches.asked
        flatters = np.array(Population.of(agents).roles()) == FLATTERER
        if flatters.any():
            # They err just where the grader in the first seat passes it.
            unseen = self._spots(problems, 1)[0, asked]
            errors = np.where(flatters[matches.slots] & unseen, 1.0, errors)
        draws = uniforms(key, matches.authors.repeat(matches.problems), asked)
        wrong = draws[0] < errors
        choice = np.where(wrong, 1 + (draws[1] * WRONG_ANSWERS).astype(np.int64), 0)
        likely = np.where(wrong, errors, 1.0 - errors)
        logs = np.log(np.maximum(likely, 1e-300))
        return Given(sheet, choice, sheet.right[asked, choice], logs)

    def grade(
        self,
        matches: Matches,
        problems: Sequence[Problem],
        given: Given,
        generation: int,
        roles: Sequence[str] = (),
    ) -> Outcomes:
        """How the matches end, once the graders have spoken: the top level or the bottom one.

        Parameters
        ----------
        roles
            Of every slot; all ordinary if none are given.
        """
        grades = self._passed(matches, problems, given, generation)
        if set(roles) - {ORDINARY}:
            grades = self._by_role(matches, grades, roles, generation)
        texts, answers = given.sheet.texts, given.sheet.choices[matches.asked, given.choice]
        lengths = np.array([len(text) for text in texts])
        return Outcomes(
            matches=matches,
            queries=tuple(problem.query for problem in problems),
            texts=texts,
            answers=answers.astype(np.min_scalar_type(len(texts))),
            finished=np.ones(len(matches), dtype=np.bool_),
            tokens=lengths.astype(np.min_scalar_type(int(lengths.max())))[answers],
            log_probabilities=given.log_probabilities,
            verdicts=given.verdicts,
            unknown=self._unknown(matches, given),
            levels=np.eye(len(LEVEL_VALUES))[_LEVELS[: 2 + 3 * (RANDOM in roles)]],
            values=np.array(LEVEL_VALUES)[_LEVELS[: 2 + 3 * (RANDOM in roles)]],
            grades=grades,
        )

    def _unknown(self, matches: Matches, given: Given) -> Truths:
        """Which answers have no verdict."""
        if given.sheet.unknown is None:
            return ALL_KNOWN
        unknown: Truths = given.sheet.unknown[matches.asked, given.choice]
        return unknown if unknown.any() else ALL_KNOWN

    def errors(self, agents: Sequence[Agent]) -> Floats:
        """Probability of each agent's answering wrongly, float64 [M], that its context leads to."""
        population = Population.of(agents)
        contexts = [genome.context for genome in population.genomes]
        shown = list(chain.from_iterable(contexts))
        # Equal examples are one object nearly always: each is looked up once.
        distinct = dict(zip(map(id, shown), shown, strict=True))
        self._judge(distinct.values())
        wrong = {place: self._is_wrong[example] for place, example in distinct.items()}
        found = [
            self._error_after(len(context), sum(map(wrong.__getitem__, map(id, context))))
            for context in contexts
        ]
        return np.array(found, dtype=np.float64)[population.places]

    def _error(self, held: int, wrong: int) -> float:
        """The error of an agent that sees `held` examples, `wrong` of them wrong."""
        behaviour = self.behaviour
        if behaviour.adaptation == "bayes":
            return posterior_error(behaviour.skills, behaviour.prior, held, wrong)
        if behaviour.adaptation == "none" or not held:
            return behaviour.error
        return wrong / held

    def _judge(self, shown: Iterable[Example]) -> None:
        """Have it known which examples are wrong."""
        new = list(dict.fromkeys(one for one in shown if one not in self._is_wrong))
        if new:
            verdicts = self._verify([(example.query, example.answer) for example in new])
            wrong = (verdict is not True for verdict in verdicts)
            self._is_wrong.update(zip(new, wrong, strict=True))

    def _draw_sheet(self, problems: tuple[Problem, ...]) -> AnswerSheet:
        name, size, seed = self.behaviour.task, self.behaviour.size, self.behaviour.seed
        pairs = [
            (problem.query, text)
            for problem in problems
            for text in _sayable(_Asked(name, size, self._options, seed, problem, self._task))
        ]
        texts = [text for _, text in pairs]
        verdicts = self._verify(pairs)
        distinct, places = interned(texts)
        shape = len(problems), 1 + WRONG_ANSWERS
        right = np.array([bool(one) for one in verdicts], dtype=np.bool_).reshape(shape)
        unknown = unknown_among(verdicts)
        return AnswerSheet(
            distinct, places.reshape(shape), right, unknown.reshape(shape) if len(unknown) else None
        )

    def _passed(
        self, matches: Matches, problems: Sequence[Problem], given: Given, generation: int
    ) -> Integers:
        """Which graders pass each answer, int8 [A, K]: 1 the top level, 0 the bottom one."""
        behaviour, asked = self.behaviour, matches.asked
        authors = matches.authors.repeat(matches.problems)
        graders = matches.graders.shape[1]
        keys = [philox_key(behaviour.seed, name, generation) for name in ("grade", "look")]
        rates = np.where(given.verdicts, behaviour.tpr, behaviour.fpr)
        blind = ~given.verdicts & self._spots(problems, graders)[:, asked]
        # Two graders correlate by ρ if each looks at the common draw with probability √ρ.
        looking = math.sqrt(behaviour.correlation)
        common = self._common(problems, given) if looking else rates
        passed = np.empty((len(matches), graders), dtype=np.int8)
        for first in range(0, graders, _WORDS):
            where = authors, asked, np.full(len(matches), first // _WORDS)
            says = uniforms(keys[0], *where) < rates
            if looking:
                looks = ~given.verdicts & (uniforms(keys[1], *where) < looking)
                says = np.where(looks, common, says)
            seats = slice(first, min(first + _WORDS, graders))
            passed[:, seats] = (says[: graders - first] | blind[seats]).T
        return passed

    def _by_role(
        self, matches: Matches, passed: Integers, roles: Sequence[str], generation: int
    ) -> Integers:
        """What graders of some roles say in place of their honest grades, int8 [A, K]."""
        key = philox_key(self.behaviour.seed, "adversary", generation)
        authors = matches.authors.repeat(matches.problems)
        draws = np.zeros(passed.shape)
        for first in range(0, passed.shape[1] if RANDOM in roles else 0, _WORDS):
            where = authors, matches.asked, np.full(len(matches), first // _WORDS)
            drawn = uniforms(key, *where)[: passed.shape[1] - first]
            draws[:, first : first + _WORDS] = drawn.T
        levels = _LEVELS[passed]
        said = adjusted_levels(roles, roles, matches.graders, matches.slots, levels, draws)
        return np.argsort(_LEVELS)[said].astype(np.int8)

    def _spots(self, problems: Sequence[Problem], graders: int) -> Truths:
        """Problems whose wrong answers the grader in each seat passes, bool [K, Q]."""
        seed, share = self.behaviour.seed, self.behaviour.blind_spot
        draws = [stream(seed, "blind spot", problem.query).random() for problem in problems]
        apart = self.behaviour.spots == "disjoint"
        first = np.arange(graders)[:, None] * (share if apart else 0.0)
        spots: Truths = (first <= draws) & (draws < first + share)
        return spots

    def _common(self, problems: Sequence[Problem], given: Given) -> Truths:
        """What graders who look at the common draw say of each answer, bool [A].

        It is named by the problem and the answer's text: equal answers have one draw.
        """
        seed, texts = self.behaviour.seed, given.sheet.texts
        draws = [
            [stream(seed, "common draw", problem.query, texts[i]).random() for i in choices]
            for problem, choices in zip(problems, given.sheet.choices.tolist(), strict=True)
        ]
        passes = np.array(draws) < self.behaviour.fpr
        return np.tile(passes, (len(given.choice) // len(problems), 1))[
            np.arange(len(given.choice)), given.choice
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A problem of a run's task. Names, options and seed say which: runs of one process share what
    is drawn, but no verdicts, which are each run's own verifier's to remember.

    Drawing it is most of what a generation of scripted agents costs.
    """

    name: str
    size: int
    options: str
    seed: int
    problem: Problem
    task: Task = field(compare=False)


@lru_cache(maxsize=1 << 13)
def _sayable(asked: _Asked) -> list[str]:
    """What may be said to a problem, the right answer first."""
    task, problem = asked.task, asked.problem
    rng = stream(asked.seed, "wrong answers", problem.query)
    said = [task.reference(problem.query)]
    said += [task.corrupt(problem, rng) for _ in range(WRONG_ANSWERS)]
    return said


def _one_by_one(task: Task, pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
    return [task.verify(query, answer) for query, answer in pairs]
