"""What can be said of a run: its heading and sentences, by intervals and against controls."""
