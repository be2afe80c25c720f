"""The pure core: populations, selection, and the mathematics they are held against.

Nothing here reads a file, a clock, Ray or torch.
"""
