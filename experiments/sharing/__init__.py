"""What is passed on of a run: data sets, logs, agents, and figures for trackers of experiments."""
