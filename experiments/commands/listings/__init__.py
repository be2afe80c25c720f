"""What there is, as the command line lists it: tasks, protocols, models."""
