"""Claim 1: training by chaining."""
