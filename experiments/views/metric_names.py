"""What the metrics of a run are called: names without their prefix, where from, and help texts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

FITNESS_BUCKETS: tuple[float, ...] = tuple(i / 20 for i in range(21))
"""Fitness lies in [0, 1]."""

RATE_BUCKETS: tuple[float, ...] = (0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 0.8, 1.25, 2, 4, 8, 16, 32, 64)
"""Replication rates have mean 1, which lies inside a bucket: neutral drift fills that one alone."""

GAUGES: tuple[tuple[str, str, str], ...] = (
    ("generation", "generation", "Index of the last committed generation; 0 is the first."),
    ("agents", "agents", "Agents that answered in the last generation."),
    ("fitness_mean_ratio", "fitness_mean", "Mean fitness over agents, 0 to 1."),
    ("fitness_max_ratio", "fitness_max", "Highest fitness of an agent, 0 to 1."),
    ("gold_error_ratio", "gold_error", "Share of answers that the verifier calls wrong."),
    ("gold_error_low_ratio", "gold_error_low", "Low end of gold error's 95 % interval."),
    ("gold_error_high_ratio", "gold_error_high", "High end of gold error's 95 % interval."),
    ("majority_error_ratio", "majority_error", "Error of the commonest answer to each problem."),
    (
        "best_of_n_error_ratio",
        "best_of_n_error",
        "Error of the answer with the highest mean grade to each problem.",
    ),
    ("acceptance_ratio", "acceptance_rate", "Share of answers that entered a context."),
    ("accepted_error_ratio", "accepted_error", "Share of wrong answers among accepted ones."),
    (
        "selector_likelihood_ratio",
        "likelihood_ratio",
        "The selector's true positive ratio over its false positive ratio.",
    ),
    (
        "grader_auc",
        "grader_auc",
        "Area under the curve of single grades against verdicts; 0.5 is chance.",
    ),
    ("grader_brier_score", "grader_brier", "Brier score of single grades against verdicts."),
    (
        "grader_calibration_error_ratio",
        "grader_ece",
        "Expected calibration error of single grades against verdicts.",
    ),
    (
        "grader_correlation",
        "grader_correlation",
        "Mean correlation of two graders' errors on the same wrong answers, -1 to 1.",
    ),
    (
        "effective_graders",
        "effective_graders",
        "Independent graders that an answer's correlated graders are worth.",
    ),
    (
        "grade_bias_ratio",
        "grade_bias",
        "Mean grade less the share of right answers; its course is how labels drift.",
    ),
    (
        "position_bias_ratio",
        "position_bias",
        "Mean order effect of comparisons; above 0, what is shown first is favoured.",
    ),
    (
        "turn_error_ratio",
        "turn_error",
        "Share of wrong ones among drafts, candidates and rivals' answers.",
    ),
    (
        "grade_option_mass_ratio",
        "option_mass",
        "Mean probability of the options that a grader was given, before it is made one.",
    ),
    (
        "grade_option_mass_least_ratio",
        "option_mass_least",
        "Least probability of the options that a grader was given, before it is made one.",
    ),
    (
        "grade_disagreement",
        "disagreement",
        "Mean standard deviation of the grades that an answer gets, 0 to 1.",
    ),
    ("context_examples_mean", "context_mean", "Mean number of examples in an agent's context."),
    ("task_size", "task_size", "Size of the problems, of a task that grows; 0 of others."),
    ("lineages", "lineages", "Founders with living descendants."),
    (
        "lineage_diversity",
        "lineage_diversity",
        "Hill number of order 1 of the lineages: how many equally common ones they are worth.",
    ),
    ("genotypes", "genotypes", "Distinct genomes among the survivors."),
    (
        "effective_population_size",
        "effective_size",
        "Effective population size from the variance in offspring numbers.",
    ),
    (
        "collision_ratio",
        "collision",
        "Of pairs of agents that are both wrong on a problem, the share that said the same.",
    ),
    (
        "agreed_ratio",
        "agreed_share",
        "Share of problems to which all agents gave the same answer.",
    ),
    (
        "agreed_error_ratio",
        "agreed_error",
        "Share of wrong ones among the answers that all agents gave.",
    ),
    (
        "identity_by_descent_ratio",
        "identity_by_descent",
        "Share of pairs of agents that descend from the same founder.",
    ),
    (
        "identity_expected_ratio",
        "identity_expected",
        "What multinomial Wright-Fisher expects of identity by descent, by the rates so far.",
    ),
    (
        "price_selection",
        "price_selection",
        "Selection's part of the change of gold error since the generation before.",
    ),
    (
        "price_transmission",
        "price_transmission",
        "Transmission's part of the change of gold error since the generation before.",
    ),
    (
        "fitness_price_selection",
        "fitness_price_selection",
        "Selection's part of the change of mean fitness since the generation before.",
    ),
    (
        "fitness_price_transmission",
        "fitness_price_transmission",
        "Transmission's part of the change of mean fitness since the generation before.",
    ),
)
"""Name, field of `Measures`, help."""

DECISION_GAUGES: tuple[tuple[str, dict[str, str], str], ...] = (
    (
        "decision_true_positive_ratio",
        {"selector": "tpr", "grader": "grader_tpr"},
        "Share of right answers that are accepted, by the selector or by a single grader.",
    ),
    (
        "decision_false_positive_ratio",
        {"selector": "fpr", "grader": "grader_fpr"},
        "Share of wrong answers that are accepted, by the selector or by a single grader.",
    ),
    (
        "decision_youden_j",
        {"selector": "youden_j", "grader": "grader_j"},
        "Youden's J, true minus false positive ratio; at 0 or below there is no signal.",
    ),
)
"""Name, label `of` → field of `Measures`, help."""

MEASURE_COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("answers", "answers", "Answers given."),
    ("answers_truncated", "truncated_answers", "Answers cut off at their maximum length."),
    (
        "verdicts_unknown",
        "unknown_verdicts",
        "Answers of which it is not known whether they are right; left out of all ratios.",
    ),
    ("answer_tokens", "tokens", "Tokens in answers."),
    ("grades", "grades", "Grades asked for, as counted by the measures."),
    ("grades_unreadable", "unreadable_grades", "Grades that could not be read."),
    ("births", "births", "Children born."),
    ("deaths", "deaths", "Agents that died."),
)
"""Name without its ``_total``, field of `Measures`, help."""

WORK_COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("answer_requests", "answer_requests", "Requests for an answer that the hosts served."),
    ("grade_requests", "grade_requests", "Requests for a grade that the hosts served."),
    (
        "tokens_computed",
        "tokens_computed",
        "Tokens of prompts and answers that went through a model.",
    ),
    ("tokens_saved", "tokens_saved", "Tokens that reuse of a prefix spared."),
    ("tokens_padded", "tokens_padded", "Padding tokens that went through a model."),
    (
        "slots_idle",
        "slots_idle",
        "Padding tokens of slots that had no answer left to write.",
    ),
    (
        "prefix_evictions",
        "prefix_evictions",
        "Blocks of prefixes that a host's memory had no room for.",
    ),
    ("verdicts_asked", "verdicts_asked", "Verdicts asked of the task's verifier."),
    ("tiles", "tiles", "Tiles of work done."),
    ("host_restarts", "host_restarts", "Hosts that died and were started again."),
    (
        "flops",
        "flops",
        "Floating-point operations of models: 2 or, learning, 6 a parameter and token.",
    ),
    (
        "energy_joules",
        "energy_millijoules",
        "Energy while hosts worked, by hosts.watts or the cards' own counters, in joules.",
    ),
    ("endpoint_requests", "endpoint_requests", "Requests that servers answered."),
    ("endpoint_retries", "endpoint_retries", "Requests to servers that had to be repeated."),
    ("prompt_tokens", "prompt_tokens", "Tokens of prompts, as servers count them."),
    ("completion_tokens", "completion_tokens", "Tokens of completions, as servers count them."),
    (
        "cost",
        "cost_millionths",
        "Cost of servers by the configured prices, in their currency.",
    ),
    ("learn_requests", "learn_requests", "Lessons that hosts were asked for."),
    (
        "learn_refused",
        "learn_refused",
        "Lessons after which weights were no numbers: those from before were kept.",
    ),
    (
        "tokens_learned",
        "tokens_learned",
        "Tokens of documents that weights were trained on, padding among them.",
    ),
)
"""Name without its ``_total``, key of `Committed.counters`, help."""

UNITS = ("seconds", "bytes", "joules", "ratio")
"""Base units; a metric that has one is called so at its end."""

SCALES = {"energy_millijoules": 1e-3, "cost_millionths": 1e-6}
"""Key of `Committed.counters` → what it is multiplied by, for Prometheus' base units."""

