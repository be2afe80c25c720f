"""A run on disk: journal, packed columns, manifest, rounds. No Ray, no torch, no model."""
