"""`mgptn theory`: what the theory says, beside simulations of it."""
