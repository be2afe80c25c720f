"""`mgptn bench engine --model`: a population's work on a real model, ours against others' ways."""
