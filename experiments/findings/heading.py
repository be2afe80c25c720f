"""A finding in a few words: which cheaper control is better, what helped, what was not shown."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.experiments.findings.differences import Against, Difference

RANDOM_NAME = "the random selector"
NEUTRAL_NAME = "neutral drift"


def heading_of(change: Difference, random_change: Difference, against: Against) -> str:
    """The finding of a run with a random selector beside it.

    Parameters
    ----------
    change, random_change
        Of gold error from the first generation to the last, in the run and in that control.
    against
        The run's last gold error beside each control's.
    """
    random = against[RANDOM_NAME][1]
    cheaper = {n: of for n, of in against.items() if n not in (RANDOM_NAME, NEUTRAL_NAME)}
    by_error = sorted(cheaper, key=lambda name: cheaper[name][0])
    better = [name for name in by_error if cheaper[name][1].rises]
    if not change.falls:
        fell = "gold error rose" if change.rises else "gold error was not shown to fall"
        return _joined("Not amplified", fell, _better(better))
    if not random.falls:
        beside = "is above" if random.rises else "was not shown to be below"
        fell = f"gold error fell, but {beside} that of a random selector"
        return _joined("Not amplified", fell, _better(better))
    if random_change.falls:
        fell = "gold error fell, but that of the random-selector control did too"
        return _joined("Undecided", fell, _better(better))
    fell, drift = "gold error fell below that of a random selector", _replication(against)
    if not cheaper:
        return _joined("Undecided", f"nothing cheaper stands beside it, though {fell}", drift)
    if better:
        return _joined("Not amplified", f"{_better(better)}, though {fell}", drift)
    unshown = [name for name in by_error if not cheaper[name][1].falls]
    if unshown:
        told = f"not shown to be better than {', '.join(unshown)}, though {fell}"
        return _joined("Undecided", told, drift)
    return _joined(f"Amplified beyond {by_error[0]}", fell, drift)


def _joined(verdict: str, *clauses: str) -> str:
    return f"{verdict}: {'; '.join(filter(None, clauses))}"


def _better(names: list[str]) -> str:
    """Controls that err less, the strongest first; nothing where there is none."""
    if not names:
        return ""
    first, *others = names
    return f"outdone by {first}" + (f" (and by {', '.join(others)})" if others else "")


def _replication(against: Against) -> str:
    if NEUTRAL_NAME not in against:
        return ""
    drift = against[NEUTRAL_NAME][1]
    if drift.falls:
        return "replication helped"
    return "replication did harm" if drift.rises else "replication was not shown to help"


def drift_said(difference: Difference) -> str:
    """What replication added beyond the arm that replicates at random."""
    if difference.falls:
        return "Replication by fitness lowered the error beyond what acceptance into contexts did."
    if difference.rises:
        return "Replication by fitness did harm: neutral drift, which accepts alike, errs less."
    return (
        "Replication by fitness added nothing that could be shown: neutral drift, which shares "
        f"acceptance into contexts, does as well. {_open(difference)}"
    )


def random_said(change: Difference) -> str:
    """What became of the random-selector control, which is not to improve."""
    if change.falls:
        told = "IT IMPROVED, so what the run gained is not all due to its selector."
    elif change.rises:
        told = "it got worse."
    else:
        told = f"no change could be shown. {_open(change)}"
    return f"The random-selector control changed by {change}: {told}"


def _open(difference: Difference) -> str:
    """What an interval that reaches 0 leaves possible."""
    return f"An error lower by up to {difference.not_ruled_out:.3f} is not ruled out."
