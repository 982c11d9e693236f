"""Checks as Column expressions."""
