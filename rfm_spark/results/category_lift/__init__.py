"""Category lift: what the customers of a segment or a tier buy more often than all others."""
