"""Lifetime value: who will come again, how often, and what they will spend."""
