"""The claims about mutual selection, each an experiment that can fail."""
