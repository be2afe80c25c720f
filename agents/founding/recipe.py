"""A founder's recipe: everything that decides its weights, but for a device's arithmetic."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mgptn.agents.checkpoints import FOUNDERS
from mgptn.protocols.interfaces.columns import ColumnsInterface
from mgptn.protocols.interfaces.ladder import OPTIONS, LadderInterface
from mgptn.protocols.interfaces.markers import VOCABULARY as LADDER
from mgptn.protocols.interfaces.shown import ShownInterface
from mgptn.protocols.interfaces.table import founders_layout
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import text

VERSION = 1
"""Of what a recipe means; another gives its founders other names."""


MARKS = 4
"""Tokens around a question and its answer: a start, an end, and where it is judged two more."""

LOOKED_AT = 16
"""Questions by which a layout is found."""

LARGEST = {"layers": 256, "width": 16_384, "heads": 256, "steps": 10**7, "documents": 10**5}
"""Numbers of a recipe → the most of each."""


@dataclass(frozen=True, slots=True)
class FounderRecipe:
    """How founders are trained that differ in their seed alone.

    Attributes
    ----------
    task, least, most
        A bundled task, and its sizes that they learn, which are equally common.
    layers, width, heads
        Of a GPT-2, with squared ReLU and a feed-forward layer four times as wide.
    steps, documents
        Of training: steps, and problems of each.
    rate
        Highest learning rate; it warms up over a twelfth of the steps, and then falls to a tenth
        by half a cosine.
    offsets
        Places of a document are counted from a number drawn from 0 to this, so that columns
        beyond the largest size are no strangers.
    places
        How many places there are.
    judging
        Share of a step's documents that teach to judge instead of to answer, from 0 to less
        than 1.
    noise
        How careless those are whose answers they learn to give: a share of the answers is not the
        right one, but as `BundledTask.corpus` says.

    scale
        What a grade is taught in: the levels' ``"words"``, ``"digits"``, or ``"yes-no"``.

    Raises
    ------
    ValueError
        If there is no such task, size or scale, or a number is out of its range.
    """

    task: str = "addition"
    least: int = 1
    most: int = 5
    layers: int = 2
    width: int = 64
    heads: int = 4
    steps: int = 600
    documents: int = 64
    rate: float = 3e-3
    offsets: int = 8
    places: int = 64
    judging: float = 0.0
    noise: float = 0.0
    scale: str = "words"

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {self.task!r}")
        self._check_judging()
        if not 0.0 <= self.noise <= 1.0:
            raise ValueError(f"noise: expected a number from 0 to 1, got {self.noise}")
        if self.scale not in OPTIONS:
            raise ValueError(f"scale: expected one of {', '.join(OPTIONS)}, got {self.scale!r}")
        if self.scale != "words" and not self.judging:
            raise ValueError(f"scale: expected words where judging = 0, got {self.scale!r}")
        sizes = TASKS[self.task].sizes
        if not sizes[0] <= self.least <= self.most <= sizes[-1]:
            raise ValueError(
                f"sizes: expected some from {sizes[0]} to {sizes[-1]} of {self.task}, the least "
                f"first, got {self.least}-{self.most}"
            )
        for name, most in LARGEST.items():
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name}: expected 1 to {most}, got {getattr(self, name)}")
        if self.width % self.heads:
            raise ValueError(f"heads: expected a divisor of width = {self.width}, got {self.heads}")
        if not 0.0 < self.rate < 1.0:
            raise ValueError(f"rate: expected a number between 0 and 1, got {self.rate}")
        most = self.places - self._longest
        if not 0 <= self.offsets <= most:
            raise ValueError(
                f"offsets: expected 0 to {most}, so that the longest answer has its places among "
                f"{self.places}, got {self.offsets}"
            )

    @property
    def layout(self) -> type[LadderInterface]:
        """How its questions are laid out: in columns or in cases, or else as the ladder's are."""
        made = TASKS[self.task](TASKS[self.task].sizes[0])
        problems = made.draw_batch(np.random.default_rng(0), LOOKED_AT, "train")
        return founders_layout([text(query) for query in made.render(problems.fields)])

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every token, in id order: in the ladder's layout the ladder's, and the task's beside."""
        layout = self.layout
        if issubclass(layout, ShownInterface):
            return layout.vocabulary
        made = TASKS[self.task](self.most)
        rng = np.random.default_rng(0)
        asked = made.render(made.draw_batch(rng, 1000, "train").fields)
        written = {chr(code) for code in np.unique(asked)} | set(made.answer_alphabet)
        return (*LADDER, *sorted(written - set(LADDER)))

    @property
    def _longest(self) -> int:
        """Places that the longest document needs: of those that count anew at separators, after
        the last one.
        """
        layout, made = self.layout, TASKS[self.task](self.most)
        if layout is ColumnsInterface:
            return self.most + 3
        asked = 0 if issubclass(layout, ShownInterface) else made.query_characters
        return asked + made.max_answer_characters + MARKS

    def _check_judging(self) -> None:
        """Refuse a share of which a step would have nothing, or nothing else."""
        if not 0.0 <= self.judging < 1.0:
            raise ValueError(
                f"judging: expected a number from 0 to less than 1, got {self.judging}"
            )
        if self.judging and not 0 < self.judging_documents < self.documents:
            raise ValueError(
                f"judging: expected 0, or a share that is at least one of documents = "
                f"{self.documents} and leaves one, got {self.judging}"
            )

    @property
    def judging_documents(self) -> int:
        """How many of a step's documents teach to judge."""
        return round(self.judging * self.documents)

    def content(self) -> dict[str, Any]:
        """All fields, as a founder's folder tells them; the later ones only where there is any."""
        content = asdict(self)
        for later in ("judging", "noise"):
            if not content[later]:
                del content[later]  # older than it, recipes without keep their names
        if self.scale == "words":
            del content["scale"]
        return content

    def digest(self) -> str:
        """Hexadecimal content hash, of eight digits."""
        layout = self.layout
        edition = layout.edition if issubclass(layout, ShownInterface) else 1
        told = [VERSION, self.content(), *([edition] if edition > 1 else [])]
        content = json.dumps(told, sort_keys=True).encode()
        return hashlib.blake2b(content, digest_size=4, person=b"mgptn.founder").hexdigest()

    def name(self, seed: int) -> str:
        """Of the model with a seed."""
        return f"{FOUNDERS}{self.task}-{self.least}-{self.most}-{self.digest()}/{seed}"

    def rate_at(self, step: int) -> float:
        """Learning rate at a step."""
        warm = min(1.0, (step + 1) / max(1, self.steps // 12))
        cosine = 0.5 * (1.0 + math.cos(math.pi * step / self.steps))
        return self.rate * warm * (0.1 + 0.9 * cosine)
