"""Claim 23: self-training."""
