"""Hosts, each with a model, and the fleets that they make up."""
