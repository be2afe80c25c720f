"""What a run comes to, from its journal: tables, lineage, figures, and the report."""
