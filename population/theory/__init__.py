"""Closed forms, recurrences and plain simulations that the instrument is held against."""
