"""What of a run's problems its journal does not hold, drawn again: right answers, and shots."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.setting.problems import draw_grown, draw_problems, hash_of_problems
from mgptn.experiments.setting.shots import draw_shots
from mgptn.experiments.setting.tasks import bundled_size, grown_tasks, make_task
from mgptn.experiments.sharing.source import Source
from mgptn.population.records.generation import Generation
from mgptn.protocols.interfaces.interface import Shown
from mgptn.protocols.tasks.task import Problem, Task


class References:
    """Draws a run's problems again, and tells their right answers.

    Attributes
    ----------
    shots
        Examples that every author was shown before its own.
    fault
        Why there are none, as a sentence; empty where there are.
    """

    def __init__(self, source: Source) -> None:
        self.fault = ""
        self.shots: tuple[Shown, ...] = ()
        self._config = source.config
        self._fixed: list[tuple[Problem, ...]] = []
        self._grown: dict[int, Task] = {}
        try:
            self._draw(source)
        except ConfigError as error:
            self.fault = f"Right answers could not be had again: {error}"

    def __call__(self, generation: Generation) -> list[list[str]]:
        """The right answers to each problem, one or several; none where they are not known."""
        if generation.size:
            task = self._grown.get(generation.size)
            size, index = generation.size, generation.index
            drawn = draw_grown(task, size, index, self._config) if task is not None else ()
        else:
            drawn = self._fixed[generation.index] if generation.index < len(self._fixed) else ()
        right = {problem.query: [problem.reference, *problem.also] for problem in drawn}
        return [right.get(query, []) for query in generation.outcomes.queries]

    def _draw(self, source: Source) -> None:
        config = source.config
        made = make_task(config.task, source.talks)
        begun = source.manifest.get("task_file")
        if made.file_hash != begun:
            raise ConfigError(
                f"task.file {config.task.file}: expected content hash {begun}, got {made.file_hash}"
            )
        if config.task.growth is not None:
            self._grown = grown_tasks(config.task)
            drawn = [draw_grown(made.task, bundled_size(config.task), 0, config)]
        else:
            drawn = draw_problems(made.task, config)
        begun, here = source.manifest.get("problems"), hash_of_problems(drawn)
        if begun not in (None, here):
            raise ConfigError(
                f"{made.task.name}: expected problems of hash {begun}, got others, of {here}"
            )
        self._fixed = [] if self._grown else drawn
        asked = {made.task.canonical(problem.query) for some in drawn for problem in some}
        self.shots = draw_shots(made.task, config, asked)
