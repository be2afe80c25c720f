"""The roof: configuration, the loop, the journal, what is seen from outside, the command line."""
