"""Tasks whose questions say how long an answer may be: what is cheap errs more."""
