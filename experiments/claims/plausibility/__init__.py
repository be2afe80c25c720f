"""Claim: forced answers and sampled ones, by what stands within the model."""
