"""A population simulator for language models: agents answer, grade each other, and evolve."""
