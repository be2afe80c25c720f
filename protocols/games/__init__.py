"""Closed games: exact play is computable, and never shown to anybody."""
