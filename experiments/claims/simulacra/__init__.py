"""Claim: whether a simulator stays malleable, and its malign simulacra can be told from within."""
