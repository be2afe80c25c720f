"""Where programs run that nobody vouches for: walls, what runs inside, and what comes back."""
