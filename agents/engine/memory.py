"""How much memory a host needs, from a model's configuration and the shapes it will be asked."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

PREFIX_CACHE_BYTES = 256 * 2**20
"""Keys and values of prefixes that a host remembers."""
