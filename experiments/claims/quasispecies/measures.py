"""What claim 5 measures: clouds on the single peak, and on the landscape of a model's contexts.

Dimensions: L sites, K = 2^L genomes, N individuals, P populations, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq

from mgptn.experiments.cards.exam import Context, held_out_exam
from mgptn.experiments.claims.method.enumerating import answer_log_probabilities
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.breeding.operators import replication_rates
from mgptn.population.breeding.wright_fisher import sample_parents
from mgptn.population.draws.streams import stream
from mgptn.population.measures.diversity import hill
from mgptn.population.records.arrays import Floats
from mgptn.population.theory.finite_quasispecies import simulate_classes
from mgptn.population.theory.quasispecies import (
    error_threshold,
    hamming_stationary,
    quasispecies_stationary,
)
from mgptn.protocols.tasks.bundled import text
from mgptn.protocols.tasks.composition import Composition

Integers = NDArray[np.int64]

SELECTED, NEUTRAL = "selected", "random parents"


class Landscape(NamedTuple):
    """What selection sees of genomes of bits.

    Attributes
    ----------
    accuracy
        float64 [K], probability of a right answer.
    fitness
        float64 [K], expected offspring up to a factor.
    """

    accuracy: Floats
    fitness: Floats

    @property
    def added(self) -> float:
        """Accuracy of the fittest genome less that of evenly drawn ones."""
        return float(self.accuracy[np.argmax(self.fitness)] - self.accuracy.mean())

    def excess(self, shares: Floats) -> float:
        """Share of the added accuracy that a population, float64 [K], has."""
        return float((self.accuracy @ shares - self.accuracy.mean()) / self.added)


def measure_peaks(bench: Bench) -> pl.DataFrame:
    """Has each population its master at the end, and what share had it, by size and error rate."""
    rows = []
    options = bench.options
    for length, superiority in options["landscapes"]:
        critical = error_threshold(superiority, length)
        for size in options["sizes"]:
            for factor in options["factors"]:
                rng = stream(bench.seed, "peaks", length, repr(superiority), size, repr(factor))
                counts = simulate_classes(
                    superiority,
                    length,
                    factor * critical,
                    size,
                    options["generations"],
                    options["populations"],
                    rng,
                )
                shares = counts[options["generations"] // 2 :, :, 0].mean(axis=0) / size
                exact = hamming_stationary(superiority, length, factor * critical).master
                rows += [
                    {
                        "length": length,
                        "superiority": superiority,
                        "size": size,
                        "factor": factor,
                        "population": population,
                        "kept": bool(counts[-1, population, 0] > 0),
                        "share": float(shares[population]),
                        "exact": exact,
                    }
                    for population in range(options["populations"])
                ]
    return pl.DataFrame(rows)


def measure_accuracy(bench: Bench) -> pl.DataFrame:
    """How probable a right answer is after every context of right and wrong examples."""
    length, count = bench.options["genome"], bench.options["problems"]
    task, subject = Composition(), bench.subject(bench.models[0])
    exam, _ = held_out_exam(task, count, stream(bench.seed, "quasispecies exam"))
    rng = stream(bench.seed, "quasispecies examples")
    shown = task.draw_batch(rng, length, "train")
    wrong = task.corrupt_batch(rng, shown, rng.integers(0, 3, size=length))
    queries = [text(query) for query in task.render(shown.fields)]
    answers = [[text(row) for row in rows] for rows in (wrong, shown.references)]
    contexts: list[Context] = [
        tuple(
            (query, answers[bit][i])
            for i, (query, bit) in enumerate(zip(queries, bits, strict=True))
        )
        for bits in bits_of(length)
    ]
    references = [text(row) for row in exam.problems.references]
    logs = answer_log_probabilities(
        subject,
        exam.queries * len(contexts),
        references * len(contexts),
        [context for context in contexts for _ in range(len(exam))],
    )
    return pl.DataFrame(
        {
            "genome": np.repeat(np.arange(len(contexts)), len(exam)),
            "problem": np.tile(np.arange(len(exam)), len(contexts)),
            "right": np.exp(logs),
        }
    )


def measure_predicted(bench: Bench) -> pl.DataFrame:
    """The cloud by W = Q·diag(f) on the landscape of half the problems, by error rate."""
    predicting, answering = landscapes(bench)
    critical = half_loss(predicting)
    rows = []
    for factor in bench.options["cloud_factors"]:
        shares = stationary(predicting, min(0.5, factor * critical))
        rows.append(
            {
                "factor": factor,
                "threshold": critical,
                "excess": predicting.excess(shares),
                "genomes": hill(shares, 1.0),
            }
        )
    length = bench.options["genome"]
    superiority = float(predicting.fitness.max() / np.median(predicting.fitness))
    return pl.DataFrame(rows).with_columns(
        other_half=pl.lit(half_loss(answering)),
        quarter=pl.lit(half_loss(predicting, 0.25)),
        three_quarters=pl.lit(half_loss(predicting, 0.75)),
        single_peak=pl.lit(error_threshold(superiority, length)),
        all_right=pl.lit(float(predicting.accuracy[-1])),
        all_wrong=pl.lit(float(predicting.accuracy[0])),
        evenly=pl.lit(float(predicting.accuracy.mean())),
        best=pl.lit(int(np.argmax(predicting.fitness))),
    )


def measure_clouds(bench: Bench) -> pl.DataFrame:
    """Finite populations that answer the other half's problems, by size and error rate."""
    options = bench.options
    predicting, answering = landscapes(bench)
    critical, rows = half_loss(predicting), []
    largest = max(options["cloud_sizes"])
    for size in options["cloud_sizes"]:
        for selector in (SELECTED, NEUTRAL) if size == largest else (SELECTED,):
            for factor in options["cloud_factors"]:
                for population in range(options["cloud_populations"]):
                    rng = stream(bench.seed, "clouds", size, selector, repr(factor), population)
                    shares = evolve(
                        answering.accuracy,
                        options["genome"],
                        min(0.5, factor * critical),
                        size,
                        options["cloud_generations"],
                        options["answered"],
                        options["selection_temperature"] if selector == SELECTED else np.inf,
                        rng,
                    )
                    rows.append(
                        {
                            "size": size,
                            "selector": selector,
                            "factor": factor,
                            "population": population,
                            "excess": answering.excess(shares.mean(axis=0)),
                            "genomes": float(np.mean([hill(s, 1.0) for s in shares[-20:]])),
                        }
                    )
    return pl.DataFrame(rows)


