"""Births: selection operators, processes of replacement, mutation and recombination."""
