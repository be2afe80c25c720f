"""The claim that what programs do tells more than how they are written."""
