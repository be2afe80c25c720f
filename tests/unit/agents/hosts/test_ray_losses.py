"""Every error that Ray has is a lost host, or known to be the tile's own fault."""

# SPDX-License-Identifier: Apache-2.0

import pytest
import ray.exceptions as known

from mgptn.agents.hosts.ray_losses import OWN, is_loss


def subclasses(of):
    """All of a class's, at any depth, that Ray itself defines."""
    for kind in of.__subclasses__():
        if kind.__module__ == known.__name__:
            yield kind
            yield from subclasses(kind)


KINDS = sorted(set(subclasses(known.RayError)), key=lambda kind: kind.__name__)


def without_arguments(kind):
    """An error of a kind, whose own `__init__` may want what nobody knows here."""
    return kind.__new__(kind)


def in_a_task(cause):
    """As `ray.get` raises what a task raised: of both classes at once."""
    return known.RayTaskError("run", "Traceback", cause, pid=1, ip="here").as_instanceof_cause()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_rays_is_a_loss_but_those_of_the_tasks_code(kind):
    if kind is known.RayTaskError:
        return
    assert is_loss(without_arguments(kind)) == (kind.__name__ not in OWN)


def test_the_deaths_that_ray_names_are_among_them():
    named = {"ActorDiedError", "OutOfMemoryError", "ObjectLostError", "NodeDiedError"}
    assert named | {"LocalRayletDiedError", *OWN} <= {kind.__name__ for kind in KINDS}


def test_what_a_tile_raises_is_its_own_fault_and_what_ray_raises_in_it_is_not():
    assert not is_loss(in_a_task(ValueError("tile: expected weights")))
    assert not is_loss(in_a_task(MemoryError()))
    assert not is_loss(in_a_task(known.RayError("ValueError isn't serializable")))
    assert not is_loss(in_a_task(in_a_task(ValueError("from a task of its own"))))
    assert is_loss(in_a_task(known.OutOfMemoryError("the node ran low")))
    assert is_loss(in_a_task(known.ObjectLostError("00", "", "")))
    assert not is_loss(ValueError("not of Ray"))
    assert not is_loss(KeyboardInterrupt())
