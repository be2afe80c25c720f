"""Configuration: what can be set, checked whole before anything starts."""
