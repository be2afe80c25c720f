"""How fast this machine does things: side by side, as ratios."""
