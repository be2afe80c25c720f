"""What an author was told before it answered: laid out again from a run's settings and genomes.

Nothing is fetched, trained or asked for it: of a model whose files are not here only the reason is
told.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.agents.checkpoints import CheckpointError, find_checkpoint, is_own
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.tokens.templates import has_template
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.config.sections.plugins import interfaces
from mgptn.experiments.setting.problems import draw_grown, draw_problems
from mgptn.experiments.setting.same_ground import begun_on
from mgptn.experiments.setting.shots import draw_shots
from mgptn.experiments.setting.tasks import bundled_size, make_task
from mgptn.experiments.views.printable import visible
from mgptn.population.records.agents import Genome
from mgptn.protocols.interfaces.interface import Asked, Interface, Shown
from mgptn.protocols.interfaces.table import Setting, make_interface, usual_wording

LONGEST = 100_000
"""Characters of a prompt that are sent."""


class Prompts:
    """Lays out a run's prompts again. Any thread may call."""

    def __init__(self, config: RunConfig, manifest: dict[str, Any]) -> None:
        self._config, self._manifest = config, manifest
        self._lock = threading.Lock()
        self._layout = cache(self._made)
        self._shared: tuple[tuple[Shown, ...], str | None, bool] | None = None

    def answering(self, genome: Genome, query: str) -> dict[str, str]:
        """The `text` before an author's first answer to a question; or `why` it is not known.

        What is shown of a conversation on the way, as to a critic or a rival, is not in it.
        """
        if genome.model in SCRIPTED_MODELS:
            return {"why": "These agents have no model: nothing is said to them."}
        if genome.model in self._config.agents.remote:
            return {"why": "The model is behind a server, which lays prompts out itself."}
        try:
            with self._lock:
                layout = self._layout(genome.model)
                shots, instruction, _ = self._told()
                own = (Shown(one.query, one.answer, one.level) for one in genome.context)
                asked = Asked(query, examples=(*shots, *own), persona=genome.persona,
                              instruction=instruction)  # fmt: skip
                prompt = layout.answer_prompt(asked)
        except (ConfigError, CheckpointError, ValueError, OSError) as error:
            return {"why": f"It cannot be laid out again here: {visible(str(error))}"}
        text = visible(prompt.prefix + prompt.suffix)
        return {"text": text if len(text) <= LONGEST else text[:LONGEST] + "…"}

    def _made(self, model: str) -> Interface:
        """How a model whose files are here is asked."""
        if not is_own(model) and not Path(model).is_dir():
            raise CheckpointError(f"{model}: expected a bundled model, or a folder of this machine")
        checkpoint = find_checkpoint(model)
        name = self._config.agents.interface
        if name == "auto" and has_template(checkpoint.folder):
            name = "chat"
        encoder = Encoder(checkpoint, self._config.agents.today or begun_on(self._manifest))
        setting = Setting(
            model=checkpoint.name,
            vocabulary=encoder.vocabulary,
            wording=self._config.protocol.wording or usual_wording(name),
            multiline=self._told()[2],
            render=encoder.chat,
            plain=encoder.plain,
        )
        return make_interface(name, setting, interfaces())

    def _told(self) -> tuple[tuple[Shown, ...], str | None, bool]:
        """What all authors see first, the form they are asked for, and: are answers of lines?"""
        if self._shared is None:
            config, talks = self._config, self._manifest.get("interface") == "chat"
            made = make_task(config.task, talks)
            if made.file_hash != self._manifest.get("task_file"):
                raise ConfigError("the file of questions is not the one that the run was begun on")
            if config.task.growth is not None:
                drawn = [draw_grown(made.task, bundled_size(config.task), 0, config)]
            else:
                drawn = draw_problems(made.task, config)
            asked = {made.task.canonical(one.query) for some in drawn for one in some}
            lines = any("\n" in one.reference for some in drawn for one in some)
            self._shared = (
                draw_shots(made.task, config, asked),
                config.task.told(talks=talks),
                lines,
            )
        return self._shared
