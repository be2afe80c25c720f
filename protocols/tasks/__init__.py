"""Recurrent tasks: distributions of problems, each with a verifier."""
