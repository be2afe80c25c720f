"""The engine of the transformers host: attention, prefixes, sampling, decoding, scoring, memory."""
