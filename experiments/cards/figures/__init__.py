"""Figures of cards."""
