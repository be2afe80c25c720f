"""Claim 7: the phase diagram."""
