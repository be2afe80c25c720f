"""`mgptn compact`: what no view needs is dropped from a run's journal.

Only the command line; heavy imports happen inside the command, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import click

from mgptn.experiments.commands.parts import FOLDER, loading, say
from mgptn.experiments.views.doing import doing


@click.command()
@click.argument("folder", metavar="RUN", type=FOLDER)
@click.option(
    "--keep", type=click.Choice(["all", "numbers"]), default="all", show_default=True,
    help="All that any view needs; or numbers, without what was said.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be dropped, and drop nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, where something is dropped for good.")
def compact(folder: Path, keep: str, dry_run: bool, yes: bool) -> None:
    """Drop from a run's journal what no view needs.

    RUN has ended. Its population hash stays, and is checked before the old journal is replaced.
    """
    with loading():
        from mgptn.experiments.running import compact as compacting

    for line in compacting.describe_compaction(folder, keep):
        say(line)
    if dry_run:
        return
    if keep == compacting.NUMBERS and not yes:
        click.confirm("Drop them?", abort=True)
    with doing("writing, comparing and replaying the compact journal"):
        saved = compacting.compact(folder, keep)
    say(
        f"{saved.before:,} bytes became {saved.after:,}: "
        f"{saved.before - saved.after:,} saved, {saved.before / saved.after:.1f} times less"
    )
    say(f"population hash: {saved.population_hash}")
