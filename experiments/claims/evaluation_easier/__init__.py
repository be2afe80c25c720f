"""Claim 3: to evaluate is easier than to answer."""
