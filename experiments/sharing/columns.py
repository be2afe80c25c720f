"""What the columns of shared tables mean, and in which units."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.experiments.record.committed import PHASES
from mgptn.experiments.views.metric_names import (
    DECISION_GAUGES,
    GAUGES,
    MEASURE_COUNTERS,
    WORK_COUNTERS,
)
from mgptn.protocols.scale import LEVELS

_ARM = "Arm of the run: `selected` is the run itself, the others are its controls."
_GENERATION = "Generation, from 0."
_KEY = {"arm": _ARM, "generation": _GENERATION}
_ANSWER = {
    "index": "Place of the answer in its generation and arm, from 0; joins answers and grades.",
    "author": "Agent that answered.",
    "problem": "Place of the problem in its generation, from 0; the same in all arms.",
}

EXPLAINED: dict[str, dict[str, str]] = {
    "answers": {
        **_KEY,
        **_ANSWER,
        "query": "The question.",
        "answer": "The whole answer, as it was said.",
        "counted": "What counts of it to its task; null where all of it does.",
        "finished": "False if it was cut off at its maximum length.",
        "tokens": "Length of the answer, in tokens of the author's model.",
        "log_probability": "Sum of its tokens' log-probabilities, in nats.",
        "verdict": "Does the task's verifier call it right? Null where that is not known. "
        "Selection by peers never sees it.",
        "score": "What the selector made of it, 0 to 1; null where it could say nothing.",
        "grade_mean": "Mean of its grades, 0 to 1; null where none could be read.",
        "disagreement": "Standard deviation of its grades, 0 to 0.5.",
        "rating": "A human's word on it, 0 to 1; null where no human looked.",
        "accepted": "Did it enter its author's context?",
    },
    "grades": {
        **_KEY,
        **_ANSWER,
        "grader": "Agent that graded.",
        "value": "Mean of the grade over the scale, 0 to 1; null where it could not be read.",
        **{
            f"level_{i}": f"Probability that the grader gave to the level “{level}”."
            for i, level in enumerate(LEVELS, start=1)
        },
        "order_effect": "Of a comparison: how much what is shown first is favoured, −1 to 1.",
        "verdict": "Does the task's verifier call the graded answer right? Null if not known.",
    },
    "generations": {
        **_KEY,
        **{field: told for _, field, told in (*GAUGES, *MEASURE_COUNTERS, *WORK_COUNTERS)},
        **{
            field: f"{told} Here of the {of}."
            for _, fields, told in DECISION_GAUGES
            for of, field in fields.items()
        },
        **_KEY,
        **{
            f"seconds_{phase}": f"Wall time of the phase “{phase}”, in seconds; of hosts their sum."
            for phase in PHASES
        },
        "energy_millijoules": "Energy while hosts worked, by hosts.watts or the cards' counters.",
        "cost_millionths": "Cost of servers by the configured prices, in millionths of a unit.",
        "tokens_per_right": "Tokens that went through models, by right answers; NaN without any.",
        "flops_per_right": "Floating-point operations, by right answers; NaN where not counted.",
        "joules_per_right": "Energy in joules, by right answers; NaN where it is not known.",
    },
    "lineage": {
        "arm": _ARM,
        "agent": "Names an agent of its arm for ever.",
        "parent": "The agent that it is a child of; null for founders.",
        "other_parent": "A second parent, of whom it has a part; null for one of a single parent.",
        "founder": "The founder that it descends from, by first parents.",
        "born": "Generation at whose end it was born; −1 for founders.",
        "mutations": "What befell it at birth.",
        "genome": "Hash of what it began with; null where it died in the generation of its birth.",
        "model": "The model that it is a copy of; null as above.",
        "role": "What it makes of its word; `ordinary` says what it thinks. Null as above.",
        "persona": "Who it is told to be; null for nobody in particular, and as above.",
        "sampling_temperature": "Of its decoder, without a unit; null as above.",
        "context": "Examples in its context as it began; null as above.",
        "weights": "Hash of how its weights descend; null where they are the model's, or as above.",
    },
    "turns": {
        **_KEY,
        "index": "Place of the answer on whose way it was said; joins answers.",
        "turn": "Place in the conversation, from 0.",
        "kind": "`draft`, `candidate`, `rival` (another agent's answer) or `critique`.",
        "text": "What was said.",
        "finished": "False if it was cut off at its maximum length.",
        "verdict": "Does the task's verifier call it right? Null for a critique, or if not known.",
        "grade_mean": "Mean grade of it, 0 to 1; null where it has none.",
    },
}
"""Table → column → what it is."""

_KIND = {
    **_KEY,
    "model": "The graders' model; `all` for any.",
    "role": "What they make of their word; `all` for any.",
}

_ESTIMATES = {
    "tpr": "Share of right answers that their grades accept.",
    "fpr": "Share of wrong answers that their grades accept.",
    "youden_j": "`tpr` less `fpr`: at 0 or below a grade says nothing.",
    "likelihood_ratio": "`tpr` over `fpr`.",
    "auc": "Area under the curve of their grades against verdicts; 0.5 is chance.",
    "ece": "Expected calibration error of their grades.",
    "brier": "Brier score of their grades.",
    "correlation": "Mean correlation of two of them on the same wrong answers, −1 to 1.",
    "effective_graders": "Independent graders that an answer's would be worth, were all such.",
    "self_preference": "Own grade less the others' of the same answer, −1 to 1.",
    "own_bias": "Own grade less verdict, −1 to 1.",
    "own_tpr": "Share of their own right answers that their own grades accept.",
    "own_fpr": "Share of their own wrong answers that their own grades accept.",
    "position_bias": "Mean order effect of comparisons, −1 to 1: what is shown first is favoured.",
}

KEPT: dict[str, dict[str, str]] = {
    "births": {
        **_KEY,
        "child": "Agent that was born at the end of the generation.",
        "parent": "The agent that it is a child of.",
        "other_parent": "A second parent, of whom it has a part; null for one of a single parent.",
        "founder": "The founder that it descends from, by first parents.",
        "mutations": "What befell it at birth.",
        "genome": "Hash of what it began with; null where it died in this very generation.",
    },
    "agents": {
        **_KEY,
        "slot": "Place in the population, from 0.",
        "agent": "Names an agent of its arm for ever.",
        "parent": "The agent that it is a child of; null for founders.",
        "founder": "The founder that it descends from, by first parents.",
        "born": "Generation at whose end it was born; −1 for founders.",
        "genome": "Hash of all that it inherits.",
        "role": "What it makes of its word; `ordinary` says what it thinks.",
        "context": "Examples in its context as it answered.",
        "sampling_temperature": "Of its decoder, without a unit.",
        "weights": "Hash of how its weights descend; null where they are the model's own.",
        "weights_step": "The last step of them; null as above.",
        "fitness": "What its peers made of its answers, 0 to 1; null where nothing could be said.",
        "rate": "Replication rate; their mean over agents is 1.",
        "offspring": "Survivors that descend from it, itself included where it lives on.",
    },
    "graders": {
        **_KIND,
        "agents": "Agents of the kind.",
        "grades": "Grades of theirs that could be read, of answers with a verdict.",
        "unreadable": "Grades of theirs that could not be read.",
        **{
            f"{name}{end}": f"{how}{told}"
            for name, told in _ESTIMATES.items()
            for end, how in (
                ("", ""),
                ("_low", "Low end of the 95 % interval: "),
                ("_high", "High end of the 95 % interval: "),
            )
        },
    },
    "reliability": {
        **_KIND,
        "bin_low": "Grades of the bin are at least this.",
        "bin_high": "Grades of the bin are below this, or 1.",
        "grades": "Grades in it.",
        "grade_mean": "Their mean.",
        "right": "Share of right answers among those so graded.",
        "right_low": "Low end of its 95 % interval.",
        "right_high": "High end of its 95 % interval.",
    },
}
"""Table that stays in a run's folder → column → what it is."""
