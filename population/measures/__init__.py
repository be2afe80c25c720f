"""What is measured of a generation or of a whole run; verdicts are seen here."""
