"""Graders together, sampling anew, and where a model that infers its skill is stuck."""

# SPDX-License-Identifier: Apache-2.0

import math

from scipy.stats import binom

from mgptn.population.theory.classification import Rates


def lock_threshold(error, lower_error):
    """TPR/FPR above which a model with a large context leaves one skill level for the next better.

    odds(ε_b) / odds(c), with c = A/(A+B) the share of wrong examples at which both skills explain
    the context equally well, A = ln[(1−ε_a)/(1−ε_b)], B = ln[ε_b/ε_a].
    """
    right = math.log((1 - lower_error) / (1 - error))
    return error / (1 - error) * math.log(error / lower_error) / right


def majority_rates(tpr, fpr, graders):
    """Of the majority of independent equal graders, a tie decided by a coin (Condorcet 1785)."""
    # With a coin at ties, an even jury decides like one with a member less.
    jury = graders - 1 if graders % 2 == 0 else graders
    return Rates(*(float(binom.sf(jury // 2, jury, rate)) for rate in (tpr, fpr)))


def resampling_ceiling(accuracy, fpr, tpr=1.0):
    """Accuracy of sampling until an answer passes (Stroebl et al. 2024)."""
    return accuracy * tpr / (accuracy * tpr + (1 - accuracy) * fpr)
