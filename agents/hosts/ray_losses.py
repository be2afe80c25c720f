"""Which of Ray's errors mean that a host was lost, and which are the fault of the tile it had.

Ray says in many ways that a host is gone, or that what it replied is: its process or machine died,
ran out of memory or disk, cannot be reached, or the reply was lost on the way. All are routine,
because another host gives the same reply. What the host's own code raised would be raised again.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

OWN = (
    "UserCodeException",
    "CrossLanguageError",
    "UnserializableException",
    "OufOfBandObjectRefSerializationException",
)
"""Ray's names for what the code of a task did, wherever it is run; not every Ray has them all."""


def is_loss(error: BaseException) -> bool:
    """Was a host lost, or its reply, through no fault of the tile's?

    A `RayTaskError` is a loss if Ray itself raised its cause in the host, as for a tile whose
    memory was lost before the host read it. Its cause is a bare `RayError` where what the host's
    code raised cannot be pickled: that is the tile's fault.
    """
    import ray.exceptions as known

    if isinstance(error, known.RayTaskError):
        cause = error.cause
        return not isinstance(cause, known.RayTaskError) and is_loss(cause)
    own = tuple(getattr(known, name) for name in OWN if hasattr(known, name))
    return (
        isinstance(error, known.RayError)
        and type(error) is not known.RayError
        and not isinstance(error, own)
    )
