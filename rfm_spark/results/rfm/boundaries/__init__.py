"""Boundaries: cut points of scores, fitted to the data."""
