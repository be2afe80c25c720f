"""Simulated faults: a run's own loop, journal, fleet and store of weights in a world that fails."""
