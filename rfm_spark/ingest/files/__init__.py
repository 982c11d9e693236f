"""Raw files: found, opened and read."""
