"""`mgptn bench learning`: agents that learn one after another, and are worn by a host in turn."""
