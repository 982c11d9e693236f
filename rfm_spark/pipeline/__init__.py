"""Jobs: read tables, call transforms, write tables."""
