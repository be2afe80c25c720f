"""Claim 8: selectors."""
