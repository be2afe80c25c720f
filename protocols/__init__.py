"""Who says what to whom: protocols, tasks and interfaces, all without input or output."""
