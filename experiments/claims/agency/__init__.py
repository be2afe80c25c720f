"""Claim: whether a population's answers have a sharp upper level set that returns when kicked."""
