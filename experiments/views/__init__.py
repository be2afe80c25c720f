"""What is seen of a run: measures, finding, live table, metrics."""
