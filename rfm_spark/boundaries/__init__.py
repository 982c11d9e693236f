"""Boundaries: cut points found from the data, exactly, in bounded memory."""
