"""Ray itself: started on this machine for one run and nobody else, or joined; and ended."""
