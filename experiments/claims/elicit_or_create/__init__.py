"""Claim 9: elicit or create."""
