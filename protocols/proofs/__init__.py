"""Tasks whose answers are proofs, and what checks them."""
