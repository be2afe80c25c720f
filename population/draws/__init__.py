"""Named streams of random numbers."""
