"""How the bundled ladder of small language models is made."""
