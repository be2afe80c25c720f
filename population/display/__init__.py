"""How records are shown where there is a page: as HTML in which a text is always text."""
