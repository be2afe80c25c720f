"""Claim 22: extinction."""
