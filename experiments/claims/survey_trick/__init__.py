"""Claim 2: the survey trick."""
