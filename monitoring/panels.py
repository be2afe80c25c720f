"""What the Grafana dashboard of a run shows: its panels, in plain words and PromQL."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

RUN = 'run="$run",task="$task",run_id="$id"'
ARM = f'{RUN},arm=~"$arm"'
LIVE = f'{RUN},arm="selected"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: queries are pairs of PromQL and legend, and `says` is its description."""

    title: str
    says: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    limits: tuple[float | None, float | None] = (None, None)
    per_arm: bool = False
    band: bool = False


def each(name: str, labels: str = ARM, **more: str) -> str:
    """A gauge of the chosen run and arms."""
    matchers = ",".join([labels, *(f'{key}="{value}"' for key, value in more.items())])
    return f"mgptn_{name}{{{matchers}}}"


def gain(name: str, by: str = "arm", labels: str = ARM, **more: str) -> str:
    """How much a counter grew within the interval, by some labels."""
    return f"sum by ({by}) (increase({each(name, labels, **more)}[$__rate_interval]))"


def share(part: str, whole: str, by: str = "arm", labels: str = ARM) -> str:
    """A counter's growth over another's; absent while nothing was committed."""
    return f"{gain(part, by, labels)} / ({gain(whole, by, labels)} > 0)"


def share_by(label: str, part: str, whole: str) -> str:
    """A counter's growth by a label of its own, over another's growth, all arms together."""
    parts = gain(part, f"run, {label}")
    return f"{parts} / on (run) group_left () ({gain(whole, 'run')} > 0)"


def per_work_second(name: str) -> str:
    """A counter's growth for each second of committed work."""
    return f"{gain(name)} / ({gain('phase_seconds_total', phase='total')} > 0)"


