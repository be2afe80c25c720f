"""What layers compute here, under the names by which transformers' models ask for it.

transformers is slow to import, and models that are trained here do without it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import cache
from typing import Any

from mgptn.agents.layers import attention, experts


@cache
def register() -> None:
    """Let any model of transformers attend, and mix experts, as here."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

    AttentionInterface.register(attention.NAME, attention.attend)
    AttentionMaskInterface.register(attention.NAME, _no_mask)
    ALL_EXPERTS_FUNCTIONS.register(experts.NAME, experts.experts)


def _no_mask(*_: Any, **__: Any) -> None:
    """transformers need not make a mask."""
