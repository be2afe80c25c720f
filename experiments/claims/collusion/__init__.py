"""The claim that coders and testers come to agree on what is worth nothing."""
