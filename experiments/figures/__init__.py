"""Figures of runs and sweeps, and the style that all figures share."""
