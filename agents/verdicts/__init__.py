"""Verdicts on many answers: here, in processes, or on a cluster; programs in a sandbox."""
