"""Claim 4: cherry picking."""
