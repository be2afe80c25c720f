"""Claim 19: extinction."""
