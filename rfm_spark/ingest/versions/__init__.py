"""Versions: of several rows with one id, the one that counts."""
