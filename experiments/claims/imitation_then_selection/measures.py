"""What is measured: the writing of every arm, read by a model that has not seen the question.

Dimensions: Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from mgptn.experiments.claims.imitation_then_selection.reading import (
    Reader,
    Written,
    likelihoods,
    true_writing,
    valid_steps,
)
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.draws.streams import stream
from mgptn.population.records.generation import Generation

LAST = 4
"""Generations, from the end, that count."""


def measure_readings(bench: Bench) -> pl.DataFrame:
    """Of the writing in some generations of each arm, whether it tells the answer to a reader who
    was taught by right derivations, how likely another writer is to write it, and how many of its
    steps are valid; a row an answer.
    """
    options = bench.options
    founder = Calculator(bench, options["writer"], bench.seed)
    rng = stream(bench.seed, "true writing")
    true = true_writing(options["writer"]["most"], options["texts"], rng)
    reader = Reader.taught(founder, true, options["lesson"], bench.seed)
    frames = []
    for arm, generation in _looked_at(bench):
        writing = writing_of(generation)
        others = [one.derivation for one in from_others(writing, len(generation.agents))]
        frames.append(
            pl.DataFrame(
                {
                    "arm": arm,
                    "generation": generation.index,
                    "problem": _problems(generation),
                    "right": generation.outcomes.verdict_values(),
                    "told": reader.tells(writing, [one.derivation for one in writing]),
                    "told by another": reader.tells(writing, others),
                    "likelihood": likelihoods(founder, writing),
                    "valid": [valid_steps(one) for one in writing],
                    "length": [len(one.text) for one in writing],
                }
            )
        )
    return pl.concat(frames)


def measure_codes(bench: Bench) -> pl.DataFrame:
    """Whether the writing of the last generations tells the answer to a reader who was taught by
    what the same population wrote in the generations before them; a row an answer.
    """
    options = bench.options
    founder = Calculator(bench, options["writer"], bench.seed)
    frames = []
    for arm in options["coded"]:
        generations = list(_generations(bench, arm))
        last = min(LAST, len(generations) // 2)
        before, after = generations[-2 * last : -last], generations[-last:]
        reader = Reader.taught(founder, _all_writing(before), options["lesson"], bench.seed)
        for generation in after:
            writing = writing_of(generation)
            others = [one.derivation for one in from_others(writing, len(generation.agents))]
            frames.append(
                pl.DataFrame(
                    {
                        "arm": arm,
                        "generation": generation.index,
                        "problem": _problems(generation),
                        "told": reader.tells(writing, [one.derivation for one in writing]),
                        "told by another": reader.tells(writing, others),
                    }
                )
            )
    return pl.concat(frames)


def writing_of(generation: Generation) -> list[Written]:
    """All that was written, author by author."""
    outcomes = generation.outcomes
    texts = [outcomes.texts[place] for place in outcomes.answers]
    return [
        Written(outcomes.queries[i % len(outcomes.queries)], said) for i, said in enumerate(texts)
    ]


def from_others(writing: Sequence[Written], agents: int) -> list[Written]:
    """In place of each text what the same author wrote on the next problem, the first's after the
    last.
    """
    each = len(writing) // agents
    return [
        writing[i - i % each + (i + 1) % each]  # the next of the same author's
        for i in range(len(writing))
    ]


def _problems(generation: Generation) -> list[int]:
    each = len(generation.outcomes.queries)
    return [i % each for i in range(len(generation.outcomes.answers))]


def _all_writing(generations: Sequence[Generation]) -> list[Written]:
    return [one for generation in generations for one in writing_of(generation)]


def _looked_at(bench: Bench) -> Iterator[tuple[str, Generation]]:
    """Every arm's first generation, last ones, and some between."""
    every = bench.options["every"]
    for arm in bench.results.values("arm"):
        generations = list(_generations(bench, arm))
        for generation in generations:
            if generation.index % every == 0 or generation.index >= len(generations) - LAST:
                yield arm, generation


def _generations(bench: Bench, arm: str) -> Iterator[Generation]:
    (cell,) = [cell for cell in bench.results.of(arm=arm) if cell.config.seed == bench.seed]
    return bench.results.generations(cell)
