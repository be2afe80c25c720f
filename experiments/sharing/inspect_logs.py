"""Logs that inspect_ai reads and its viewer opens: one for each arm and generation of a run.

A log is a zip of JSON in the form that inspect_ai calls ``.eval``, version 2. One a generation:
its samples can be listed at once however long a run was, and the list of logs shows its course.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from mgptn.agents.files import write_whole
from mgptn.experiments.config.arms import ARMS
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.sharing.inspect_samples import Plain, sample_of, summary_of
from mgptn.experiments.sharing.prompts import QUESTION, Told
from mgptn.experiments.sharing.references import References
from mgptn.experiments.sharing.source import Source
from mgptn.population.measures.generation_measures import Measures

VERSION = 2
"""Of the form of log files."""

METRICS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "verdict": (
        ("accuracy", "gold_error", True),
        ("accuracy_low", "gold_error_high", True),
        ("accuracy_high", "gold_error_low", True),
        ("accuracy_majority", "majority_error", True),
        ("accuracy_best_graded", "best_of_n_error", True),
    ),
    "score": (("fitness_mean", "fitness_mean", False), ("fitness_max", "fitness_max", False)),
    "grade": (("auc", "grader_auc", False), ("youden_j", "grader_j", False)),
}
"""Score → its metrics: name, field of `Measures`, and whether 1 less it is told."""


def write_logs(source: Source, folder: Path) -> str:
    """Write a log for each arm and generation; a sentence about them."""
    references, count = References(source), 0
    told = Told.of(source, references)
    for done in source.rounds():
        for one in done.committed:
            path = folder / f"{one.arm}-generation-{one.generation.index:04}.eval"
            _write_log(path, one, done.measures[one.arm], source, references, told)
            count += 1
    missing = f". {references.fault}" if references.fault else ""
    return f"{count} logs; `inspect view --log-dir` with this folder shows them{missing}"


def _write_log(
    path: Path,
    one: Committed,
    measures: Measures,
    source: Source,
    references: References,
    told: Told,
) -> None:
    header = _header(one, measures, source, references.fault)
    right = references(one.generation)
    start = {name: header[name] for name in ("version", "eval", "plan")}

    def write(file: Any) -> None:
        summaries = []
        with ZipFile(file, "w", ZIP_DEFLATED) as packed:
            _put(packed, "_journal/start.json", start)
            for sample in _samples(one, right, told):
                _put(packed, f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample)
                summaries.append(summary_of(sample))
            _put(packed, "summaries.json", summaries)
            _put(packed, "header.json", header)

    write_whole(path, write)


def _samples(one: Committed, right: Sequence[Sequence[str]], told: Told) -> Iterator[Plain]:
    generation = one.generation
    problems = generation.outcomes.matches.problems
    for slot, author in enumerate(generation.agents):
        shown = told.messages(author.genome, QUESTION)
        for problem in range(problems):
            index = slot * problems + problem
            yield sample_of(generation, one.arm, index, right[problem], shown)


def _put(packed: ZipFile, name: str, content: object) -> None:
    """A file of JSON; equal ones are equal bytes, whenever they are written."""
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    packed.writestr(entry, json.dumps(content, allow_nan=False))


def _header(one: Committed, measures: Measures, source: Source, fault: str) -> Plain:
    """All of a log but its samples."""
    config, generation = source.config, one.generation
    samples, problems = len(generation.outcomes), generation.outcomes.matches.problems
    begun, until = (_time(source.folder / name) for name in (MANIFEST, JOURNAL))
    name = f"{config.name} {one.arm} {generation.index}"
    models = sorted({agent.genome.model for agent in generation.agents})
    about = {
        "eval_id": _identity(one.arm, generation.digest),
        "run_id": _identity("run", json.dumps(source.manifest, sort_keys=True)),
        "task_id": _identity(one.arm, json.dumps(source.manifest, sort_keys=True)),
        "created": begun,
        "task": name,
        "task_version": 0,
        "task_args": {"arm": one.arm, "generation": generation.index, "seed": config.seed},
        "task_description": (
            f"Generation {generation.index} of {len(generation.agents)} agents on {problems} "
            f"problems of {config.task.name}; arm {one.arm}: {ARMS.get(one.arm, 'a control')}."
        ),
        "dataset": {
            "name": config.task.name,
            "samples": samples,
            "shuffled": False,
        },
        "model": config.agents.said,
        "model_generate_config": {},
        "config": {"epochs": 1},
        "packages": {"mgptn": str(source.manifest.get("versions", {}).get("mgptn", "unknown"))},
        "metadata": {
            "made_by": "mgptn export --to inspect",
            "models": [model for model in models],
            "population_digest": generation.digest,
            "weights": source.manifest.get("weights", {}),
            "config": source.config.model_dump(mode="json"),
            **({"targets": fault} if fault else {}),
        },
        "scorers": [{"name": score} for score in METRICS],
    }
    return {
        "version": VERSION,
        "status": "success",
        "eval": about,
        "plan": {"name": "plan", "steps": [{"solver": f"mgptn/{config.protocol.name}"}]},
        "results": {
            "total_samples": samples,
            "completed_samples": samples,
            "scores": _results(measures),
        },
        "stats": {"started_at": begun, "completed_at": until},
    }


def _results(measures: Measures) -> list[Plain]:
    """The scores of a generation, each with those of its metrics that are numbers."""
    results = []
    for score, metrics in METRICS.items():
        told: dict[str, Plain] = {}
        for name, field, less in metrics:
            value = float(getattr(measures, field))
            if value == value:  # not NaN
                told[name] = {"name": name, "value": 1 - value if less else value}
        results.append({"name": score, "scorer": score, "metrics": told})
    return results


def _identity(*parts: str) -> str:
    """A short identifier, the same whenever a run is passed on."""
    content = "\0".join(parts).encode()
    return hashlib.blake2b(content, digest_size=11, person=b"mgptn.inspect").hexdigest()


def _time(path: Path) -> str:
    """When a file was last written, in UTC: journals and manifests hold no clock."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC).isoformat()
