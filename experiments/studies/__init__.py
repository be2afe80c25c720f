"""Comparisons of many runs: protocols side by side, adversaries."""
