"""The page where people pick: what each is shown, who may say what, and its server."""
