"""A generation under way: ask the tournament, have the agents play, tell the tournament."""
