"""A real instruct model for slow tests: in the user's own cache, or the test is skipped."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from mgptn.experiments.machine.instruct import InstructError, fetch_instruct


def real_model() -> Path:
    """Its folder; fetched if it is not there, where it stays for the next time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MGPTN_CACHE", raising=False)
        try:
            return fetch_instruct()
        except InstructError as error:
            pytest.skip(f"needs a real model: {error}")
