"""Runs from start to end: sessions, fleets, grids, sweeps, replay."""