COST_GAUGES: tuple[tuple[str, str, str], ...] = (
    ("right_answer_tokens", "tokens_per_right", "Tokens that a right answer took."),
    ("right_answer_flops", "flops_per_right", "Operations that a right answer took."),
    ("right_answer_joules", "joules_per_right", "Energy that a right answer took."),
)
"""Name, name of `per_right.PER_RIGHT`, help: of the last generation."""

GRADER_GAUGES: tuple[tuple[str, str, str], ...] = (
    ("grader_model_true_positive_ratio", "tpr", "Share of right answers that a grade accepts."),
    ("grader_model_false_positive_ratio", "fpr", "Share of wrong answers that a grade accepts."),
    ("grader_model_youden_j", "youden_j", "Youden's J of a model's single grades."),
    ("grader_model_likelihood_ratio", "likelihood_ratio", "True over false positive ratio."),
    ("grader_model_auc", "auc", "Area under the curve of a model's grades; 0.5 is chance."),
    ("grader_model_calibration_error_ratio", "ece", "Expected calibration error of its grades."),
    ("grader_model_brier_score", "brier", "Brier score of a model's grades."),
    (
        "grader_model_correlation",
        "correlation",
        "Mean correlation of two such graders' errors on the same wrong answers, -1 to 1.",
    ),
    (
        "grader_model_effective_graders",
        "effective_graders",
        "Independent graders that an answer's graders would be worth, were all of this model.",
    ),
    (
        "grader_model_self_preference",
        "self_preference",
        "Authors' grade of their own answers less the others' of the same, -1 to 1.",
    ),
    (
        "grader_model_position_bias",
        "position_bias",
        "Mean order effect of comparisons, -1 to 1; above 0, what is shown first is favoured.",
    ),
)
"""Name, field of `GraderMeasures`, help; with a label `model`."""

MODELS_SHOWN = 16
"""Models that have series of their own, the first by name: a label must not grow with a run."""
