"""Claim 5: quasispecies."""
