"""What stands below each claim's figure, so that it can be read without the page."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

CAPTIONS = {
    "chaining": (
        "Share of wrong answers by round, on a scale of log-odds, where what is accepted enters "
        "its author's buffer (b: how many it holds). Copiers err as their buffer does, learners "
        "infer a skill from it, gpt-3 reads it; Λ is the graders' TPR/FPR. Dotted: the "
        "recurrence, a fall of ln Λ a round. Own labels: everything enters, with the label that "
        "its author gave it."
    ),
    "survey-trick": (
        "How well grades rank right answers above wrong ones (area under the curve, 95 % "
        "intervals; .5 is chance) by rung and task, of five ways to ask the same graders about "
        "the same answers. A word is sampled from the very probabilities that the logits show."
    ),
    "evaluation-easier": (
        "What one round of mutual grading gains (error of all answers less that of the accepted "
        "ones) against what the graders' TPR and FPR on other problems predict, a dot a task, "
        "with 95 % intervals. On the line the prediction is right; a gain says nothing of whether "
        "judging is easier than answering, which the table says."
    ),
    "cherry-picking": (
        "Left: total variation between p·e^(r/T)/Z and where picked populations end, by how many "
        "answers they were picked from; one round at T (○), four at 4T (□); stars: 300 steps of "
        "the plain gradient. Right: probability of a right answer against the divergence from p, "
        "by picking, by sharpening answers (p^α) and by lowering the temperature of tokens."
    ),
    "quasispecies": (
        "What is left of selection as the error rate per site grows, in units of the threshold "
        "that Eigen's theory predicts (dashed). Left: share of populations of N that kept the "
        "master sequence on a single peak. Right: how much of the accuracy that selection adds is "
        "kept on gpt-3's landscape of contexts, with the exact cloud dotted. The threshold is "
        "where half is lost; in small populations it lies lower."
    ),
    "one-cannot": (
        "Left: gold error by generation of single agents that grade themselves and of populations "
        "that grade each other, apart or replicating; dotted, the same under a coin toss. "
        "Different agents are independently trained seeds. Right: Price's terms of the fall in "
        "error over the whole run, with 95 % intervals."
    ),
    "phase-diagram": (
        "Above: share of runs in which m copies of GPT-n, that grade each other and replicate by "
        "their grades, end with no more errors than the majority vote of any unselected M-GPT-N "
        "above them; black, the fitted boundary; at the right, scripted agents of known Λ beside "
        "the theory's boundary. Below: errors of those collectives, of the best graded of as many "
        "founders (dotted), and the lowest of those votes (dashed); at the right, errors by what "
        "makes graders differ."
    ),
    "selectors": (
        "Fall of the error beyond the random selector's, as measured, against what a fit to all "
        "other cells predicts of the selector's TPR, FPR and ρ alone; a panel a kind of agents, a "
        "mark a selector. On the line, who selects does not matter."
    ),
    "elicit-or-create": (
        "Share of problems answered right within k attempts by the base without a context, by the "
        "selected population, and by its random-selector twin, a panel an exam. Last panel: the "
        "probability of the right answer under the base and under the population, a dot a "
        "problem; left of the dashed line the base needs more than 1,024 attempts."
    ),
    "gaming": (
        "Left: share of flatterers, who err where the first evaluator is blind, by generation and "
        "by number of evaluators, with shared or disjoint blind spots; dotted, under a random "
        "selector. Others: share of right answers (solid) and the grade (dashed) of the best of "
        "n, against √KL, for scripted and for trained evaluators; dotted, the fitted law."
    ),
    "beyond-the-founders": (
        "Left: size of the sums that founders which learn from each other are asked, by "
        "generation, mean of the founder sets. Right: the largest number of digits that each arm, "
        "and founders without learning, answer with at most 5 % errors, a dot a founder set; "
        "founders were trained on one to five digits."
    ),
    "independent-judges": (
        "Left: reach (the largest number of digits answered with at most 5 % errors) over the "
        "number of agents and the size of their founders. Middle: over the number of agents and "
        "the selection temperature, where agents replicate by how much they agree; nobody: nobody "
        "is replicated; between black lines drift is expected to leave most pairs of one founder. "
        "Right: share of wrong ones among the problems that all answer alike, with 95 % "
        "intervals, by arm."
    ),
    "tests-beat-votes": (
        "How often the program that is chosen is right (95 % intervals), of one answer of a "
        "founder, its likeliest, and of several: by commonest text, by commonest results on ten "
        "drawn inputs, by peers' tests, which count as answers, and by the cases that all are "
        "shown."
    ),
    "mutual-code-and-tests": (
        "Share of wrong programs and of wrong tests in the last of three generations (95 % "
        "intervals) of three agents that learn what passes what, blue; of as many answers accepted "
        "by a coin, orange; and of their founders without learning, grey."
    ),
    "collusion": (
        "Share of the tests that programs are given which copy what is shown or that nobody's "
        "program fails, by generation, without a seat that checks the spec and with one; dotted, "
        "where a coin accepts as many answers."
    ),
    "checking-easier-than-proving": (
        "Above: of small models that write proofs and judge them, shares right, and twice the area "
        "under the curve of their grades less one. Below: steps of two searches for refutations of "
        "random formulas over steps of the check, as logarithms; above 0 checking is less work. "
        "95 % intervals."
    ),
    "extinction": (
        "Left: share of trials in which lineages of a tournament lost the right answer, which "
        "three eighths gave at first and whose fitness is agreement, against what the exact chain "
        "predicts, a mark a condition. Right: of the problems that fewer than half of six founders "
        "answer rightly, the share that nobody does after they learned what was accepted; a dot "
        "a founder set."
    ),
    "self-training": (
        "Error (left) and distinct answers to a problem (right) of three founders by generation, "
        "mean of the founder sets, that learn from nothing but their own answers, by what filters "
        "these; accumulated: earlier data are kept beside. Grey: founders that do not learn."
    ),
    "simulacra": (
        "Left: how well a linear probe of the states before an answer's digits, taught on told "
        "saboteurs, tells those of other kinds where they are right (of their like: taught on one "
        "who is not told); crosses, the text alone; 95 % intervals. Middle: a population into "
        "which saboteurs enter, by generation, and honest ones, dashed. Right: generations before "
        "an alarm, which is a value above all that were seen in an honest population; one that is "
        "never given counts as given after the last."
    ),
    "agency": (
        "Above: the gap in log-probability at the edge of the smallest set of answers that holds "
        ".9, and how many these are, by generation, under peers, a coin, and of founders, also at "
        "lower sampling temperatures. Below: how probable the set from before a kick is, after "
        "kicks of contexts and of weights, and three generations later, by what selects."
    ),
    "imitation-then-selection": (
        "By generation, mean of the founder sets: errors; how much more often a reader, who sees "
        "of a walk its last step alone, tells the answer from what was written before it than "
        "from what the same author wrote on another walk; and the share of valid steps of that "
        "writing. Blue: founders that imitated derivations; orange: founders that imitated "
        "scribbles of the same length. Learning and replication by the verifier's word on the "
        "answer (thick), by peers (dashed), by a coin (dotted), or none, likeliest answers (grey)."
    ),
    "plausibility": (
        "Left: how well digits that were forced, of probability below a thousandth, are told from "
        "sampled ones by the state after them, on problems that no probe was trained on. Middle: "
        "the quadratic probe's score after layer 1, quartiles by how improbable a forced digit "
        "was. Right: pass@k, and the share of its successes whose pass is broken by its worst "
        "digit; as many sampled passes are called broken as the dashed line says."
    ),
    "frozen-internals": (
        "Of what all weights learn of a lesson, how much is learned by training the named part "
        "alone, or factors of a rank beside every layer: 0 is the founder, 1 what training all "
        "weights reaches. Right: how many numbers were trained, of all that the model has."
    ),
}
"""Claim → caption; one without is captioned by its registered metric."""
