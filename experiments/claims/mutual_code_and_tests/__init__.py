"""The claim that coders and testers amplify each other."""
