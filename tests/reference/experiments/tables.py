"""All tables of a run at once, in memory, and their files: what a run writes part by part."""

# SPDX-License-Identifier: Apache-2.0

from mgptn.experiments.tables.frames import FRAMES, generation_frame
from mgptn.experiments.tables.graders import GRADER_FRAMES
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.experiments.tables.writing import joined, write_table


def build_tables(committed, measures, graders=None):
    """The eight tables of a run, of what is measured by arm and generation."""
    frames = {name: [] for name in SCHEMAS}
    for one in committed:
        key = one.arm, one.generation.index
        frames["generations"].append(generation_frame(one, measures[key]))
        for name, frame in FRAMES.items():
            frames[name].append(frame(one))
        for name, make in GRADER_FRAMES.items():
            frames[name].append(make(*key, (graders or {}).get(key, ())))
    return {name: joined(name, frames[name]) for name in SCHEMAS}


def write_tables(tables, folder):
    """Write each table as a run does."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_table(name, [table], folder) for name, table in tables.items()]
