"""Claim 6: one alone cannot."""
