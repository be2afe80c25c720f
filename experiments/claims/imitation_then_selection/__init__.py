"""Claim 24: imitation of a derivation and then selection, or selection alone."""
