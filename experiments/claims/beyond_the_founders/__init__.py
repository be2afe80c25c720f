"""The claim that a collective of independent founders gets beyond what any of them can do."""
