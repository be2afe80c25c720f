"""Models that the engine cannot compute, run a text at a time as transformers runs them."""
