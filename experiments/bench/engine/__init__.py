"""`mgptn bench engine`: the host against plain transformers, and against the machine."""
