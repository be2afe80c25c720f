"""What counts of an answer, and whether it is the one that was wanted."""
