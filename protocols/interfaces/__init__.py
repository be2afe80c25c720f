"""How problems, examples, answers and grading questions are laid out as text for a model."""