def evolve(
    accuracy: Floats,
    length: int,
    error_rate: float,
    size: int,
    generations: int,
    answered: int,
    selection_temperature: float,
    rng: np.random.Generator,
) -> Floats:
    """Shares of genomes in the last half of the generations, float64 [G/2, K].

    Everybody answers so many problems, right with their genome's accuracy, float64 [K]; parents
    are drawn by e^(share right/T); every bit is copied wrong with the error rate. All begin with
    every bit set.
    """
    genomes = np.full(size, accuracy.size - 1, dtype=np.int64)
    kept = []
    for generation in range(generations):
        right = rng.binomial(answered, accuracy[genomes]) / answered
        parents = sample_parents(replication_rates(right, selection_temperature), rng)
        flips = (rng.random((size, length)) < error_rate) @ (1 << np.arange(length))
        genomes = genomes[parents] ^ flips
        if generation >= generations // 2:
            kept.append(np.bincount(genomes, minlength=accuracy.size) / size)
    return np.asarray(kept, dtype=np.float64)


def expected_fitness(accuracy: Floats, answered: int, selection_temperature: float) -> Floats:
    """Mean of e^(share right/T) where so many problems are answered right with this accuracy."""
    factor = np.expm1(1.0 / (answered * selection_temperature))
    return np.asarray((1.0 + accuracy * factor) ** answered, dtype=np.float64)


def landscapes(bench: Bench) -> tuple[Landscape, Landscape]:
    """Of the problems that predict, and of those that are answered."""
    table = bench.results.measured("accuracy").filter(pl.col("seed") == bench.seed)
    right = table.sort("genome", "problem")["right"].to_numpy()
    halves = right.reshape(1 << bench.options["genome"], -1, 2).mean(axis=1)
    answered, temperature = bench.options["answered"], bench.options["selection_temperature"]
    first, second = (
        Landscape(half, expected_fitness(half, answered, temperature)) for half in halves.T
    )
    return first, second


def stationary(landscape: Landscape, error_rate: float) -> Floats:
    """Shares of genomes in an infinite population, float64 [K]."""
    mutation = bit_mutation(landscape.fitness.size.bit_length() - 1, error_rate)
    return quasispecies_stationary(mutation, landscape.fitness).distribution


def half_loss(landscape: Landscape, left: float = 0.5) -> float:
    """Error rate at which an infinite population has lost half of what selection adds.

    Or at which another share of it is left.
    """

    def surplus(error_rate: float) -> float:
        return landscape.excess(stationary(landscape, error_rate)) - left

    return float(brentq(surplus, 1e-4, 0.5, xtol=1e-5))


def bit_mutation(length: int, error_rate: float) -> Floats:
    """Mutation between all genomes of L bits, Q[to, from]: float64 [2^L, 2^L]."""
    site = np.array([[1.0 - error_rate, error_rate], [error_rate, 1.0 - error_rate]])
    mutation = np.ones((1, 1))
    for _ in range(length):
        mutation = np.kron(mutation, site)
    return mutation


def bits_of(length: int) -> Integers:
    """The bits of each genome, lowest first: int64 [2^L, L]."""
    return np.asarray(np.arange(1 << length)[:, None] >> np.arange(length) & 1, dtype=np.int64)
