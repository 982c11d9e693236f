"""Rows: from delivered columns to typed, checked fields."""
