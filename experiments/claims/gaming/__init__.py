"""Claim 10: gaming."""
