"""What is measured: a model that learns to grade in words, in digits, or by yes and no.

The same answers are graded before and after each lesson, by the logits and by k sampled words.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mgptn.agents.learning.documents import judged_documents, lay_out
from mgptn.agents.requests import Learn, Score, Scored
from mgptn.experiments.cards.exam import held_out_exam
from mgptn.experiments.claims.method.calculators import Pupil
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.draws.streams import philox_key, stream
from mgptn.population.records.arrays import Floats
from mgptn.population.records.weights import Weights
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.wordings import WORDINGS
from mgptn.protocols.scale import LEVEL_VALUES
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask

SCALES = ("words", "digits", "yes-no")
LOGITS = "logits"


def measure_learned(bench: Bench) -> pl.DataFrame:
    """Grades of the same answers in every scale, untaught and taught; a row an answer."""
    options = bench.options["learned"]
    pupil = Pupil(bench, options["model"], LadderInterface())
    taught = {scale: _taught(pupil, bench, options, scale) for scale in SCALES}
    frames = []
    for name in options["tasks"]:
        task = _task(name)
        rng = stream(bench.seed, "learned scales", name)
        exam, _ = held_out_exam(task, options["problems"], rng)
        each = options["answers"]
        asked = exam.take(np.repeat(np.arange(len(exam)), each))
        said = pupil.answers(asked, f"learned scales {name}")
        texts = [pupil.interface.read_answer(pupil.encoder.decode(one)) for one in said]
        answered = {
            "task": name,
            "problem": np.repeat(np.arange(len(exam)), each),
            "right": asked.right(texts),
        }
        for scale in SCALES:
            for told, worn in (("untaught", None), ("taught", taught[scale])):
                given = _graded(pupil, asked.queries, texts, scale, worn)
                words = _sampled(given, options["words"], rng)
                columns = {**answered, "scale": scale, "grader": told, **words}
                frames.append(pl.DataFrame(columns))
    return pl.concat(frames)


def _task(name: str) -> BundledTask:
    return TASKS[name](TASKS[name].default_size)


def _taught(pupil: Pupil, bench: Bench, options: dict[str, Any], scale: str) -> Weights:
    """What becomes of the model by a lesson: answers of all tasks, judged in a scale."""
    steps, each, names = options["steps"], options["documents"], options["tasks"]
    rng = stream(bench.seed, "lesson in grading")
    documents = []
    for name in names:
        sizes = [TASKS[name].default_size] * (steps * each // len(names))
        documents += judged_documents(pupil.interface, pupil.encoder, name, sizes, rng, scale)
    order = stream(bench.seed, "lesson's order").permutation(len(documents))
    shuffled = [documents[i] for i in order]
    rows = [shuffled[first : first + each] for first in range(0, len(shuffled), each)]
    pages = lay_out(rows, np.zeros((len(rows), each), dtype=np.int64))
    worn, _ = pupil.learned(
        Learn(
            worn=None,
            method="full",
            trainable=tuple(options["trainable"]),
            rate=options["rate"],
            shape=pages.tokens.shape,
            tokens=pages.tokens.tobytes(),
            taught=pages.taught.tobytes(),
            offsets=pages.offsets.tobytes(),
            lora=None,
            key=philox_key(bench.seed, "lesson in grading"),
        )
    )
    return worn


def _graded(
    pupil: Pupil, queries: Sequence[str], answers: Sequence[str], scale: str, worn: Weights | None
) -> Floats:
    """Probability of each option, float64 [N, L]."""
    layout, requests = LadderInterface(WORDINGS[scale]), []
    for query, answer in zip(queries, answers, strict=True):
        prompt = layout.grade_prompt(Asked(query, answer))
        prefix = pupil.encoder.prefix(prompt.prefix)
        suffix, continued = pupil.encoder.before(prompt.suffix, layout.level_options)
        requests.append(Score(prefix, suffix, continued))
    replies = pupil.ask(requests, worn)
    logs = np.array([r.log_probabilities for r in replies if isinstance(r, Scored)])
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _sampled(given: Floats, words: Sequence[int], rng: np.random.Generator) -> dict[str, Floats]:
    """The expected level, and the mean of k that are drawn, float64 [N] each."""
    levels = LEVEL_VALUES if given.shape[1] == len(LEVEL_VALUES) else (0.0, 1.0)
    values, ends = np.array(levels), np.cumsum(given, axis=1)
    drawn = rng.random((len(given), max(words), 1)) > ends[:, None, :-1]
    said = values[drawn.sum(axis=2)]
    return {LOGITS: given @ values, **{str(k): said[:, :k].mean(axis=1) for k in words}}


MEASURES = {"learned": measure_learned}
