"""Model cards: what a model can do and judge, measured, with intervals, and checked again."""
