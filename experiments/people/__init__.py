"""People who pick on a page: what a run and its page say to each other, who waits, who agrees."""
