"""What is seen of a run: measures, live table, metrics."""
