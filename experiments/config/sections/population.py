"""The section `population` of a configuration: how many, for how long, selected and mutated how."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mgptn.experiments.config.sections.section import (
    LARGEST,
    Probability,
    Section,
    SelectionTemperature,
)


class SelectionConfig(Section):
    """How fitness becomes births and deaths; temperature ``.inf`` is neutral drift."""

    process: Literal[
        "wright-fisher", "soft-survival", "moran", "death-birth", "islands", "none"
    ] = "wright-fisher"
    """`wright-fisher` replaces all at once; `soft-survival` those who do not survive, with
    probability exp((*f* − *f*max)/*T*) under `softmax`; `moran` and `death-birth` one by one;
    `islands` all at once, in demes that compete apart; `none` nobody."""
    resampling: Literal["multinomial", "systematic"] = "multinomial"
    """How `wright-fisher` draws parents: independently, or `systematic`, each rate rounded up or
    down."""
    operator: Literal["softmax", "proportional", "linear-rank", "truncation", "k-tournament"] = (
        "softmax"
    )
    """From fitness to replication rates."""
    temperature: SelectionTemperature = 0.1
    """Selection temperature *T* in exp(*f*/*T*); `.inf` is neutral drift."""
    dissent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    """Added to an agent's fitness for each answer, as a share of all, that a relative of its gave
    otherwise and an agent of another lineage gave alike."""
    protection: Probability = 0.0
    """Share of the births that are kept for the rare: of each problem, every distinct answer has
    the same part of them, and those that gave it share that part, however few they are."""


class IslandsConfig(Section):
    """Demes of equal size, for the process ``islands``, and migration between them."""

    count: Annotated[int, Field(ge=1, le=LARGEST)] = 2
    """Demes of equal size: of the process `islands`, of the topology `islands`, and of
    `agents.learning.from: deme`."""
    migration: Probability = 0.1
    """Probability that a birth has its parent from any deme."""


class MutationConfig(Section):
    """Probability of each mutation at a birth, and the size of the jitter (log scale)."""

    drop: Probability = 0.1
    """Probability, at a birth, that an example of the context is forgotten."""
    swap: Probability = 0.1
    """Probability that two unequal examples change places."""
    duplicate: Probability = 0.05
    """Probability that a copy of an example is appended, the oldest forgotten over capacity."""
    jitter: Probability = 0.1
    """Probability that the sampling temperature changes."""
    jitter_scale: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = 0.1
    """Standard deviation of the change of ln(sampling temperature)."""
    recombination: Probability = 0.0
    """Probability that a child has the newer examples of its context from a second parent."""
    noise: Probability = 0.0
    """Probability that normal noise is added to every weight."""
    noise_scale: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 0.01
    """Standard deviation of that noise."""
    merging: Probability = 0.0
    """Probability that a second parent's weights are mixed into a child's."""
    merging_share: Probability = 0.5
    """Share of the second parent's weights in the mixture."""


class AdversariesConfig(Section):
    """Share of the founders in each role but the ordinary one."""

    always_top: Probability = 0.0
    """Share of the founders that give every answer the top level."""
    always_bottom: Probability = 0.0
    """Share that give every answer the bottom level."""
    random: Probability = 0.0
    """Share that give every answer any level."""
    saboteur: Probability = 0.0
    """Share that reverse their grades."""
    clique: Probability = 0.0
    """Share that give each other's answers the top level."""
    flatterer: Probability = 0.0
    """Share that answer wrongly where graders are known not to see it."""
    flattery: Literal["near", "random", "persistent"] = "near"
    """The kind of a flatterer's wrong answers; a model's card says which its kind accepts most.
    Without a model, flatterers err on the problems of the blind spot."""

    @property
    def shares(self) -> dict[str, float]:
        """Role → share, only of those that there are."""
        plain = self.model_dump(exclude={"flattery"})
        return {name.replace("_", "-"): share for name, share in plain.items() if share > 0.0}


class PopulationConfig(Section):
    """How many agents, for how long, under which selection and mutation."""

    size: Annotated[int, Field(ge=2, le=LARGEST)] = 8
    """Agents, *m*; planned before anything is made (docs/trust/reliability.md#inputs)."""
    generations: Annotated[int, Field(ge=1, le=LARGEST)] = 6
    """Rounds."""
    selection: SelectionConfig = SelectionConfig()
    islands: IslandsConfig = IslandsConfig()
    mutation: MutationConfig = MutationConfig()
    adversaries: AdversariesConfig = AdversariesConfig()
