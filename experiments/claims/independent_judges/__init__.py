"""The claim that what a jury agrees on is worth as much as its members are independent."""
