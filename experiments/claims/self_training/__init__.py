"""Claim 20: self-training."""
