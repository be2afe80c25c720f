"""What flows: agents, matches, outcomes, a generation; columns of arrays."""
