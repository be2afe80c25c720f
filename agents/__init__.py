"""Models and the hosts that serve them: everything that turns a request into a reply."""
