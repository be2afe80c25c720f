"""Tasks about tiny programs: write one, test one, make one faster."""
