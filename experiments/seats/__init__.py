"""Who sits where, what a seat is asked, and how its reply is read."""
