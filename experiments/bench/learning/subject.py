"""A founder with agents of its kind: their weights, what they learn, what they are asked."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mgptn.agents.checkpoints import count_parameters, find_checkpoint
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.learning.documents import Pages, lay_out, true_documents
from mgptn.agents.learning.numbers import Numbers
from mgptn.agents.requests import Generate, Learn
from mgptn.agents.tokens.encoder import Encoder
from mgptn.experiments.bench.learning.scale import Scale
from mgptn.population.draws.streams import stream
from mgptn.population.records.weights import Weights, learned
from mgptn.protocols.interfaces.columns import ColumnsInterface
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import text

RATE = 1e-3


class Subject:
    """A founder in a folder, and agents whose weights are its own, each disturbed by chance.

    Attributes
    ----------
    numbers
        The agents' numbers.
    weights
        Of each agent.
    """

    def __init__(self, folder: Path, scale: Scale, device: str) -> None:
        import torch
        from safetensors.torch import load_file, save

        from mgptn.agents.founding.train import train_founder

        self.scale, self.device = scale, device
        train_founder(scale.recipe, 0, folder)
        self.checkpoint = find_checkpoint(str(folder))
        self.encoder = Encoder(self.checkpoint)
        self.interface = ColumnsInterface()
        self.numbers = Numbers()
        self.weights: list[Weights] = []
        self.parameters = count_parameters(folder)
        own = load_file(folder / "model.safetensors")
        for agent in range(scale.agents):
            torch.manual_seed(agent)
            other = {name: one + 0.01 * torch.randn_like(one) for name, one in own.items()}
            content = self.numbers.keep(save(other))
            self.weights.append(learned(None, self.checkpoint.name, content))

    def model(self, attention: str = "sdpa") -> Any:
        """The founder, as transformers loads it."""
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(
            self.checkpoint.folder, attn_implementation=attention, local_files_only=True
        )
        return model.to(self.device).eval()

    @property
    def products(self) -> int:
        """Weights that a token is multiplied with."""
        return sum(
            parameter.numel()
            for name, parameter in self.model().named_parameters()
            if parameter.ndim == 2 and not name.endswith(("wte.weight", "wpe.weight"))
        )

    def pages(self, agent: int, documents: int) -> Pages:
        """Documents of an agent's steps, right answers to problems of the founder's sizes."""
        recipe, steps = self.scale.recipe, self.scale.steps
        rng = stream(0, "bench learning", agent, documents)
        sizes = rng.integers(recipe.least, recipe.most + 1, size=steps * documents)
        drawn = true_documents(self.interface, self.encoder, recipe.task, sizes.tolist(), rng)
        # As wide as the longest that there may be, so that all agents' are equally wide.
        (longest,) = true_documents(self.interface, self.encoder, recipe.task, [recipe.most], rng)
        offsets = rng.integers(0, recipe.offsets + 1, size=(steps, documents))
        rows = [drawn[i * documents : (i + 1) * documents] for i in range(steps)]
        rows[0][0] = longest
        return lay_out(rows, offsets)

    def learn(self, agent: int, documents: int) -> Learn:
        """An agent's request to learn them."""
        pages = self.pages(agent, documents)
        return Learn(
            worn=self.weights[agent],
            method="full",
            trainable=("all",),
            rate=RATE,
            shape=pages.tokens.shape,
            tokens=pages.tokens.tobytes(),
            taught=pages.taught.tobytes(),
            offsets=pages.offsets.tobytes(),
        )

    def questions(self, agent: int) -> list[Generate]:
        """What an agent is to answer: as many tokens each, whatever its weights are."""
        recipe = self.scale.recipe
        task = TASKS[recipe.task](recipe.most)
        rng = stream(0, "bench questions", agent)
        problems = task.draw_batch(rng, self.scale.answers, "held-out")
        asked = []
        for place, query in enumerate(task.render(problems.fields)):
            prompt = self.interface.answer_prompt(Asked(text(query)))
            prefix, suffix = self.encoder.prefix(prompt.prefix), self.encoder.suffix(prompt.suffix)
            key = (agent, place)
            asked.append(Generate(prefix, suffix, (), task.max_answer_characters + 1, 1.0, key))
        return asked

    def anew(self, agent: int, turn: int) -> Weights:
        """An agent's weights by a name that no host has heard of."""
        return replace(self.weights[agent], parent=f"turn {turn}")

    def host_settings(self) -> HostSettings:
        """How to make a host of the founder."""
        return HostSettings(self.checkpoint.name, self.checkpoint.weights, self.device)
