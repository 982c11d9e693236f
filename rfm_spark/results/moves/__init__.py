"""Moves: which customers changed their segment between two days, and why."""
