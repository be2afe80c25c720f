"""Weights that change: trained, disturbed, mixed; and where their numbers lie."""
