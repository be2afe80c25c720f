"""What work costs: tokens, operations, energy."""
