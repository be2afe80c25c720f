"""A page that is looked at while runs go on, and after: read from journals alone."""
