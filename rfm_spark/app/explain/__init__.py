"""Explain: why one customer has the scores it has, from what is stored of it alone."""
