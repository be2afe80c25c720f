"""A run as flat tables: their columns, the rows that a commit has in each, and their files."""
