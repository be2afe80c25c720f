"""The sections of a configuration: what may stand in each, and what every key means."""
