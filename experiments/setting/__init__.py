"""What a run is set in, and checked against: task, problems, model, layout."""
