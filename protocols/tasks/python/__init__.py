"""The tasks about programs once more, for models that write Python."""
