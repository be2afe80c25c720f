"""Claim: what weights learn when those of a model's internals are frozen."""
