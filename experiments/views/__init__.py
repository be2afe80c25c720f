"""What is seen of a run: measures, tables, figures, report, live table, metrics."""
