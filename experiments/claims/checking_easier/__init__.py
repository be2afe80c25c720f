"""The claim that checking is easier than proving."""