SECTIONS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Now",
        (
            Panel(
                "Generation",
                "The last generation that the journal holds, of the run itself.",
                ((each("generation", LIVE), ""),),
                kind="stat",
                width=4,
                height=4,
            ),
            Panel(
                "Gold error now",
                "Share of the selected arm's answers that the verifier calls wrong.",
                ((each("gold_error_ratio", LIVE), ""),),
                kind="stat",
                unit="percentunit",
                width=4,
                height=4,
            ),
            Panel(
                "Accepted now",
                "Share of the selected arm's answers that entered a context.",
                ((each("acceptance_ratio", LIVE), ""),),
                kind="stat",
                unit="percentunit",
                width=4,
                height=4,
            ),
            Panel(
                "Lineages now",
                "Founders with living descendants in the selected arm.",
                ((each("lineages", LIVE), ""),),
                kind="stat",
                width=4,
                height=4,
            ),
            Panel(
                "Hosts now",
                "Hosts alive at the last commit.",
                ((each("hosts_alive", RUN), ""),),
                kind="stat",
                width=4,
                height=4,
            ),
            Panel(
                "Version",
                "The version of mgptn that the run is on.",
                ((each("build_info", RUN), "{{version}}"),),
                kind="name",
                width=4,
                height=4,
            ),
        ),
    ),
    (
        "Fitness",
        (
            Panel(
                "Fitness",
                "Mean and highest fitness of an agent: what selection saw. If it rises and gold "
                "error does not fall, selection is for what graders like, not for what is right.",
                (
                    (each("fitness_mean_ratio"), "mean {{arm}}"),
                    (each("fitness_max_ratio"), "max {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Selection and transmission",
                "Price's two parts of the change of gold error since the generation before: below "
                "zero, selection (or inheritance with its mutations) made the population better.",
                (
                    (each("price_selection"), "selection {{arm}}"),
                    (each("price_transmission"), "transmission {{arm}}"),
                ),
            ),
            Panel(
                "Fitness of agents, {arm}",
                "How many agents had which fitness. A population that splits shows two bands.",
                ((gain("fitness_ratio_bucket", "le"), "{{le}}"),),
                kind="heatmap",
                unit="percentunit",
                per_arm=True,
            ),
        ),
    ),
    (
        "Errors",
        (
            Panel(
                "Gold error of all arms",
                "The share of wrong answers, next to the controls that spend the same answers on a "
                "vote or on picking the best graded one. The claim needs the selected arm "
                "below all of them.",
                (
                    (each("gold_error_ratio"), "{{arm}}"),
                    (each("majority_error_ratio"), "majority {{arm}}"),
                    (each("best_of_n_error_ratio"), "best of n {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Acceptance",
                "Share of answers that entered a context, and share of wrong ones among them: the "
                "second is what the population teaches itself.",
                (
                    (each("acceptance_ratio"), "accepted {{arm}}"),
                    (each("accepted_error_ratio"), "wrong among accepted {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Gold error with interval, {arm}",
                "Gold error with its 95 % interval by the spread between problems: a change within "
                "it may be chance.",
                (
                    (each("gold_error_high_ratio"), "high"),
                    (each("gold_error_ratio"), "gold error"),
                    (each("gold_error_low_ratio"), "low"),
                ),
                unit="percentunit",
                limits=(0, 1),
                per_arm=True,
                band=True,
            ),
        ),
    ),
    (
        "Selector and graders",
        (
            Panel(
                "True and false positives of the selector",
                "Share of right and of wrong answers that the selector accepts.",
                (
                    (each("decision_true_positive_ratio", of="selector"), "true {{arm}}"),
                    (each("decision_false_positive_ratio", of="selector"), "false {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "True and false positives of single graders",
                "The same of one grader's word. The selector should be better than its graders.",
                (
                    (each("decision_true_positive_ratio", of="grader"), "true {{arm}}"),
                    (each("decision_false_positive_ratio", of="grader"), "false {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Youden's J",
                "True minus false positive ratio. At zero or below selection has no signal, and "
                "what follows is drift.",
                ((each("decision_youden_j"), "{{of}} {{arm}}"),),
                limits=(-1, 1),
            ),
            Panel(
                "Likelihood ratio",
                "True over false positive ratio of the selector: by how much acceptance multiplies "
                "the odds that an answer is right. 1 says nothing.",
                ((each("selector_likelihood_ratio"), "{{arm}}"),),
            ),
            Panel(
                "Calibration of graders",
                "How well grades rank answers (AUC, 0.5 is chance), and how far they are from the "
                "truth as probabilities (Brier score, calibration error; 0 is best).",
                (
                    (each("grader_auc"), "AUC {{arm}}"),
                    (each("grader_brier_score"), "Brier {{arm}}"),
                    (each("grader_calibration_error_ratio"), "calibration error {{arm}}"),
                ),
                limits=(0, 1),
            ),
            Panel(
                "Independence of graders",
                "Correlation of two graders' errors on the same wrong answers, and the number of "
                "independent graders that they are worth. Copies that err together count once.",
                (
                    (each("grader_correlation"), "correlation {{arm}}"),
                    (each("effective_graders"), "effective graders {{arm}}"),
                    (each("grade_disagreement"), "disagreement {{arm}}"),
                ),
            ),
            Panel(
                "Youden's J by model, {arm}",
                "True minus false positive ratio of single grades, by the grader's model: who of a "
                "mixed population can tell right from wrong.",
                ((each("grader_model_youden_j"), "{{model}}"),),
                limits=(-1, 1),
                per_arm=True,
            ),
            Panel(
                "Biases of graders by model, {arm}",
                "Own answers' grade less the others' of the same, where authors grade too; and by "
                "how much what is shown first is favoured, where answers are compared. 0 is fair.",
                (
                    (each("grader_model_self_preference"), "self-preference {{model}}"),
                    (each("grader_model_position_bias"), "position bias {{model}}"),
                ),
                per_arm=True,
            ),
            Panel(
                "Grades by level, {arm}",
                "Share of grades on each level of the survey. All mass on one level means that the "
                "graders do not discriminate.",
                ((share_by("level", "grade_levels_total", "grade_levels_total"), "{{level}}"),),
                unit="percentunit",
                limits=(0, 1),
                per_arm=True,
            ),
            Panel(
                "Unreadable grades, truncated answers and unknown verdicts",
                "Grades that could not be read, left out of fitness, answers cut off at their "
                "maximum length, and answers without a verdict, left out of errors, each as a "
                "share of all; and the mean probability of the options "
                "that grades were read from: where it is small, graders would have said something "
                "else.",
                (
                    (share("grades_unreadable_total", "grades_total"), "unreadable {{arm}}"),
                    (share("answers_truncated_total", "answers_total"), "truncated {{arm}}"),
                    (share("verdicts_unknown_total", "answers_total"), "unknown {{arm}}"),
                    (each("grade_option_mass_ratio"), "mass of options {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, None),
                width=24,
            ),
        ),
    ),
    (
        "Evolution",
        (
            Panel(
                "Replication rates, {arm}",
                "How many agents had which replication rate (mean 1). Neutral drift fills the one "
                "bucket around 1; strong selection empties it.",
                ((gain("replication_rate_bucket", "le"), "{{le}}"),),
                kind="heatmap",
                per_arm=True,
            ),
            Panel(
                "Lineages and diversity",
                "Founders with living descendants, how many equally common ones they are worth "
                "(their Hill number), and distinct genomes.",
                (
                    (each("lineages"), "lineages {{arm}}"),
                    (each("lineage_diversity"), "diversity {{arm}}"),
                    (each("genotypes"), "genotypes {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Effective population size",
                "From the variance in offspring numbers, beside the number of agents: if it is far "
                "below, few agents leave most of the offspring.",
                (
                    (each("effective_population_size"), "effective {{arm}}"),
                    (each("agents"), "agents {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Identity by descent and collision",
                "Share of pairs of agents that descend from one founder, what drift by the rates "
                "so far would make of it, and of pairs that are both wrong the share that said the "
                "same. As they rise, agents are no longer so many independent judges.",
                (
                    (each("identity_by_descent_ratio"), "identity {{arm}}"),
                    (each("identity_expected_ratio"), "expected {{arm}}"),
                    (each("collision_ratio"), "collision {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "What all agree on",
                "Share of problems to which all agents gave the same answer, and how many of those "
                "answers are wrong.",
                (
                    (each("agreed_ratio"), "agreed {{arm}}"),
                    (each("agreed_error_ratio"), "wrong {{arm}}"),
                ),
                unit="percentunit",
                limits=(0, 1),
            ),
            Panel(
                "Births and deaths per generation",
                "They are equal, since the population's size is held.",
                (
                    (share("births_total", "generations_total"), "births {{arm}}"),
                    (share("deaths_total", "generations_total"), "deaths {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Growth of the task",
                "Size of the problems of a task that grows; 0 of others. It is held for as long as "
                "the population is not good enough at it.",
                ((each("task_size"), "{{arm}}"),),
                limits=(0, None),
            ),
            Panel(
                "Context",
                "Mean number of examples that an agent had in its context as it answered.",
                ((each("context_examples_mean"), "{{arm}}"),),
                limits=(0, None),
            ),
        ),
    ),
    (
        "Work",
        (
            Panel(
                "Answers per second",
                "Answers, and grades, for each second of committed work.",
                (
                    (per_work_second("answers_total"), "answers {{arm}}"),
                    (per_work_second("grades_total"), "grades {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Tokens per second",
                "Tokens that went through a model, those that were padding (and of these, slots' "
                "without an answer to write), those that reuse of a prefix spared, and those of "
                "the answers, for each second of committed work.",
                (
                    (per_work_second("tokens_computed_total"), "computed {{arm}}"),
                    (per_work_second("tokens_padded_total"), "padded {{arm}}"),
                    (per_work_second("slots_idle_total"), "idle slots {{arm}}"),
                    (per_work_second("tokens_saved_total"), "saved {{arm}}"),
                    (per_work_second("answer_tokens_total"), "answers {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Seconds by phase",
                "Wall time of a generation. Forward, sampling and transfer are summed over hosts "
                "and may exceed the total; far below hosts times total, the hosts wait for the "
                "driver. Planner is part of answer and grade.",
                ((share_by("phase", "phase_seconds_total", "generations_total"), "{{phase}}"),),
                unit="s",
                limits=(0, None),
            ),
            Panel(
                "Requests and tiles per generation",
                "Requests that the hosts served, after equal ones were merged, the tiles that they "
                "were planned into, and blocks of prefixes that hosts had no room for.",
                (
                    (share("answer_requests_total", "generations_total"), "answer {{arm}}"),
                    (share("grade_requests_total", "generations_total"), "grade {{arm}}"),
                    (share("tiles_total", "generations_total"), "tiles {{arm}}"),
                    (share("prefix_evictions_total", "generations_total"), "evicted {{arm}}"),
                ),
                limits=(0, None),
            ),
        ),
    ),
    (
        "Weights",
        (
            Panel(
                "Lessons per generation",
                "Agents whose weights were to learn from what was accepted, and lessons after "
                "which weights were no numbers: these keep the weights from before.",
                (
                    (share("learn_requests_total", "generations_total"), "lessons {{arm}}"),
                    (share("learn_refused_total", "generations_total"), "refused {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Tokens learned per generation",
                "Tokens of documents that weights were trained on, padding among them.",
                ((share("tokens_learned_total", "generations_total"), "{{arm}}"),),
                limits=(0, None),
            ),
        ),
    ),
    (
        "Endpoints",
        (
            Panel(
                "Endpoint errors",
                "Requests to models behind servers that had to be put again, since the server "
                "failed or refused them, beside those that were answered, per generation.",
                (
                    (share("endpoint_retries_total", "generations_total"), "errors {{arm}}"),
                    (share("endpoint_requests_total", "generations_total"), "answered {{arm}}"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Cost and tokens of servers",
                "What servers counted, per generation, and what it cost by the configured prices.",
                (
                    (share("prompt_tokens_total", "generations_total"), "prompts {{arm}}"),
                    (share("completion_tokens_total", "generations_total"), "answers {{arm}}"),
                    (share("cost_total", "generations_total"), "cost {{arm}}"),
                ),
                limits=(0, None),
            ),
        ),
    ),
    (
        "Fleet",
        (
            Panel(
                "Hosts and restarts",
                "Hosts alive at the last commit, and restarts since the run (or its resumption) "
                "began. A restart is routine and changes no result.",
                (
                    (each("hosts_alive", RUN), "alive"),
                    (f"sum by (run, run_id) ({each('host_restarts_total')})", "restarts"),
                ),
                limits=(0, None),
            ),
            Panel(
                "Seconds since the last commit",
                "A saw whose teeth are the generations; a tooth that keeps growing is a stall.",
                (
                    (
                        f"time() - max by (run, run_id) ({each('last_commit_timestamp_seconds')})",
                        "{{run}} {{run_id}}",
                    ),
                ),
                unit="s",
                limits=(0, None),
            ),
        ),
    ),
)
