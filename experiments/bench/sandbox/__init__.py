"""`mgptn bench sandbox`: how fast sandboxes run programs, and what programs do that attack them."""
